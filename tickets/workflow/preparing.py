"""Find the action that prepares a ticket («Preparar», S2.3) in any process: by what it asks, not by its name."""

from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef, Q

from accounts.models import User

from .. import policies
from ..calendars import Target
from ..clocks import Policy
from ..definitions.definition import Action
from ..enums import EARLY_KINDS, ClockKind, Severity
from ..models import Process, ProcessVersion, Ticket

CHOSEN = frozenset({"due_at", "severity", "difficulty"})


def asks_as_preparation(action: Action) -> bool:
    """Whether people click the action, and it asks for the assignee and at least one of `CHOSEN`."""
    asked = {ask.field for ask in action.asks}
    return not action.on and "assignee" in asked and not asked.isdisjoint(CHOSEN)


def is_preparation(action: Action, ticket: Ticket) -> bool:
    """Whether the action prepares this ticket now: work on it has not begun, and `asks_as_preparation` is true."""
    return ticket.kind in EARLY_KINDS and asks_as_preparation(action)


def may_prepare(user: User) -> bool:
    """Whether a process in force could let this staff member prepare some ticket.

    Always true for supervisors and administrators. For one ticket use `preparation_of`.
    """
    in_force = Process.objects.filter(is_active=True, current__isnull=False).order_by()
    return user.is_supervisor or any(
        policies.could_include(who if who.kind != "owner" else stage.owner, user)
        for process in map(ProcessVersion.objects.definition, in_force.values_list("current", flat=True))
        for stage in process.stages
        if stage.kind in EARLY_KINDS
        for action in process.actions_from(stage.key)
        if asks_as_preparation(action)
        for who in action.by
    )


def prepared_by(user: User) -> Q:
    """Return the condition on the tickets that this staff member prepares, of those that they may see.

    They are in a stage from which a preparing action leads that the person may perform. The action's `when` is not
    asked: a ticket whose conditions do not hold yet waits to be prepared too.
    """
    early = Ticket.objects.to_prepare().filter(process_version=OuterRef("pk"))
    tickets = Q(pk__in=[])
    for version in ProcessVersion.objects.filter(Exists(early)).order_by().values_list("pk", flat=True):
        process = ProcessVersion.objects.definition(version)
        for stage in process.stages:
            actions = process.actions_from(stage.key) if stage.kind in EARLY_KINDS else []
            people = [who for action in actions if asks_as_preparation(action) for who in action.by]
            found = [policies.tickets_for(who, user, stage=stage, process=process) for who in people]
            here = Q(process_version=version, stage=stage.key)
            if True in found:
                tickets |= here
            elif parts := [part for part in found if isinstance(part, Q)]:
                tickets |= here & reduce(or_, parts)
    return tickets


def is_prepared_by(user: User, ticket: Ticket) -> bool:
    """Whether the ticket is one of those of `prepared_by`."""
    actions = ticket.definition.actions_from(ticket.stage)
    return any(is_preparation(each, ticket) and policies.may_perform(user, ticket, each) for each in actions)


def preparation_of(ticket: Ticket, *, user: User) -> Action | None:
    """Return the action with which this user may prepare the ticket now, or None."""
    actions = policies.available_actions(ticket, actor=user)
    return next((action for action in actions if is_preparation(action, ticket)), None)


def targets_by_severity(ticket: Ticket) -> dict[str, Target | None]:
    """Return, for each severity, the ticket's first response target, or else its resolution target (S0.19)."""
    policy = Policy(ticket)
    return {
        severity: policy.target(ClockKind.FIRST_RESPONSE, severity=severity)
        or policy.target(ClockKind.RESOLUTION, severity=severity)
        for severity in Severity.values
    }
