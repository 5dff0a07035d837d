"""What a process no longer keeps is deleted, and nothing else."""

import io
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.tests.factories import make_agent, make_supervisor
from tickets import attachments, chats
from tickets.definitions.loading import library
from tickets.definitions.problems import DefinitionError
from tickets.enums import DeliveryState
from tickets.lists import history
from tickets.models import (
    Attachment,
    Chat,
    Delivery,
    Message,
    Nonconformity,
    Process,
    ProcessVersion,
    RetentionMark,
    Ticket,
    TicketEvent,
)
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import retention
from tickets.workflow.checking import load
from tickets.workflow.conversation import add_internal_note, reply
from tickets.workflow.publishing import publish

pytestmark = pytest.mark.django_db

KEY = "incidencia-tecnica"
DAYS_AGO = 400
ALL = "tickets = 365"


def keep_for(periods: str, key: str = KEY) -> Process:
    """Publish the process with this `[retention]`, as of the day before yesterday."""
    make_process(key)
    process = publish(library()[key] + f"\n[retention]\n{periods}\n").process
    ProcessVersion.objects.filter(process=process).update(created_at=timezone.now() - timedelta(days=2))
    return process


def picture() -> io.BytesIO:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(content, "PNG")
    content.seek(0)
    return content


def make_closed(process: Process | None = None, *, days_ago: int = DAYS_AGO) -> Ticket:
    """File a ticket with a reply, a note and a picture, and close it so many days ago."""
    ticket = make_ticket(process or make_process(KEY))
    limits = attachments.widest_limits(ticket)
    attachments.keep_draft(
        picture(), name="captura.png", draft_key=f"k{ticket.pk}", actor=ticket.requester, limits=limits
    )
    reply(ticket, body="Adjunto la captura.", actor=ticket.requester, draft_key=f"k{ticket.pk}")
    add_internal_note(ticket, body="Nota.", actor=make_agent())
    attachments.draw_missing_thumbnails()
    then = timezone.now() - timedelta(days=days_ago)
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="cerrado", stage_kind="done", closed_at=then, updated_at=then, silence_due_at=None
    )
    ticket.events.update(at=then)
    ticket.messages.update(created_at=then)
    Delivery.objects.filter(event__ticket=ticket).update(state=DeliveryState.SENT)
    ticket.refresh_from_db()
    return ticket


def stored(ticket: Ticket) -> list[str]:
    """Return the names of the ticket's files and thumbnails."""
    return [file.name for row in ticket.attachments.all() for file in (row.file, row.thumbnail) if file]


@pytest.mark.django_db(transaction=True)
def test_expired_ticket_is_deleted_with_all_that_is_its_own():
    make_supervisor()
    process = keep_for(ALL)
    old, recent = make_closed(process), make_closed(process, days_ago=300)
    gone, kept = stored(old), stored(recent)
    assert (len(gone), len(kept)) == (2, 2)

    deleted = retention.sweep()

    assert list(Ticket.objects.all()) == [recent]
    for model in (Message, TicketEvent, Attachment):
        assert set(model.objects.values_list("ticket", flat=True)) == {recent.pk}
    assert [default_storage.exists(name) for name in gone] == [False, False]
    assert [default_storage.exists(name) for name in kept] == [True, True]
    assert (deleted.tickets, deleted.files) == (1, 1)


def test_conversation_with_the_assistant_goes_with_its_ticket():
    process = keep_for(ALL)
    chat = chats.begin(visitor="v")
    chats.attach(chat, make_closed(process), chats.line("Título"))

    retention.sweep()

    assert not Chat.objects.exists()


def test_nothing_is_deleted_without_retention():
    make_closed(days_ago=20_000)

    assert not retention.sweep()
    assert Ticket.objects.count() == 1
    assert not RetentionMark.objects.exists()


