"""Clock arithmetic: pure functions that pages, jobs and reports share (DESIGN §4).

All moments are aware datetimes in UTC. A `Calendar` decides which time counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from .calendars import ELAPSED, Calendar

FAR_FUTURE = datetime(9999, 1, 1, tzinfo=UTC)
PAUSED = datetime(5000, 1, 1, tzinfo=UTC)
"""Where `Ticket.due_order` begins for paused tickets: it is this date plus the time they have left."""


@dataclass(frozen=True, order=True)
class Interval:
    """A pause from `start` up to but not including `end`. Without an end it lasts until now."""

    start: datetime
    end: datetime | None

    def ends_by(self, now: datetime) -> datetime:
        return now if self.end is None else min(self.end, now)


@dataclass(frozen=True)
class Stretch:
    """A stretch of time that «¿por qué esta fecha?» lists, and whether it counted, was paused or fell
    into closed hours. `reason` names the holiday or closure that closed it."""

    start: datetime
    end: datetime
    kind: Literal["counted", "paused", "closed"]
    reason: str = ""

    @property
    def counts(self) -> bool:
        return self.kind == "counted"


def merged(pauses: Iterable[Interval], *, start: datetime, now: datetime) -> list[Interval]:
    """Return the pauses clipped to [start, now], in order, with overlapping ones joined."""
    result: list[Interval] = []
    for pause in sorted(pauses, key=lambda interval: interval.start):
        begin, end = max(pause.start, start), pause.ends_by(now)
        if end <= begin:
            continue
        if result and begin <= result[-1].end:  # type: ignore[operator]  # clipped intervals always end
            result[-1] = Interval(result[-1].start, max(result[-1].end, end))  # type: ignore[type-var]
        else:
            result.append(Interval(begin, end))
    return result


def due_at(
    *,
    start: datetime,
    target: timedelta,
    pauses: Sequence[Interval] = (),
    now: datetime,
    calendar: Calendar = ELAPSED,
) -> datetime:
    """Return the moment at which `target` of counting time has passed since `start`, not counting the pauses.

    A pause that began after that moment does not move it: a breached due date stays breached.
    """
    cursor, left = calendar.begins(start), target
    for pause in merged(pauses, start=cursor, now=now):
        run = calendar.between(cursor, pause.start)
        if run >= left:
            break
        left -= run
        cursor = pause.end or now
    return calendar.add(cursor, left)


def has_run_out(
    due: datetime, *, now: datetime, paused_at: datetime | None = None, stopped_at: datetime | None = None
) -> bool:
    """Whether a clock's time was over when it was stopped or paused; for a running clock, whether it is over `now`.

    At the very instant of the due date it is over. `models.clock.UNRECORDED_BREACH` says the same to the database.
    """
    return due <= _judged_at(now, paused_at, stopped_at)


def _judged_at(now: datetime, *ends: datetime | None) -> datetime:
    return min([now, *(moment for moment in ends if moment is not None)])


def elapsed(
    *, start: datetime, pauses: Sequence[Interval] = (), now: datetime, calendar: Calendar = ELAPSED
) -> timedelta:
    """Return how much time has counted from `start` to `now`."""
    begin = calendar.begins(start)
    paused = (
        calendar.between(pause.start, pause.ends_by(now)) for pause in merged(pauses, start=begin, now=now)
    )
    return calendar.between(begin, now) - sum(paused, timedelta())


def target_for(
    *,
    start: datetime,
    due: datetime,
    pauses: Sequence[Interval] = (),
    now: datetime,
    calendar: Calendar = ELAPSED,
) -> timedelta:
    """Return the target for which `due_at` returns `due`, so that a date set by a person becomes a target (S2.3)."""
    return elapsed(start=start, pauses=pauses, now=now, calendar=calendar) + calendar.between(now, due)


AT_RISK = 0.3  # a clock with at most this fraction of its time left is at risk


@dataclass(frozen=True)
class ClockStatus:
    """The state of a clock at one moment. `left` is the time on the wall until the due date or, if that has passed,
    since it; of a paused clock, the counting time that it will still have."""

    state: Literal["ok", "risk", "breached", "paused", "met", "missed"]
    left: timedelta
    fraction: float
    """The part of the promised time that is left, from 0 to 1."""

    @property
    def percent(self) -> int:
        return round(100 * self.fraction)


def status(
    *,
    due: datetime,
    target: timedelta,
    now: datetime,
    paused_at: datetime | None = None,
    stopped_at: datetime | None = None,
    calendar: Calendar = ELAPSED,
) -> ClockStatus:
    """Return the status of a clock with these dates.

    A paused or stopped clock is judged at the moment of the pause or stop, so that the delay of an overdue one does not
    grow while it waits (LESSONS A12).
    """
    judged_at = _judged_at(now, paused_at, stopped_at)
    # Where the first day does not count, more than the target lies ahead of it.
    left, counting = due - judged_at, min(calendar.between(judged_at, due), target)
    late = has_run_out(due, now=now, paused_at=paused_at, stopped_at=stopped_at)
    fraction = counting / target if target else 0.0
    if stopped_at is not None:
        return ClockStatus("missed" if late else "met", abs(left), fraction)
    if late:
        return ClockStatus("breached", -left, 0.0)
    if paused_at is not None:
        return ClockStatus("paused", counting, fraction)
    return ClockStatus("risk" if fraction <= AT_RISK else "ok", left, fraction)


def explain(
    *, start: datetime, pauses: Sequence[Interval] = (), now: datetime, calendar: Calendar = ELAPSED
) -> list[Stretch]:
    """Return the time from `start` to `now`, cut into stretches that counted, were paused or were closed.

    A pause is one stretch, whatever hours it covers.
    """
    cursor = min(calendar.begins(start), now)
    result = [Stretch(start, cursor, "closed")] if start < cursor else []
    for pause in merged(pauses, start=cursor, now=now):
        end = pause.ends_by(now)
        result += _open_and_closed(calendar, cursor, pause.start)
        result.append(Stretch(pause.start, end, "paused"))
        cursor = end
    return result + _open_and_closed(calendar, cursor, now)


def _open_and_closed(calendar: Calendar, start: datetime, end: datetime) -> list[Stretch]:
    return [
        Stretch(part.start, part.end, "counted" if part.is_open else "closed", part.reason)
        for part in calendar.parts(start, end)
    ]
