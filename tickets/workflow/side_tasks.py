"""Verbs for side tasks: ask another department for work on a ticket, take it, finish it, withdraw it (S0.20).

The ticket keeps its stage, its assignee and its clocks meanwhile. Each verb records an internal event, so the requester
learns nothing of it, and tells those whom it concerns by mail.
"""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Department, User
from content.errors import InvalidData
from content.text import TextTooLong, clean_line, clean_text

from .. import policies
from ..actors import Actor, user_of
from ..definitions.definition import Action
from ..enums import EventKind, Template
from ..exceptions import GuardFailed, NotAllowed
from ..models import SideTask, Ticket
from ..record.events import already_recorded, record
from ..record.locking import locked

MOST_OPEN = 20
"""Open tasks of one ticket."""
TITLE_LENGTH = 120


def other_teams(ticket: Ticket) -> QuerySet[Department]:
    """Return the departments that can be asked for a side task of this ticket: not its own, and with staff."""
    staff = User.objects.staff().filter(memberships__department=OuterRef("pk"))
    others = Department.objects.filter(Exists(staff), is_active=True)
    return others.exclude(pk=ticket.department_id) if ticket.department_id else others


@transaction.atomic
def ask(
    ticket: Ticket,
    *,
    actor: User,
    department: Department,
    title: str,
    details: str = "",
    key: str | None = None,
) -> SideTask:
    """Ask another department for a task, tell those in charge of it, and return the task. Its members see the ticket
    until the task ends.

    Raises `NotAllowed`, `GuardFailed` for a closed ticket or one with `MOST_OPEN` open tasks, and `InvalidData` for the
    ticket's own department, one in which nobody works, or a title or details that are missing or too long.
    """
    ticket = locked(ticket)
    if earlier := already_recorded(key, actor=actor, act=EventKind.TASK_ASKED, ticket=ticket):
        return SideTask.objects.get(pk=earlier.data["task"])
    if not policies.can_ask_side_task(actor, ticket):
        raise NotAllowed
    if not ticket.is_open:
        raise GuardFailed(_("El ticket está cerrado: reábrelo antes de pedir una tarea."))
    if (ticket.open_tasks or 0) >= MOST_OPEN:
        raise GuardFailed(_("El ticket ya tiene %(n)d tareas sin terminar.") % {"n": MOST_OPEN})
    _require_another_team(department, ticket)
    task = SideTask.objects.create(
        ticket=ticket,
        department=department,
        title=_cleaned_title(title),
        details=_cleaned(details, field="details"),
        asked_by=actor,
        asked_at=timezone.now(),
    )
    _record(
        task,
        ticket,
        EventKind.TASK_ASKED,
        actor,
        key=key,
        notify=[(f"department:{department.key}", Template.TASK_ASKED)],
    )
    return task


@transaction.atomic
def take(task: SideTask, *, actor: User, key: str | None = None) -> SideTask:
    """Make the actor the task's assignee, in the place of whoever had it. Raises `NotAllowed` or `GuardFailed`."""
    ticket, task = _locked(task)
    key = _key_of(task, key)
    if already_recorded(key, actor=actor, act=EventKind.TASK_TAKEN, ticket=ticket):
        return task
    _require_open(task, may=policies.can_do_side_task(actor, task))
    if task.assignee_id == actor.pk:
        return task
    task.assignee = actor
    task.save(update_fields=["assignee"])
    _record(task, ticket, EventKind.TASK_TAKEN, actor, key=key)
    return task


@transaction.atomic
def finish(task: SideTask, *, actor: User, result: str, key: str | None = None) -> SideTask:
    """End the task with what was done, and tell who asked for it and the ticket's assignee, or without one those in
    charge of the ticket. Returns the task.

    Raises `NotAllowed`, `GuardFailed` if the task has ended, or `InvalidData` without a result.
    """
    ticket, task = _locked(task)
    key = _key_of(task, key)
    if already_recorded(key, actor=actor, act=EventKind.TASK_DONE, ticket=ticket):
        return task
    _require_open(task, may=policies.can_do_side_task(actor, task))
    task.result = _cleaned(result, field="result")
    if not task.result:
        raise InvalidData({"result": [_("Cuenta qué hiciste o qué encontraste.")]})
    task.assignee = task.assignee or actor
    _end(task, actor)
    told = [(f"user:{task.asked_by.email}", Template.TASK_DONE)]
    if ticket.assignee_id != task.asked_by_id:
        told.append(("assignee", Template.TASK_DONE))
    _record(task, ticket, EventKind.TASK_DONE, actor, key=key, notify=told)
    return task