def open_again(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(stage="recibido", stage_kind="new", closed_at=None)


def reopen_without_clearing(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(stage="recibido", stage_kind="new")


def wait_for_answer(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(late_reply_at=ticket.closed_at)


def wait_for_call(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(call_due_since=ticket.closed_at)


def wait_for_review(ticket: Ticket) -> None:
    Nonconformity.objects.create(ticket=ticket, reason="No quedó resuelto", opened_at=ticket.closed_at)


def wait_for_mail(ticket: Ticket) -> None:
    first = Delivery.objects.filter(event__ticket=ticket).first()
    Delivery.objects.filter(pk=first.pk).update(state=DeliveryState.WAITING)


def be_followed(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=make_ticket(make_process("solicitud-guiada")).pk).update(follows=ticket)


def survive_a_duplicate(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=make_ticket(make_process("solicitud-guiada")).pk).update(duplicate_of=ticket)


def be_written_in(ticket: Ticket) -> None:
    """Staff's notes do not change what the requester sees, nor `updated_at`."""
    add_internal_note(ticket, body="Lo pide la auditoría.", actor=make_supervisor())


def be_changed_for_the_requester(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(updated_at=timezone.now() - timedelta(days=10))


@pytest.mark.parametrize(
    "reason",
    [
        open_again,
        reopen_without_clearing,
        wait_for_answer,
        wait_for_call,
        wait_for_review,
        wait_for_mail,
        be_followed,
        survive_a_duplicate,
        be_written_in,
        be_changed_for_the_requester,
    ],
)
def test_needed_ticket_keeps_everything(reason, django_capture_on_commit_callbacks):
    make_supervisor()
    process = keep_for(f"{ALL}\nfiles = 90\nmails = 90\nevents = 90")
    ticket, other = make_closed(process), make_closed(process)
    reason(ticket)
    messages, events = ticket.messages.count(), ticket.events.count()
    mails = Delivery.objects.filter(event__ticket=ticket).count()

    with django_capture_on_commit_callbacks(execute=True):
        retention.sweep()

    assert not Ticket.objects.filter(pk=other.pk).exists()
    assert (ticket.messages.count(), ticket.events.count()) == (messages, events)
    assert Delivery.objects.filter(event__ticket=ticket).count() == mails > 0
    assert all(default_storage.exists(name) for name in stored(ticket))
    assert len(stored(ticket)) == 2


@pytest.mark.parametrize("part", ["files", "mails", "events"])
def test_each_part_has_its_own_period(part, django_capture_on_commit_callbacks):
    make_supervisor()
    process = keep_for(f"{part} = 365")
    old, recent = make_closed(process), make_closed(process, days_ago=300)
    other_parts = {"files", "mails", "events"} - ({"events", "mails"} if part == "events" else {part})

    def counts(ticket: Ticket) -> dict[str, int]:
        return {
            "files": len(stored(ticket)),
            "mails": Delivery.objects.filter(event__ticket=ticket).count(),
            "events": ticket.events.exclude(kind="files_expired").count(),
        }

    before, before_recent = counts(old), counts(recent)
    assert all(before.values())
    names = stored(old)

    with django_capture_on_commit_callbacks(execute=True):
        retention.sweep()

    assert counts(old)[part] == 0
    assert {name: counts(old)[name] for name in other_parts} == {name: before[name] for name in other_parts}
    assert counts(recent) == before_recent
    assert [default_storage.exists(name) for name in names] == [part != "files"] * 2
    assert old.messages.count() == 3
    assert not retention.sweep()


def test_note_counts_when_its_event_is_no_longer_kept():
    ticket = make_closed(keep_for(ALL))
    be_written_in(ticket)
    ticket.events.all().delete()

    assert retention.forecast()[0].tickets_of["tickets"] == 0
    assert not retention.sweep()
    assert Ticket.objects.filter(pk=ticket.pk).exists()


def test_note_between_looking_and_deleting_keeps_the_ticket():
    process = keep_for(ALL)
    ticket = make_closed(process)
    now = timezone.now()
    kept = retention.policies(now=now)
    [(_last, [found])] = retention.expired(kept, after=0, now=now)

    be_written_in(ticket)
    deleted = retention._delete(found, kept[process.pk], now=now)

    assert not deleted
    assert Ticket.objects.filter(pk=ticket.pk).exists()


def test_present_version_decides_for_older_tickets():
    ticket = make_closed(make_process(KEY))
    assert ticket.definition.retention.shortest == 0

    keep_for(ALL)
    retention.sweep()

    assert not Ticket.objects.filter(pk=ticket.pk).exists()


def test_other_processes_keep_their_tickets():
    keep_for(ALL)
    ticket = make_closed(make_process())

    assert not retention.sweep()
    assert Ticket.objects.filter(pk=ticket.pk).exists()


def test_new_version_deletes_nothing_on_its_first_day():
    process = keep_for(ALL)
    make_closed(process)
    ProcessVersion.objects.filter(pk=process.current_id).update(
        created_at=timezone.now() - retention.GRACE + timedelta(minutes=1)
    )

    assert not retention.sweep()
    assert Ticket.objects.count() == 1
    assert retention.forecast()[0].tickets_of["tickets"] == 1


def test_chain_of_duplicates_goes_link_by_link():
    process = keep_for(ALL)
    survivor, duplicate = make_closed(process), make_closed(process)
    Ticket.objects.filter(pk=duplicate.pk).update(duplicate_of=survivor)

    retention.sweep()
    assert list(Ticket.objects.all()) == [survivor]
    retention.sweep()
    assert not Ticket.objects.exists()


def test_sweep_is_bounded_and_goes_on_where_it_stopped(monkeypatch):
    monkeypatch.setattr(retention, "EXAMINED_AT_ONCE", 2)
    process = keep_for(ALL)
    tickets = [make_closed(process) for _number in range(5)]
    make_ticket(process)

    assert retention.sweep(limit=2).tickets == 2
    assert RetentionMark.objects.get().ticket_id == tickets[2].pk - 1
    assert retention.sweep(limit=2).tickets == 2
    assert retention.sweep(seconds=0).tickets == 0
    assert retention.sweep(limit=2).tickets == 1
    assert RetentionMark.objects.get().ticket_id == 0
    assert Ticket.objects.get().is_open


def test_sweep_continues_after_a_failing_ticket(monkeypatch, caplog):
    process = keep_for(ALL)
    broken, sound = make_closed(process), make_closed(process)
    is_needed = retention.is_needed

    def failing(ticket: Ticket) -> bool:
        if ticket == broken:
            raise LookupError("a process of long ago")
        return is_needed(ticket)

    monkeypatch.setattr(retention, "is_needed", failing)
    deleted = retention.sweep()

    assert list(Ticket.objects.all()) == [broken]
    assert sound.folio not in [ticket.folio for ticket in Ticket.objects.all()]
    assert (deleted.tickets, deleted.failed) == (1, 1)
    assert f"ticket {broken.folio} cannot be deleted" in caplog.text


@pytest.mark.parametrize("rows", [1, 3])
def test_looking_costs_the_same_number_of_queries(rows, django_assert_num_queries):
    process = keep_for("files = 365")
    for _number in range(rows):
        ticket = make_closed(process)
        ticket.attachments.all().delete()

    with django_assert_num_queries(15):
        assert not retention.sweep()


@pytest.mark.parametrize("periods", ["tickets = 29", "files = 0", "mails = -1", 'events = "1y"', "todo = 90"])
def test_wrong_period_is_refused_at_its_line(periods):
    source = library()[KEY] + f"\n[retention]\n{periods}\n"

    with pytest.raises(DefinitionError) as refused:
        load(source)

    assert [problem.line for problem in refused.value.problems] == [source.count("\n")]


def test_command_tells_and_deletes_on_request():
    said = StringIO()
    call_command("retention", stdout=said)
    assert "ninguno tiene [retention]" in said.getvalue()
    ticket = make_closed(keep_for(f"{ALL}\nfiles = 500"))

    call_command("retention", stdout=said)
    assert "tickets enteros: a los 365 días; vencidos ahora: 1" in said.getvalue()
    assert "archivos de tickets: a los 500 días; vencidos ahora: 1" in said.getvalue()
    assert Ticket.objects.filter(pk=ticket.pk).exists()

    call_command("retention", "--delete", stdout=said)
    assert "Borrado: tickets 1, files 1" in said.getvalue()
    assert not Ticket.objects.exists()


def test_ticket_says_that_its_files_are_gone(client):
    """Its messages name files that nobody finds. That is no news: it moves nothing in a list and keeps nothing."""
    ticket = make_closed(keep_for("files = 90\ntickets = 500"))

    retention.sweep()

    [event] = ticket.events.filter(kind="files_expired")
    before, ticket = ticket.updated_at, Ticket.objects.get(pk=ticket.pk)
    assert (ticket.updated_at, ticket.version) == (before, event.version)
    told = "Se borró 1 archivo: se conservan 90 días desde el último cambio"
    assert history.tell(event, ticket.definition, history.names_in([event])) == told
    client.force_login(ticket.requester)
    assert told in client.get(reverse("portal:ticket", args=[ticket.folio])).content.decode()
    assert not retention.sweep()

    Ticket.objects.update(
        closed_at=timezone.now() - timedelta(days=501), updated_at=before - timedelta(days=200)
    )
    TicketEvent.objects.exclude(kind="files_expired").update(at=before - timedelta(days=200))
    Message.objects.update(created_at=before - timedelta(days=200))
    assert retention.sweep().tickets == 1
