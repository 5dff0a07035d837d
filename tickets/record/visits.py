"""Write the stays of a ticket in its stages, and sum how long the desk worked on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from ..calendars import Calendar as Counting
from ..definitions.definition import Stage
from ..enums import REQUESTER_KINDS, StageKind, TargetUnit, WaitedFor
from ..models import Calendar, CalendarVersion, StageVisit, Ticket
from ..promises import policy_of
from .paths import path_of


@dataclass(frozen=True)
class Stay:
    """Where a ticket has been before an action moved it, and whose it was there."""

    stage: Stage
    since: datetime
    assignee: int | None
    department: int | None
    department_key: str


def stay_of(ticket: Ticket) -> Stay:
    """Return the stay that lasts, of a ticket whose department is loaded."""
    department = ticket.department
    return Stay(
        ticket.stage_definition,
        ticket.stage_since,
        ticket.assignee_id,
        ticket.department_id,
        department.key if department else "",
    )


def record_visit(ticket: Ticket, stay: Stay, *, action: str, left_by: int | None, at: datetime) -> StageVisit:
    """Save the stay that has ended `at`, of the locked ticket, which is in its next stage already.

    Sets `resolution_seconds` and `path` if that is an end, and clears them if it is not. Four queries at most, and one
    more for an end.
    """
    version = working_calendar(ticket)
    visit = visit_of(
        ticket,
        stay,
        number=ticket.visits.filter(stage=stay.stage.key).count() + 1,
        action=action,
        next_stage=ticket.stage,
        left_by=left_by,
        at=at,
        calendar_version=version,
    )
    visit.save(force_insert=True)
    ticket.resolution_seconds, ticket.path = None, ""
    if ticket.stage_definition.is_end:
        visits = ticket.visits.order_by("left_at", "id")
        ticket.resolution_seconds, ticket.path = end_of(ticket, list(visits))
    return visit


def end_of(ticket: Ticket, visits: Sequence[StageVisit]) -> tuple[int, str]:
    """Return the seconds of work and the path of a ticket that is in an end, from all stays before it in order."""
    seconds = sum(visit.working_seconds for visit in visits if visit.is_counted)
    return seconds, path_of([*(visit.stage for visit in visits), ticket.stage])


def visit_of(
    ticket: Ticket,
    stay: Stay,
    *,
    number: int,
    action: str,
    next_stage: str,
    left_by: int | None,
    at: datetime,
    calendar_version: int | None,
) -> StageVisit:
    """Return the row of a stay that has ended `at`, not saved yet."""
    counting, left_at = _counting(calendar_version), max(at, stay.since)  # clocks of two servers may differ
    return StageVisit(
        ticket_id=ticket.pk,
        process_version_id=ticket.process_version_id,
        stage=stay.stage.key,
        number=number,
        waited_for=waited_for(stay.stage, department_key=stay.department_key),
        is_counted=stay.stage.clock == "runs",
        entered_at=stay.since,
        left_at=left_at,
        action=action,
        next_stage=next_stage,
        left_by_id=left_by,
        assignee_id=stay.assignee,
        department_id=stay.department,
        calendar_version_id=calendar_version,
        working_seconds=int(counting.between(stay.since, left_at).total_seconds()),
        elapsed_seconds=int((left_at - stay.since).total_seconds()),
    )


def waited_for(stage: Stage, *, department_key: str) -> WaitedFor:
    """Return who had to act in the stage, while the ticket was in the department of that key.

    Another team is one that the stage waits for by its kind, or a department that owns the stage and is not the
    ticket's.
    """
    if stage.is_end:
        return WaitedFor.NOBODY
    if stage.kind in REQUESTER_KINDS:
        return WaitedFor.REQUESTER
    is_elsewhere = stage.owner.kind == "department" and stage.owner.name not in ("", department_key)
    if stage.kind == StageKind.WAITING_INTERNAL or is_elsewhere:
        return WaitedFor.OTHER_TEAM
    return WaitedFor.DESK


def worked(ticket: Ticket, *, until: datetime) -> int:
    """Return the seconds of opening hours that the ticket has spent in stages whose clock runs, up to `until`, which
    lies in the stay that lasts. One query, and those of the calendar if the clock runs now."""
    finished = ticket.visits.filter(is_counted=True).aggregate(total=Sum("working_seconds"))["total"] or 0
    if ticket.stage_definition.clock != "runs":
        return int(finished)
    lasting = _counting(working_calendar(ticket)).between(ticket.stage_since, until)
    return int(finished + max(lasting.total_seconds(), 0))


def working_calendar(ticket: Ticket) -> int | None:
    """Return the id of the version of the calendar by which the ticket's process works now; None if it names none. Two
    queries at most."""
    key = policy_of(ticket)[0].calendar
    if not key:
        return None
    current = Calendar.objects.filter(key=key, current__isnull=False).values_list("current", flat=True)
    return next(iter(current), None)


def _counting(version: int | None) -> Counting:
    return CalendarVersion.objects.counting(version, TargetUnit.WORKING)
