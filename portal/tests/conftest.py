from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent, make_supervisor, make_user
from tickets.models import Process, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.playing import review
from tickets.workflow.perform import perform

from .factories import SOLUTION, make_guest_process, signed_in, working


@pytest.fixture
def customer(db: None) -> User:
    return make_user(name="Lucía Fernández", email="lucia@example.com")


@pytest.fixture
def stranger(db: None) -> User:
    return make_user(name="Otra Persona", email="otra@example.com")


@pytest.fixture
def supervisor(db: None) -> User:
    return make_supervisor()


@pytest.fixture
def agent(db: None) -> User:
    return make_agent(name="Diego Salazar")


@pytest.fixture
def customer_client(customer: User) -> Client:
    return signed_in(customer)


@pytest.fixture
def process(db: None) -> Process:
    """The process of S2: it needs an account, and the requester approves the closing."""
    return make_process()


@pytest.fixture
def guest_process(db: None) -> Process:
    """A process for guests, with its own questions."""
    return make_guest_process()


@pytest.fixture
def ticket(process: Process, customer: User) -> Ticket:
    return make_ticket(
        process, requester=customer, title="La cámara no lee placas", description="Desde el sábado."
    )


@pytest.fixture
def in_work(ticket: Ticket, agent: User, supervisor: User) -> Ticket:
    return working(ticket, agent=agent, supervisor=supervisor)


@pytest.fixture
def to_approve(to_review: Ticket, supervisor: User) -> Ticket:
    """A ticket that waits for its approval, with a complete closing checklist: approving closes it."""
    review(to_review, by=supervisor)
    to_review.refresh_from_db()
    return to_review


@pytest.fixture
def to_review(in_work: Ticket, agent: User) -> Ticket:
    """A ticket that waits for its approval while nobody has reviewed it: approving does not close it yet."""
    return perform(in_work, "pedir_aprobacion", actor=agent, data=SOLUTION)


@pytest.fixture
def one_instant() -> Iterator[None]:
    """Stop the clock, so that a rate limit's window does not end in the middle of a test."""
    with time_machine.travel(timezone.now(), tick=False):
        yield
