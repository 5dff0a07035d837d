"""«Preparar» (S2.3): recognised by what it asks, in any process, never by its name."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, QuerySet

from accounts.models import User
from tickets import policies, queues
from tickets.definitions.definition import Action, Definition
from tickets.enums import EARLY_KINDS, Severity
from tickets.models import ProcessVersion, Ticket

CHOSEN = frozenset({"due_at", "severity", "difficulty"})


def asks_as_preparation(action: Action) -> bool:
    """Whether the action settles who, and how much it matters or until when."""
    asked = {ask.field for ask in action.asks}
    return not action.on and "assignee" in asked and not asked.isdisjoint(CHOSEN)


def is_preparation(action: Action, ticket: Ticket) -> bool:
    """Whether the action prepares the ticket now, before the work begins."""
    return ticket.kind in EARLY_KINDS and asks_as_preparation(action)


def prepares_in(definition: Definition) -> list[str]:
    """The stages of the process in which somebody prepares."""
    return [
        stage.key
        for stage in definition.stages
        if stage.kind in EARLY_KINDS and any(map(asks_as_preparation, definition.actions_from(stage.key)))
    ]


def may_prepare(user: User) -> bool:
    """Whether a process in force leaves preparing to people like this one; each ticket then says for itself."""
    in_force = ProcessVersion.objects.filter(process__current=F("pk"), process__is_active=True).order_by()
    return user.is_supervisor or any(
        policies.may_be_meant(who if who.kind != "owner" else stage.owner, user)
        for version in in_force
        for stage in version.definition.stages
        if stage.kind in EARLY_KINDS
        for action in version.definition.actions_from(stage.key)
        if asks_as_preparation(action)
        for who in action.by
    )


def preparation_of(ticket: Ticket, *, user: User) -> Action | None:
    actions = policies.available_actions(ticket, actor=user)
    return next((action for action in actions if is_preparation(action, ticket)), None)


@dataclass(frozen=True)
class Colleague:
    """Somebody who can be given the ticket, with what they already carry."""

    user: User
    load: int
    departments: str
    is_of_department: bool


def colleagues(ticket: Ticket, department_id: int | None) -> list[Colleague]:
    """The desk's people, those of the department first, then whoever carries less. Three queries."""
    people = list(User.objects.staff().prefetch_related("departments"))
    load = queues.load(people)
    found = [
        Colleague(
            person,
            load.get(person.pk, 0),
            ", ".join(str(department) for department in person.departments.all()),
            any(department.pk == department_id for department in person.departments.all()),
        )
        for person in people
    ]
    return sorted(found, key=lambda item: (not item.is_of_department, item.load, item.user.name))


def targets(ticket: Ticket) -> dict[str, timedelta | None]:
    """What each severity promises as a first answer (S0.19)."""
    definition, case_kind = ticket.definition, ticket.case_kind
    return {
        severity: definition.first_response_target(severity=severity, case_kind=case_kind)
        or definition.resolution_target(severity=severity, case_kind=case_kind)
        for severity in Severity.values
    }


def siblings(ticket: Ticket, *, user: User) -> "QuerySet[Ticket]":
    """The same requester's other open tickets, where a duplicate would be (S2.40)."""
    open_tickets = Ticket.objects.visible_to(user).open().exclude(pk=ticket.pk)
    if ticket.requester_id is not None:
        same = open_tickets.filter(requester=ticket.requester_id)
    else:
        same = open_tickets.filter(requester=None, requester_email=ticket.requester_email)
    return same.order_by("-created_at", "-id")
