"""Accounts of requesters: staff create or link them, and their owners claim guest tickets (S2.26)."""

import pytest

from accounts.enums import Role
from accounts.models import User
from accounts.tests.factories import (
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from content.errors import InvalidData
from content.text import fold
from tickets.enums import EventKind, Template
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.models import Ticket
from tickets.requesters.accounts import claim_guest_tickets, create_account, link_account
from tickets.tests.factories import make_ticket
from tickets.workflow.perform import perform

pytestmark = pytest.mark.django_db
S0, S2 = "incidencia-tecnica", "soporte-con-aprobacion"


@pytest.fixture
def ticket(db):
    """A ticket whose requester has no account."""
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(
        requester=None, requester_email="ines@example.com", requester_name="Inés"
    )
    ticket.refresh_from_db()
    return ticket


@pytest.mark.demand("S2.26", "S2.27")
def test_create_account_sets_and_tells_the_requester(ticket):
    agent = make_agent()
    for _twice in range(2):
        create_account(ticket, actor=agent, email="Ines@Example.com", name="Inés Mora", key="k1")
    user = User.objects.get(email="ines@example.com")
    ticket.refresh_from_db()
    assert (ticket.requester, ticket.requester_name) == (user, "Inés Mora")
    assert (user.role, user.has_usable_password()) == (Role.CUSTOMER, False)
    event = ticket.events.get(kind=EventKind.REQUESTER)
    assert event.notify == [{"to": "requester", "template": Template.ACCOUNT_CREATED}]
    assert event.data == {"requester": user.pk}


@pytest.mark.demand("S2.27")
def test_create_account_refuses_an_existing_address(ticket):
    existing = make_user(email="ines@example.com")
    with pytest.raises(InvalidData) as refused:
        create_account(ticket, actor=make_agent(), email="INES@example.com", name="Otra")
    assert refused.value.errors["email"] == ["Ya hay una cuenta con ese correo. Selecciónala."]
    ticket.refresh_from_db()
    assert ticket.requester is None
    assert User.objects.get(email="ines@example.com") == existing


def test_create_account_needs_visible_ticket_without_account(ticket):
    for stranger in (make_user(), make_agent(make_department("cca"))):
        with pytest.raises(NotAllowed):
            create_account(ticket, actor=stranger, email="x@example.com", name="X")
    with pytest.raises(GuardFailed):
        create_account(make_ticket(), actor=make_supervisor(), email="x@example.com", name="X")
    assert not User.objects.filter(email="x@example.com").exists()


@pytest.mark.demand("S2.26")
def test_account_is_linked_once(play):
    p = play(S2, filed_by="staff")
    link_account(p.ticket, actor=p.agent, user=p.customer)
    assert (p.refresh().requester, p.ticket.requester_email) == (p.customer, p.customer.email)
    assert p.ticket.requester_folded == fold(f"{p.customer.name}\n{p.customer.email}")
    with pytest.raises(GuardFailed):
        link_account(p.ticket, actor=p.agent, user=p.stranger)


WAYS_TO_SET = {
    "link_account": lambda p, user: link_account(p.ticket, actor=p.agent, user=user),
    "seleccionar_cuenta": lambda p, user: p.do(p.agent, "seleccionar_cuenta", requester=user.email),
    "claim": lambda p, user: claim_guest_tickets(user, verified_email="sin.cuenta@example.com"),
}


@pytest.mark.demand("S2.26")
@pytest.mark.parametrize("way", WAYS_TO_SET)
def test_every_way_to_set_requester_copies_details(play, way):
    p = play(S2, filed_by="staff")
    WAYS_TO_SET[way](p, p.customer)
    p.refresh()
    assert (p.ticket.requester, p.ticket.requester_name, p.ticket.requester_email) == (
        p.customer, p.customer.name, p.customer.email,
    )  # fmt: skip


def test_claim_takes_only_tickets_of_that_address(play):
    p, other = play(S0, filed_by="guest"), play(S0, filed_by="guest")
    Ticket.objects.filter(pk=other.ticket.pk).update(requester_email="otra@example.com")
    user = make_user(email="invitada@example.com")
    assert claim_guest_tickets(user, verified_email="INVITADA@example.com") == 1
    assert (p.refresh().requester, other.refresh().requester) == (user, None)
    assert claim_guest_tickets(user, verified_email=user.email) == 0
    assert list(Ticket.objects.visible_to(user)) == [p.ticket]


def test_staff_do_not_become_the_requester_of_another_persons_ticket(ticket):
    """An agent linked a guest's ticket to their own account, and approved their own solution as its requester."""
    agent, own = make_agent(), ("ines@example.com", "Inés")
    with pytest.raises(GuardFailed, match="No puedes quedar como solicitante"):
        link_account(ticket, actor=agent, user=agent)
    with pytest.raises(GuardFailed, match="No puedes quedar como solicitante"):
        perform(ticket, "seleccionar_cuenta", actor=agent, data={"requester": agent.email})
    ticket.refresh_from_db()
    assert (ticket.requester, ticket.requester_email, ticket.requester_name) == (None, *own)

    User.objects.filter(pk=agent.pk).update(email="ines@example.com")
    agent.refresh_from_db()
    assert link_account(ticket, actor=agent, user=agent).requester == agent, "the ticket was theirs"
