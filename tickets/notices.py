"""When a running clock asks for a notice: a warning before it runs out, or a message about the progress (S0.21).

`arm` computes the moment whenever a clock gets another due date. A pause only makes it later, so pauses leave it alone
and the sweep, which computes it again, waits.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings

from . import sla
from .calendars import WorkingHours, hours_between, zone_named
from .enums import ClockKind, TargetUnit
from .models import CalendarVersion, Clock, Ticket
from .promises import policy_of

IN_A_ROW = 3
"""How many automatic messages a ticket gets until a person writes."""
DAYTIME = ("08:00", "20:00")
"""When automatic messages may leave for tickets whose time no calendar counts, in the desk's zone."""
DAY_UNITS = frozenset({TargetUnit.WORKING_DAYS, TargetUnit.CALENDAR_DAYS, TargetUnit.ROLLED_DAYS})


def arm(
    clock: Clock, ticket: Ticket, pauses: Sequence[sla.Interval], *, now: datetime, anew: bool = False
) -> None:
    """Set the clock's `warn_at`. The caller saves it. With `anew`, a changed due date, the warnings are given again."""
    if anew and clock.kind != ClockKind.PROGRESS:
        clock.warned = 0
    clock.warn_at = next_notice(clock, ticket, pauses, now=now)


def next_notice(
    clock: Clock, ticket: Ticket, pauses: Sequence[sla.Interval], *, now: datetime
) -> datetime | None:
    """Return when the clock asks for its next notice; None if it asks for none any more."""
    if clock.kind == ClockKind.PROGRESS:
        return talking_time(clock, clock.due_at) if clock.warned < IN_A_ROW else None
    for number, percent in enumerate(thresholds(ticket), start=1):
        if number > clock.warned and percent:
            return opening_time(clock, _used_up(clock, percent, pauses, now=now))
    return None


def thresholds(ticket: Ticket) -> tuple[int, int]:
    """Return the percentages of the used time at which the assignee and the managers are warned."""
    targets, _version = policy_of(ticket)
    return targets.warn_assignee, targets.warn_managers


def _used_up(clock: Clock, percent: int, pauses: Sequence[sla.Interval], *, now: datetime) -> datetime:
    """Return when `percent` of the target is used up; of a target in days, whole days."""
    part = clock.target * percent / 100
    if clock.unit in DAY_UNITS:
        part = timedelta(days=part.days)
    used_up = sla.due_at(start=clock.started_at, target=part, pauses=pauses, now=now, calendar=clock.counting)
    return min(used_up, clock.due_at)


def opening_time(clock: Clock, moment: datetime) -> datetime:
    """Return `moment`, or when the clock's calendar opens next. Elapsed time is always open."""
    return CalendarVersion.objects.counting(clock.calendar_version_id, TargetUnit.WORKING).next_open(moment)


def talking_time(clock: Clock, moment: datetime) -> datetime:
    """Return `moment`, or the next one at which an automatic message may leave: in the opening hours of the clock's
    calendar or, without one, between 8 and 20 in the desk's zone."""
    if clock.calendar_version_id is not None:
        return opening_time(clock, moment)
    return _daytime(settings.DESK_TIME_ZONE).next_open(moment)


@cache
def _daytime(zone: str) -> WorkingHours:
    return WorkingHours(zone_named(zone), [hours_between(DAYTIME)] * 7)
