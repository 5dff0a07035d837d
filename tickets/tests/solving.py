"""Solve tickets with the verbs of «Soporte con aprobación de cierre», for tests about solved tickets."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_department, make_supervisor, make_user
from tickets.models import Ticket
from tickets.workflow.conversation import add_internal_note
from tickets.workflow.perform import perform

from .factories import make_process, make_ticket
from .playing import review


def make_solved(
    title: str,
    *,
    done: str = "Corregimos el acceso.",
    steps: str = "",
    approved: bool = True,
    requester: User | None = None,
    department: str = "soporte-tecnico",
    severity: str = "high",
    assignee: User | None = None,
    note: str = "",
    **fields: Any,
) -> Ticket:
    """File a ticket, prepare, solve, review and close it: with the approval of its requester, or without, by who
    reviewed it. `note` becomes an internal note."""
    customer = requester or make_user(name="Julián Torres")
    ticket = make_ticket(make_process(), requester=customer, title=title, **fields)
    supervisor = make_supervisor()
    answers = {
        "severity": severity,
        "department": make_department(department),
        "difficulty": 2,
        "assignee": assignee or supervisor,
        "due_at": timezone.now() + timedelta(days=3),
        "standing": "active",
        "contribution_open": False,
    }
    perform(ticket, "preparar", actor=supervisor, data=answers)
    if note:
        add_internal_note(ticket, actor=supervisor, body=note)
    solution = {"solution_done": done, "solution_steps": steps}
    perform(ticket, "pedir_aprobacion", actor=supervisor, data=solution)
    reviewer = make_supervisor()
    review(ticket, by=reviewer)
    if approved:
        perform(ticket, "aprobar", actor=customer)
    else:
        perform(ticket, "cerrar", actor=reviewer)
    ticket.refresh_from_db()
    return ticket
