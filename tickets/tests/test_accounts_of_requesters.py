"""Accounts that staff create for requesters."""

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
from tickets.enums import EventKind, Template
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.models import Ticket
from tickets.requesters.accounts import create_account
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


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
