"""Factories for processes and tickets, which publish and file them with the product's own verbs."""

from typing import Any

from accounts.models import Department, User
from accounts.tests.factories import DEPARTMENTS, make_user
from tickets import clocks
from tickets.definitions.loading import library
from tickets.models import Category, Process, Ticket
from tickets.workflow.intake import Requester, file_ticket
from tickets.workflow.publishing import publish


def make_process(key: str = "soporte-con-aprobacion") -> Process:
    """Publish a process of the library, if it is not published yet, and return it."""
    Department.objects.bulk_create(
        [Department(key=key, name=name) for key, name in DEPARTMENTS.items()], ignore_conflicts=True
    )
    return publish(library()[key]).process


def set_clock(ticket: Ticket, kind: str = "resolution", **values: Any) -> Ticket:
    """Change the columns of one clock of the ticket, such as `due_at`, as if a verb had done so. Returns the ticket."""
    ticket.clocks.filter(kind=kind).update(**values)
    every = list(ticket.clocks.all())
    due = {clock.kind: clock.due_at for clock in every}
    Ticket.objects.filter(pk=ticket.pk).update(
        due_at=due.get("resolution"),
        first_response_due_at=due.get("first_response"),
        due_order=clocks.due_order(every),
        is_paused=any(clock.paused_at and not clock.stopped_at for clock in every),
    )
    ticket.refresh_from_db()
    return ticket


def make_ticket(
    process: Process | None = None,
    *,
    requester: User | None = None,
    guest_email: str = "",
    category: Category | str | None = None,
    **fields: Any,
) -> Ticket:
    """File a ticket as `requester` (a new customer by default), or as a guest when `guest_email` is given."""
    process = process or make_process()
    if isinstance(category, str):
        category = process.categories.get(key=category)
    elif category is None:
        category = process.categories.first()
    actor = None if guest_email else (requester or make_user())
    defaults = {"title": "No puedo entrar a la plataforma", "description": "Me sale «Error 500» al entrar."}
    return file_ticket(
        process,
        actor=actor,
        category=category,
        requester=Requester(email=guest_email, name="Invitada") if guest_email else None,
        **{**defaults, **fields},
    )
