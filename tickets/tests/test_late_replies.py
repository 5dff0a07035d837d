"""Replies to closed tickets: they reopen the ticket, go to another one, or wait in «Respuestas en cerrados»."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from accounts.tests.factories import make_user
from tickets import policies
from tickets.definitions.loading import library
from tickets.definitions.problems import DefinitionError
from tickets.enums import LateReply, Purpose
from tickets.exceptions import ActionUnavailable, NotAllowed
from tickets.lists import queues
from tickets.lists.figures import count_queues
from tickets.models import Category, Process, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation, late_replies
from tickets.workflow.checking import load
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

S0, S1, S2, S3, S4 = (
    "incidencia-tecnica",
    "reparacion-de-dispositivo",
    "soporte-con-aprobacion",
    "solicitud-guiada",
    "reporte-de-incidentes",
)
AGAIN = "Volvió a pasar"
ENDS = [(key, stage.key) for key, text in library().items() for stage in load(text).stages if stage.is_end]
FILING = {
    S1: {"phone": "0414 1234567", "fields": {"marca": "Nokia"}},
    S4: {"fields": {"tipo": "tarea", "sistema": "Nómina", "prioridad": "low"}},
}


def closed(play, stage, process=S3, *, text="", **filing):
    """Return a play whose ticket stands in the end stage `stage`, closed a minute ago.

    `text` is the process file that the ticket was filed under, if it is not the library's.
    """
    p = play(process, **FILING.get(process, {}), **filing)
    p.is_whole = False
    if text:
        Ticket.objects.filter(pk=p.ticket.pk).update(process_version=publish(text))
        p.refresh()
    Ticket.objects.filter(pk=p.ticket.pk).update(
        stage=stage,
        stage_kind=p.definition.stage(stage).kind,
        public_state="completed",
        closed_at=timezone.now() - timedelta(minutes=1),
    )
    p.refresh()
    return p


def without_rules():
    """Return a process as an organisation may have it: it says nothing of what comes after the end."""
    text = library()[S3].replace('late_reply = "new_ticket"', "")
    start = text.index('[[actions]]\nkey = "reabrir_por_mensaje"')
    return text[:start] + text[text.index("[[actions]]", start + 1) :]


def figure(user):
    return count_queues([queues.LATE_REPLIES], user)["respuestas-en-cerrados"]


# --- What each process of the library decides -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("process", "stage", "to", "days"),
    [
        (S0, "cerrado", "diagnostico", 14),
        (S0, "descartado", "diagnostico", 14),
        (S1, "finalizado", "reparacion", 15),
        (S2, "cerrado", "procesar", 10),
        (S3, "completado", "en_curso", 30),
        (S4, "resuelto", "resolver", 15),
    ],
)
def test_reply_reopens_within_the_days_and_opens_a_ticket_afterwards(play, process, stage, to, days):
    p = closed(play, stage, process)
    closed_at = p.ticket.closed_at
    p.clock.move_to(closed_at + timedelta(days=days))
    assert late_replies.outlook(p.ticket) == late_replies.Outlook(
        LateReply.REOPENS, until=closed_at + timedelta(days=days)
    )
    p.reply(AGAIN)
    assert (p.ticket.stage, p.ticket.is_open, p.ticket.closed_at) == (to, True, None)
    assert p.last.action == "reabrir_por_mensaje"

    late = closed(play, stage, process)
    late.clock.move_to(late.ticket.closed_at + timedelta(days=days, seconds=1))
    late.reply(AGAIN)
    assert late.ticket.stage == stage
    assert [new.excerpt for new in late.ticket.followed_by.all()] == [AGAIN]


@pytest.mark.parametrize(("process", "stage"), ENDS)
def test_reply_after_any_end_reaches_open_work(play, process, stage):
    """Whatever the end, and however late: after the reply an open ticket of the requester has the words."""
    for days in (0, 400):
        p = closed(play, stage, process)
        p.clock.shift(timedelta(days=days))
        p.reply(AGAIN)
        holds = Ticket.objects.open().filter(messages__body=AGAIN, requester=p.customer)
        assert holds.count() == 1


# --- A linked ticket ------------------------------------------------------------------------------------------


def test_linked_ticket_keeps_requester_category_and_answers(play):
    p = closed(play, "denegado", S1)
    message = conversation.reply(p.ticket, actor=p.customer, body=AGAIN)
    new = message.ticket
    assert new.follows == p.ticket
    assert (new.folio != p.ticket.folio, new.is_open, new.process_version) == (
        True,
        True,
        p.ticket.process_version,
    )
    for name in (
        "requester",
        "requester_email",
        "requester_phone",
        "category",
        "department",
        "title",
        "severity",
    ):
        assert getattr(new, name) == getattr(p.ticket, name)
    assert new.fields["marca"] == "Nokia"
    assert (message.kind, message.body) == ("report", AGAIN)
    assert new.first_response_due_at is not None
    filed = new.events.get()
    assert ("requester", "received") in [(entry["to"], entry["template"]) for entry in filed.notify]
    p.refresh()
    assert (p.last.kind, p.last.is_public, p.last.data["folio"]) == ("continued", True, new.folio)
    assert not p.ticket.messages.filter(body=AGAIN).exists()


def test_second_late_reply_goes_to_the_linked_ticket(play):
    p = closed(play, "denegado", S1)
    first = conversation.reply(p.ticket, actor=p.customer, body=AGAIN)
    second = conversation.reply(p.ticket, actor=p.customer, body="Y otra cosa.")
    assert (second.ticket, second.kind) == (first.ticket, "reply")
    assert Ticket.objects.count() == 2


def test_linked_ticket_is_filed_though_its_process_and_category_are_out_of_use(play):
    p = closed(play, "denegado", S1)
    Process.objects.update(is_active=False)
    Category.objects.update(is_active=False)
    new = conversation.reply(p.ticket, actor=p.customer, body=AGAIN).ticket
    assert (new.is_open, new.process_version) == (True, p.ticket.process_version)


def test_linked_ticket_takes_the_current_version(play):
    p = closed(play, "denegado", S1)
    current = publish(library()[S1].replace("max_files = 5", "max_files = 4"))
    assert conversation.reply(p.ticket, actor=p.customer, body=AGAIN).ticket.process_version == current


def test_same_key_opens_one_linked_ticket(play):
    p = closed(play, "denegado", S1)
    ids = {conversation.reply(p.ticket, actor=p.customer, body=AGAIN, key="k").pk for _click in range(3)}
    assert len(ids) == 1
    assert Ticket.objects.count() == 2


def test_guest_opens_a_linked_ticket(play):
    p = closed(play, "denegado", S1, filed_by="guest")
    new = conversation.reply(p.ticket, actor=p.guest(Purpose.FOLLOW), body=AGAIN).ticket
    assert (new.requester, new.requester_email) == (None, "invitada@example.com")
    with pytest.raises(NotAllowed):
        conversation.reply(p.ticket, actor=p.guest(Purpose.APPROVE), body=AGAIN)


# --- Duplicates -----------------------------------------------------------------------------------------------


def test_reply_to_a_duplicate_goes_to_the_surviving_ticket(play):
    p = closed(play, "cancelado", S2)
    survivor = make_ticket(p.process, requester=p.customer)
    Ticket.objects.filter(pk=p.ticket.pk).update(duplicate_of=survivor)
    p.refresh()
    assert late_replies.outlook(p.ticket).elsewhere == survivor
    message = conversation.reply(p.ticket, actor=p.customer, body=AGAIN)
    assert (message.ticket, message.kind, Ticket.objects.count()) == (survivor, "reply", 2)


def test_reply_to_a_duplicate_of_a_closed_ticket_reopens_that_one(play):
    survivor = closed(play, "cerrado", S2)
    p = closed(play, "cancelado", S2)
    Ticket.objects.update(requester=p.customer)
    Ticket.objects.filter(pk=p.ticket.pk).update(duplicate_of=survivor.ticket)
    conversation.reply(p.refresh(), actor=p.customer, body=AGAIN)
    assert survivor.refresh().stage == "procesar"


def test_reply_to_one_of_two_duplicates_of_each_other_reaches_open_work(play):
    other = closed(play, "cancelado", S2)
    p = closed(play, "cancelado", S2)
    Ticket.objects.update(requester=p.customer)
    Ticket.objects.filter(pk=p.ticket.pk).update(duplicate_of=other.ticket)
    Ticket.objects.filter(pk=other.ticket.pk).update(duplicate_of=p.ticket)
    assert conversation.reply(p.refresh(), actor=p.customer, body=AGAIN).ticket.is_open


@pytest.mark.parametrize(("process", "by_arrival"), [(S2, True), (S0, False)])
def test_linked_ticket_waits_in_the_order_of_its_process(play, process, by_arrival):
    p = closed(play, "cerrado", process)
    Ticket.objects.filter(pk=p.ticket.pk).update(closed_at=timezone.now() - timedelta(days=60))
    new = conversation.reply(p.refresh(), actor=p.customer, body=AGAIN).ticket
    assert (new.follows, new.by_arrival) == (p.ticket, by_arrival)


def test_reply_never_goes_to_a_ticket_of_somebody_else(play):
    p = closed(play, "cancelado", S2)
    others = make_ticket(p.process, requester=make_user())
    Ticket.objects.filter(pk=p.ticket.pk).update(duplicate_of=others)
    message = conversation.reply(p.refresh(), actor=p.customer, body="Mi clave es kiwi.")
    assert message.ticket != others
    assert message.ticket.requester == p.customer
    assert not others.messages.filter(body__contains="kiwi").exists()


# --- The queue ------------------------------------------------------------------------------------------------


def test_reply_that_nothing_takes_up_waits_in_the_queue(play):
    p = closed(play, "completado", text=without_rules()).reply(AGAIN)
    assert (p.ticket.stage, p.latest_message.body) == ("completado", AGAIN)
    assert p.told == [("department", "requester_replied")]
    assert list(queues.LATE_REPLIES.tickets(p.agent)) == [p.ticket]
    assert figure(p.agent) == 1
    assert figure(p.outsider) == 0
    assert count_queues([queues.ALL, queues.UNASSIGNED], p.agent) == {"todos": 0, "sin-asignar": 0}


def test_comment_keeps_the_ticket_closed_and_waits_in_the_queue(play):
    p = closed(play, "completado")
    conversation.reply(p.ticket, actor=p.customer, body="Gracias", keep_closed=True)
    assert p.refresh().stage == "completado"
    assert figure(p.agent) == 1
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("end", ["answer", "aside", "reopen"])
def test_ticket_leaves_the_queue(play, end):
    p = closed(play, "completado")
    conversation.reply(p.ticket, actor=p.customer, body="Gracias", keep_closed=True)
    p.refresh()
    if end == "answer":
        p.follow_up("A ti.")
    elif end == "aside":
        late_replies.put_aside(p.ticket, actor=p.agent)
        assert p.refresh().events.order_by("version").last().kind == "late_reply_read"
    else:
        perform(p.ticket, "reabrir_el_equipo", actor=p.agent, data={"note": "Falta algo."})
    assert p.refresh().late_reply_at is None
    assert figure(p.agent) == 0


def test_internal_note_leaves_the_reply_in_the_queue(play):
    p = closed(play, "completado")
    conversation.reply(p.ticket, actor=p.customer, body="Gracias", keep_closed=True)
    conversation.add_internal_note(p.ticket, actor=p.agent, body="¿Quién le contesta?")
    assert figure(p.agent) == 1


def test_only_staff_on_the_ticket_put_a_reply_aside(play):
    p = closed(play, "completado")
    conversation.reply(p.ticket, actor=p.customer, body="Gracias", keep_closed=True)
    for actor in (p.customer, p.outsider, p.stranger):
        with pytest.raises(NotAllowed):
            late_replies.put_aside(p.ticket, actor=actor)
    assert figure(p.agent) == 1


def test_replies_from_before_the_queue_existed_are_found(db):
    process, now = make_process(S3), timezone.now()
    moments = {
        "unanswered": {"last_requester_message_at": now},
        "answered": {"last_requester_message_at": now, "last_staff_message_at": now + timedelta(hours=1)},
        "quiet": {"last_requester_message_at": now - timedelta(days=2)},
    }
    for title, fields in moments.items():
        Ticket.objects.filter(pk=make_ticket(process, title=title).pk).update(
            stage="completado", stage_kind="done", closed_at=now - timedelta(days=1), **fields
        )
    make_ticket(process, title="open")
    import_module("tickets.migrations.0003_find_late_replies").find_unanswered(apps, None)
    assert [ticket.title for ticket in Ticket.objects.with_late_reply()] == ["unanswered"]


# --- Staff reopen ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("process", "action", "to"),
    [
        (S0, "reabrir", "diagnostico"),
        (S1, "reabrir", "reparacion"),
        (S2, "reabrir", "procesar"),
        (S3, "reabrir_el_equipo", "en_curso"),
        (S4, "reabrir", "evaluar"),
    ],
)
def test_staff_reopen_every_end_with_a_reason(play, process, action, to):
    for stage in [stage.key for stage in make_process(process).definition.stages if stage.is_end]:
        p = closed(play, stage, process)
        Ticket.objects.filter(pk=p.ticket.pk).update(is_test=True, solution_sent_at=timezone.now())
        asked = {"note": "Llamó: sigue igual."}
        if process in (S1, S2):
            asked["assignee"] = p.agent
        p.refresh()
        p.do(p.supervisor, action, **asked)
        assert (p.ticket.stage, p.ticket.is_open) == (to, True)
        assert (p.ticket.is_test, p.ticket.solution_sent_at) == (False, None)
        assert p.told == [("requester", "reopened"), ("assignee", "reopened")]
        assert (p.latest_message.kind, p.latest_message.body) == ("note", "Llamó: sigue igual.")


def test_reopened_duplicate_is_a_ticket_of_its_own(play):
    p = closed(play, "cancelado", S2)
    Ticket.objects.filter(pk=p.ticket.pk).update(duplicate_of=make_ticket(p.process, requester=p.customer))
    p.refresh()
    p.do(p.supervisor, "reabrir", assignee=p.agent, note="No era lo mismo.")
    assert p.ticket.duplicate_of is None
    assert p.ticket in Ticket.objects.counted_in_metrics()


def test_resolution_clock_goes_on_with_the_time_it_had_left(play):
    p = play(S3, category="asistencia-tecnica")
    p.do(p.agent, "empezar")
    p.later(hours=3)
    p.do(p.agent, "completar", solution_done="Listo.")
    left = p.ticket.due_at - timezone.now() if p.ticket.due_at else None
    p.later(days=4)
    p.reply(AGAIN)
    assert p.ticket.is_open
    if left is not None:
        assert p.ticket.due_at - timezone.now() == left


# --- Definitions ----------------------------------------------------------------------------------------------


def test_within_days_is_refused_outside_end_stages():
    text = library()[S3].replace('key = "empezar"', 'key = "empezar"\nwithin_days = 3')
    with pytest.raises(DefinitionError) as refused:
        load(text)
    assert [problem.message for problem in refused.value.problems] == [
        "within_days cuenta desde el cierre: from solo admite etapas finales"
    ]


def test_requester_is_not_offered_reopening_after_its_days(play):
    text = library()[S3].replace('key = "reabrir"\n', 'key = "reabrir"\nwithin_days = 5\n')
    p = closed(play, "completado", text=text)

    def offered():
        return {action.key for action in policies.available_actions(p.ticket, actor=p.customer)}

    assert offered() == {"reabrir"}
    p.clock.shift(timedelta(days=5))
    assert offered() == set()
    with pytest.raises(ActionUnavailable):
        perform(p.ticket, "reabrir", actor=p.customer, data={"message": "Sigue"})
