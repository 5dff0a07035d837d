"""Attacks on the domain's verbs: other people's tickets, forged names, reused keys, simultaneous clicks."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from content.errors import DeskError
from tickets.actors import Guest
from tickets.attachments import discard_draft
from tickets.closing.surveys import rate
from tickets.enums import Purpose
from tickets.exceptions import GuardFailed
from tickets.models import Survey, Ticket
from tickets.requesters import guests
from tickets.workflow.conversation import reply
from tickets.workflow.perform import perform

from .factories import make_process, make_ticket
from .playing import review

pytestmark = pytest.mark.django_db


def prepared(ticket: Ticket, *, agent, **data) -> Ticket:
    answers = {
        "severity": "high",
        "department": make_department("soporte-tecnico"),
        "difficulty": 2,
        "assignee": agent,
        "due_at": timezone.now() + timedelta(days=3),
        "standing": "active",
        "contribution_open": False,
    }
    return perform(ticket, "preparar", actor=make_supervisor(), data=answers | data)


def test_linking_a_duplicate_needs_rights_on_both_tickets():
    """B17: an agent can neither link a ticket to one that they may not see, nor learn that it exists."""
    process, customer, agent = make_process(), make_user(), make_agent()
    mine = prepared(make_ticket(process, requester=customer), agent=agent)
    hidden = make_ticket(process, requester=customer, title="Asunto de nómina")
    Ticket.objects.filter(pk=hidden.pk).update(department=make_department("academico"))
    known = refusal_of_duplicate(mine, hidden.folio, agent)
    unknown = refusal_of_duplicate(mine, "MA-99999", agent)
    assert known in unknown
    mine.refresh_from_db()
    assert mine.duplicate_of is None
    assert mine.is_open

    perform(
        mine, "cancelar", actor=make_supervisor(), data={"duplicate_of": hidden.folio, "mismo_caso": True}
    )
    mine.refresh_from_db()
    assert mine.duplicate_of == hidden


def refusal_of_duplicate(ticket: Ticket, folio: str, agent) -> str:
    with pytest.raises(DeskError) as refused:
        perform(ticket, "cancelar", actor=agent, data={"duplicate_of": folio, "mismo_caso": True})
    if isinstance(refused.value, GuardFailed):
        return str(refused.value)
    return " ".join(text for texts in refused.value.errors.values() for text in texts)


@pytest.mark.parametrize("name", ["", "\x00", "x__y", "9" * 5000, "../../etc/passwd"])
def test_discard_draft_ignores_malformed_uuids(name):
    discard_draft("key", name, actor=None)


def at_once(*acts) -> list[str]:
    """Run every act in a thread of its own, all together. Returns «done» or the error's name for each."""
    start, results = threading.Barrier(len(acts)), []

    def run(act) -> None:
        start.wait(timeout=10)
        try:
            act()
            results.append("done")
        except DeskError as problem:
            results.append(type(problem).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def waiting_for_approval() -> Ticket:
    customer, agent = make_user(), make_agent()
    ticket = prepared(make_ticket(make_process(), requester=customer), agent=agent)
    perform(
        ticket,
        "pedir_aprobacion",
        actor=agent,
        data={"solution_done": "Repusimos el acceso.", "solution_steps": ""},
    )
    review(ticket, by=make_supervisor())
    ticket.refresh_from_db()
    return ticket


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", ["aprobar", "rechazar"])
def test_only_one_of_two_simultaneous_decisions_counts(other):
    """B41: the requester decides on the page while a guest decides by the link. The row lock lets only one through."""
    ticket = waiting_for_approval()
    link = guests.redeem(guests.issue(ticket, purpose=Purpose.APPROVE, email=ticket.requester_email))
    decide = {"aprobar": {}, "rechazar": {"message": "Sigue fallando."}}
    results = at_once(
        lambda: perform(ticket, "aprobar", actor=ticket.requester),
        lambda: perform(ticket, other, actor=guests.guest_of(link), data=decide[other]),
    )
    assert sorted(results) == ["ActionUnavailable", "done"]
    events = ticket.events.filter(action__in=decide)
    assert events.count() == 1
    ticket.refresh_from_db()
    assert ticket.is_open == (events.get().action == "rechazar")


@pytest.mark.django_db(transaction=True)
def test_simultaneous_reply_and_approval_both_count():
    ticket = waiting_for_approval()
    results = at_once(
        lambda: reply(ticket, actor=ticket.requester, body="Una cosa más."),
        lambda: perform(ticket, "aprobar", actor=ticket.requester),
    )
    assert results == ["done", "done"]
    versions = list(ticket.events.values_list("version", flat=True))
    assert len(versions) == len(set(versions))
    assert ticket.messages.filter(body="Una cosa más.").count() == 1


def test_guest_of_another_ticket_is_refused():
    """B15, B17: a link to one ticket gives no right to another."""
    mine, other = make_ticket(), make_ticket(title="El caso de otra persona")
    stranger = Guest(mine.pk, mine.requester_email, "Ana", Purpose.FOLLOW)
    with pytest.raises(DeskError):
        reply(other, actor=stranger, body="Hola")
    with pytest.raises(DeskError):
        perform(other, "aprobar", actor=stranger)
    assert other.messages.count() == 1
    assert not Survey.objects.exists()


KEY = "0b6a3c1e-4c1f-4b0e-9a51-0d3f5f0c2d11"


def test_key_works_once_for_each_verb():
    """B41: the forms of a page share a key. A reply, an approval and a rating with the same key each count once."""
    ticket = waiting_for_approval()
    for _click in range(2):
        reply(ticket, actor=ticket.requester, body="Ya funciona.", key=KEY)
    for _click in range(2):
        perform(ticket, "aprobar", actor=ticket.requester, key=KEY)
    for _click in range(2):
        rate(ticket, actor=ticket.requester, score=5, key=KEY)
    reply(ticket, actor=ticket.requester, body="Gracias.", keep_closed=True, key="otra")
    ticket.refresh_from_db()
    assert not ticket.is_open
    assert ticket.survey.score == 5
    assert [message.body for message in ticket.messages.filter(kind="reply")] == ["Ya funciona.", "Gracias."]


def test_key_works_once_for_each_ticket():
    """Otherwise the second reply would be taken for the first, and nobody would ever read it."""
    customer = make_user()
    tickets = [make_ticket(requester=customer) for _number in range(2)]
    for ticket in tickets:
        reply(ticket, actor=customer, body="Sigue igual.", key=KEY)
    assert [ticket.messages.filter(body="Sigue igual.").count() for ticket in tickets] == [1, 1]


def test_guests_key_is_refused_from_another_address():
    process = make_process("incidencia-tecnica")
    mine = make_ticket(process, guest_email="ana@example.com", key=KEY)
    assert make_ticket(process, guest_email="ana@example.com", key=KEY) == mine
    with pytest.raises(DeskError):
        make_ticket(process, guest_email="otra.ana@example.com", key=KEY)