@transaction.atomic
def withdraw(task: SideTask, *, actor: User, key: str | None = None) -> SideTask:
    """End the task without a result, because it is no longer needed. Whoever had taken it is told. Returns the task.

    Raises `NotAllowed` or, if the task has ended, `GuardFailed`.
    """
    ticket, task = _locked(task)
    key = _key_of(task, key)
    if already_recorded(key, actor=actor, act=EventKind.TASK_WITHDRAWN, ticket=ticket):
        return task
    _require_open(task, may=policies.can_withdraw_side_task(actor, task))
    _end(task, actor)
    _record(task, ticket, EventKind.TASK_WITHDRAWN, actor, key=key, notify=_who_had_taken(task))
    return task


def withdrawn_by(action: Action, ticket: Ticket) -> int:
    """Return how many open tasks the action would withdraw, because it closes the ticket."""
    return (ticket.open_tasks or 0) if action.to and ticket.definition.stage(action.to).is_end else 0


def withdraw_all(ticket: Ticket, *, actor: Actor) -> None:
    """Withdraw the open tasks of the locked ticket, because the actor has closed it. Whoever had taken one is told."""
    if not ticket.open_tasks:
        return
    for task in ticket.side_tasks.open().select_related("assignee").order_by("pk"):
        _end(task, actor)
        told = _who_had_taken(task)
        _record(task, ticket, EventKind.TASK_WITHDRAWN, actor, notify=told, by_closing=True)


def _who_had_taken(task: SideTask) -> list[tuple[str, str]]:
    """Return the mail for the task's assignee. In the place of one who left the desk nobody is told."""
    if task.assignee is None or not task.assignee.is_active_staff:
        return []
    return [(f"user:{task.assignee.email}", Template.TASK_WITHDRAWN)]


def _locked(task: SideTask) -> tuple[Ticket, SideTask]:
    """Return the locked ticket, and the task as it is now."""
    ticket = locked(task.ticket)
    return ticket, SideTask.objects.select_related("department", "asked_by", "assignee").get(pk=task.pk)


def _key_of(task: SideTask, key: str | None) -> str | None:
    """Return the form's key for this task alone: a ticket may have several with the same form."""
    return f"{task.pk} {key}" if key else None


def _require_another_team(department: Department, ticket: Ticket) -> None:
    if department.pk == ticket.department_id:
        raise InvalidData({"department": [_("El ticket ya es de ese equipo: elige otro.")]})
    if not other_teams(ticket).filter(pk=department.pk).exists():
        raise InvalidData({"department": [_("Nadie atiende en ese equipo: elige otro.")]})


def _require_open(task: SideTask, *, may: bool) -> None:
    if not may:
        raise NotAllowed
    if not task.is_open:
        raise GuardFailed(_("Esta tarea ya terminó."))


def _end(task: SideTask, actor: Actor) -> None:
    task.ended_at, task.ended_by = timezone.now(), user_of(actor)
    task.save(update_fields=["ended_at", "ended_by", "result", "assignee"])


def _record(
    task: SideTask, ticket: Ticket, kind: EventKind, actor: Actor, *, by_closing: bool = False, **details: Any
) -> None:
    ticket.open_tasks = ticket.side_tasks.open().count()
    told: dict[str, Any] = {"task": task.pk, "title": task.title, "department": task.department_id}
    if by_closing:
        told["by_closing"] = True
    record(ticket, kind, actor=actor, public=False, data=told, **details)


def _cleaned_title(text: str) -> str:
    try:
        title = clean_line(text, max_length=TITLE_LENGTH)
    except TextTooLong as error:
        raise InvalidData({"title": [str(error)]}) from error
    if not title:
        raise InvalidData({"title": [_("Di qué hay que hacer.")]})
    return title


def _cleaned(text: str, *, field: str) -> str:
    try:
        return clean_text(text)
    except TextTooLong as error:
        raise InvalidData({field: [str(error)]}) from error
