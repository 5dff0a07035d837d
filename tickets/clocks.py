"""Change the clocks of a ticket with the arithmetic of `sla`, and copy their due dates to the ticket's own columns.

Functions that change something need a locked ticket inside a verb's transaction; the verb saves the ticket.

The nearest promise is the clock that runs out first of those that have not stopped (DESIGN §4). Wherever one time is
shown or sorted by, it is that one: `nearest` finds it, and `Ticket.due_order` holds its place in the lists.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol, TypeVar

from django.db.models import Subquery

from . import notices, sla
from .calendars import Calendar as CountingCalendar
from .calendars import Target
from .definitions.definition import Stage, Targets
from .enums import ClockKind, TargetUnit
from .models import Calendar, CalendarVersion, Clock, Pause, Ticket
from .promises import policy_of
from .record.visits import worked


def promised(ticket: Ticket, *, now: datetime) -> list[Clock]:
    """Return the clocks that the process promises, running from `now`, for a ticket that is being filed (S0.19, S2.33,
    S2.34). Neither they nor the ticket, to which their due dates are copied, are saved yet."""
    policy = Policy(ticket)
    clocks = []
    for kind in ClockKind:
        if kind == ClockKind.NEXT_REPLY:
            continue  # begins with the first message that the first response does not answer
        if target := policy.target(kind):
            clock = Clock(ticket=ticket, kind=kind, started_at=now)
            policy.promise(clock, target)
            clock.due_at = sla.due_at(start=now, target=clock.target, now=now, calendar=clock.counting)
            notices.arm(clock, ticket, [], now=now)
            clocks.append(clock)
    copy_due_dates(ticket, clocks)
    return clocks


class Policy:
    """What a ticket is promised now: the targets in force, what its special targets look at, and the calendar that
    counts. Takes one query, and one for the calendar if a target needs it."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.targets, self.version = policy_of(ticket)

    def target(self, kind: str, *, severity: str = "", case_kind: str = "") -> Target | None:
        """Return what is promised to a ticket of this severity and case kind, which are the ticket's own if empty; None
        if nothing is."""
        ticket = self.ticket
        return self.targets.find(
            kind,
            severity=severity or ticket.severity,
            case_kind=case_kind or ticket.case_kind,
            **special_case(ticket, self.targets),
        )

    @cached_property
    def calendar(self) -> CalendarVersion:
        """The current version of the calendar that the targets name."""
        key = self.targets.calendar
        [version] = CalendarVersion.objects.filter(
            pk=Subquery(Calendar.objects.filter(key=key).values("current"))
        )
        return version

    def calendar_for(self, target: Target) -> CalendarVersion | None:
        """Return the version of the calendar that counts a target from now on; None for elapsed time."""
        return self.calendar if target.needs_calendar else None

    def promise(self, clock: Clock, target: Target) -> None:
        """Write the target into the clock. The caller computes the due date."""
        clock.target, clock.unit = target.amount, target.unit
        clock.calendar_version, clock.policy_version_id = self.calendar_for(target), self.version


def special_case(ticket: Ticket, targets: Targets) -> dict[str, str]:
    """Return what special targets look at. Reads nothing if there are none."""
    if not targets.special:
        return {}
    kind = ticket.requester.kind if ticket.requester else None
    return {
        "category": ticket.category.key if ticket.category else "",
        "customer_kind": kind.key if kind else "",
    }


def proposed_due(ticket: Ticket, *, severity: str, case_kind: str, now: datetime) -> datetime | None:
    """Return the closing date to propose to the staff who prepare the ticket (S2.4); None if the process promises none.

    The date is the resolution target of `severity` and `case_kind` after filing, not counting the pauses. If that date
    has passed, the target is added to `now` instead. The date is rounded down to the minute.
    """
    policy = Policy(ticket)
    target = policy.target(ClockKind.RESOLUTION, severity=severity, case_kind=case_kind)
    if target is None:
        return None
    version = policy.calendar_for(target)
    calendar = CalendarVersion.objects.counting(version.pk if version else None, target.unit)
    clock = ticket.clocks.filter(kind=ClockKind.RESOLUTION).prefetch_related("pauses").first()
    pauses = clock.intervals() if clock else []
    due = sla.due_at(start=ticket.created_at, target=target.amount, pauses=pauses, now=now, calendar=calendar)
    due = due.replace(second=0, microsecond=0)
    if due <= now:
        due = sla.due_at(start=now, target=target.amount, now=now, calendar=calendar)
    return due.replace(second=0, microsecond=0)


def agree_due(ticket: Ticket, *, due: datetime, now: datetime) -> None:
    """Set the due date of the resolution clock to the date that a person agreed on (S2.3).

    The clock's target is computed from that date, and later pauses postpone the date by the time that would have
    counted. A target in days becomes one in working time, because the date has an hour. A new date clears
    `breached_at`; the present one, as forms show it, is only marked as agreed. Creates the clock if the process
    promises no resolution time.
    """
    clocks = list(ticket.clocks.prefetch_related("pauses"))
    clock = next((clock for clock in clocks if clock.kind == ClockKind.RESOLUTION), None)
    pauses: list[sla.Interval] = []
    if clock is None:  # the process has no resolution target
        clock = Clock(
            ticket=ticket,
            kind=ClockKind.RESOLUTION,
            started_at=ticket.created_at,
            due_at=due,
            paused_at=now if ticket.is_paused else None,
        )
        clocks.append(clock)
    else:
        pauses = clock.intervals()
    if clock.pk and same_minute(due, current_due(clock, now=now)):
        clock.is_agreed = True
        clock.save(update_fields=["is_agreed"])
    else:
        if clock.unit != TargetUnit.ELAPSED:
            clock.unit = TargetUnit.WORKING
        clock.target = sla.target_for(
            start=clock.started_at, due=due, pauses=pauses, now=now, calendar=clock.counting
        )
        clock.is_agreed = True
        clock.breached_at = None
        clock.due_at = due
        _count_pause_until(clock, stage=ticket.stage_definition, now=now)
        notices.arm(clock, ticket, pauses, now=now, anew=True)
        clock.save()
    copy_due_dates(ticket, clocks)


def retarget(ticket: Ticket, *, now: datetime) -> None:
    """Give the clocks new targets after the severity or case kind changed.

    Pauses, agreed dates and stopped clocks are not changed (LESSONS A6). If the new due date of a breached clock lies
    ahead, its `breached_at` is cleared.
    """
    policy = Policy(ticket)
    clocks = list(ticket.clocks.filter(stopped_at__isnull=True).prefetch_related("pauses"))
    for clock in clocks:
        target = policy.target(clock.kind)
        if target is None or clock.is_agreed or clock.promised == target:
            continue
        policy.promise(clock, target)
        clock.due_at = _due(clock, clock.intervals(), now=now)
        _count_pause_until(clock, stage=ticket.stage_definition, now=now)
        if not clock.has_run_out(now):
            clock.breached_at = None
        notices.arm(clock, ticket, clock.intervals(), now=now, anew=True)
        clock.save(
            update_fields=[
                *("target", "unit", "calendar_version", "policy_version"),
                *("due_at", "paused_at", "breached_at", "warn_at", "warned"),
            ]
        )
    copy_due_dates(ticket, clocks)


def stage_changed(ticket: Ticket, *, before: Stage, after: Stage, now: datetime) -> None:
    """Run, pause, stop or restart the clocks as the two stages say, and set `is_paused`.

    If a ticket whose clocks had stopped goes back to work, the time in between counts as a pause, so the clocks for
    resolution and progress continue with the time they had left. Those for the first response and the next reply stay
    stopped, unless nobody has answered yet (LESSONS A7).
    """
    was, now_is = before.clock, after.clock
    if was == now_is:
        return
    clocks = list(
        ticket.clocks.select_related("calendar_version__calendar__current").prefetch_related("pauses")
    )
    for clock in clocks:
        if was == "stops" and clock.stopped_at is not None and _goes_on(clock, ticket):
            clock.paused_at, clock.stopped_at = clock.stopped_at, None
            if clock.calendar_version:  # it may have changed meanwhile
                clock.calendar_version = clock.calendar_version.calendar.current
        if clock.stopped_at is None:
            if now_is == "pauses":
                clock.paused_at = clock.paused_at or now
            else:
                _resume(clock, stage=before, now=now)
            if now_is == "stops":
                clock.stopped_at = now
        clock.save(update_fields=["paused_at", "stopped_at", "due_at", "calendar_version"])
    ticket.is_paused = now_is == "pauses"
    copy_due_dates(ticket, clocks)


def _running(ticket: Ticket) -> list[Clock]:
    """Return the clocks that have not stopped, with the pauses that resuming them needs."""
    clocks = ticket.clocks.filter(stopped_at__isnull=True)
    return list(clocks.prefetch_related("pauses") if ticket.is_paused else clocks)


def _goes_on(clock: Clock, ticket: Ticket) -> bool:
    match clock.kind:
        case ClockKind.FIRST_RESPONSE:
            return ticket.first_response_at is None
        case ClockKind.NEXT_REPLY:
            return ticket.last_staff_message_at is None or ticket.last_staff_message_at < clock.started_at
    return True


def desk_wrote(ticket: Ticket, *, now: datetime) -> None:
    """Apply a public message of the desk: it answers the requester, and it is news.

    Sets `first_response_at` the first time, stops the clocks for the first response and the next reply, and begins the
    one for progress again (S0.21). A breach that is not recorded yet must be recorded before. Two queries, those of the
    clocks that change, one for the pauses of a ticket that waits, and for the first response those of `worked`.
    """
    if ticket.first_response_at is None:
        ticket.first_response_at, ticket.first_response_seconds = now, worked(ticket, until=now)
    clocks = _running(ticket)
    for clock in clocks:
        if clock.kind in (ClockKind.FIRST_RESPONSE, ClockKind.NEXT_REPLY):
            _resume(clock, stage=ticket.stage_definition, now=now)
            clock.stopped_at = now
            clock.save(update_fields=["paused_at", "stopped_at", "due_at"])
        elif clock.kind == ClockKind.PROGRESS:
            clock.warned = 0
            _begin_again(clock, ticket, now=now)
    copy_due_dates(ticket, clocks)


def desk_was_reported(ticket: Ticket, *, now: datetime) -> None:
    """Apply an automatic message about the progress: it is news, but it answers nobody (S0.21)."""
    clocks = _running(ticket)
    for clock in clocks:
        if clock.kind == ClockKind.PROGRESS:
            clock.warned += 1
            _begin_again(clock, ticket, now=now)
    copy_due_dates(ticket, clocks)


def requester_wrote(ticket: Ticket, *, now: datetime) -> None:
    """Begin the clock for the next reply, unless an earlier message still waits for its answer.

    The report and what follows it until the first response are the first response's. Closed tickets promise no answer.
    Reads the clocks and, where the process promises replies, changes one.
    """
    if ticket.first_response_at is None or not ticket.is_open:
        return
    clocks = list(ticket.clocks.all())
    clock = next((clock for clock in clocks if clock.kind == ClockKind.NEXT_REPLY), None)
    if clock is None:
        if Policy(ticket).target(ClockKind.NEXT_REPLY) is None:
            return
        clock = Clock(ticket=ticket, kind=ClockKind.NEXT_REPLY)
        clocks.append(clock)
    elif clock.stopped_at is None:
        return
    clock.warned = 0
    _begin_again(clock, ticket, now=now)
    copy_due_dates(ticket, [clock for clock in clocks if clock.stopped_at is None])


def _begin_again(clock: Clock, ticket: Ticket, *, now: datetime) -> None:
    """Give the clock its whole target from `now` on, as the policy says it now, and save it. It stops if the policy
    promises nothing any more. Finished pauses stay on record; they lie before the beginning."""
    _resume(clock, stage=ticket.stage_definition, now=now)
    policy = Policy(ticket)
    target = policy.target(clock.kind)
    if target is None:
        clock.stopped_at = now
    else:
        policy.promise(clock, target)
        clock.started_at, clock.stopped_at, clock.breached_at, clock.is_agreed = now, None, None, False
        clock.paused_at = now if ticket.is_paused else None
        clock.due_at = sla.due_at(start=now, target=clock.target, now=now, calendar=clock.counting)
        notices.arm(clock, ticket, [], now=now)
    clock.save()


class Timed(Protocol):
    """Has the columns from which `status` and `nearest` read a clock: a `Clock`, or a list's `RowClock`."""

    @property
    def target(self) -> timedelta: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def paused_at(self) -> datetime | None: ...
    @property
    def stopped_at(self) -> datetime | None: ...
    @property
    def counting(self) -> CountingCalendar: ...


T = TypeVar("T", bound=Timed)


def nearest(clocks: Iterable[T]) -> T | None:
    """Return the clock that runs out first of those that have not stopped, or None if all have.

    An answered first response is history, also if it came late. A promise that is broken and still open is the nearest.
    """
    return min((clock for clock in clocks if clock.stopped_at is None), key=_order, default=None)


def due_order(clocks: Iterable[Timed]) -> datetime:
    """Return the place in the lists of a ticket with these clocks: the due date of the nearest, while it runs.

    Paused tickets come after all that run, those with less time left first; last are tickets without a promise.
    """
    clock = nearest(clocks)
    return _order(clock) if clock else sla.FAR_FUTURE


def _order(clock: Timed) -> datetime:
    return clock.due_at if clock.paused_at is None else sla.PAUSED + _left(clock, clock.paused_at)


def _left(clock: Timed, moment: datetime) -> timedelta:
    """Return how much time counts until the due date; negative on the wall if it has passed."""
    return clock.counting.between(moment, clock.due_at) or min(clock.due_at - moment, timedelta())


def current_due(clock: Clock, *, now: datetime) -> datetime:
    """Return the due date as it is now: while a pause lasts, the date if it ended now.

    `due_at` of a paused clock stands still until the pause ends, so a long pause leaves it in the past.
    """
    if clock.paused_at is None or clock.stopped_at is not None or clock.has_run_out(now):
        return clock.due_at
    if clock.unit == TargetUnit.ROLLED_DAYS:  # the days before the date was rolled decide
        return _due(clock, clock.intervals(), now=now)
    return _postponed(clock, now=now)


def closing_date(ticket: Ticket, *, now: datetime) -> datetime | None:
    """Return the ticket's due date as it is now, by `current_due`. Reads the database only while a pause lasts."""
    clock = ticket.clocks.filter(kind=ClockKind.RESOLUTION).first() if ticket.is_paused else None
    return current_due(clock, now=now) if clock else ticket.due_at


def same_minute(one: datetime | None, other: datetime | None) -> bool:
    """Whether forms, which leave out the seconds, show both dates alike."""
    if one is None or other is None:
        return one is other
    return one.replace(second=0, microsecond=0) == other.replace(second=0, microsecond=0)


def breach(clock: Clock) -> None:
    """Set `breached_at` to the due date, not to the present time: a sweep may come late."""
    clock.breached_at = clock.due_at
    clock.save(update_fields=["breached_at"])


def explain(clock: Clock, *, now: datetime) -> list[sla.Stretch]:
    """Return the stretches that led to the due date: the answer to «¿por qué esta fecha?»."""
    return sla.explain(
        start=clock.started_at,
        pauses=clock.intervals(),
        now=clock.stopped_at or now,
        calendar=clock.counting,
    )


def used(clock: Clock, *, now: datetime) -> timedelta:
    """Return how much of the clock's target has been used."""
    return sla.elapsed(
        start=clock.started_at,
        pauses=clock.intervals(),
        now=clock.stopped_at or now,
        calendar=clock.counting,
    )


def status(clock: Timed, *, now: datetime) -> sla.ClockStatus:
    """Return the clock's status at `now`. Pages, jobs and reports all use this."""
    return sla.status(
        due=clock.due_at,
        target=clock.target,
        now=now,
        paused_at=clock.paused_at,
        stopped_at=clock.stopped_at,
        calendar=clock.counting,
    )


def _resume(clock: Clock, *, stage: Stage, now: datetime) -> None:
    """End the clock's pause, save it as a `Pause` row and move the due date. The caller saves the clock."""
    if clock.paused_at is None:
        return
    if now > clock.paused_at:
        Pause.objects.create(clock=clock, started_at=clock.paused_at, ended_at=now, stage=stage.key)
    if clock.is_agreed:  # the date was set by a person, and may lie outside opening hours
        if not clock.has_run_out(now):
            clock.due_at = _postponed(clock, now=now)
        clock.paused_at = None
        return
    pauses = clock.intervals()  # includes the pause that ends now; it must still count in due_at below
    clock.paused_at = None
    clock.due_at = _due(clock, pauses, now=now)


def _postponed(clock: Clock, *, now: datetime) -> datetime:
    """Return the due date of a paused clock, later by the time of the pause that would have counted."""
    calendar, paused_at = clock.counting, clock.paused_at or now
    return calendar.add(clock.due_at, calendar.between(paused_at, now))


def _due(clock: Clock, pauses: Sequence[sla.Interval], *, now: datetime) -> datetime:
    return sla.due_at(
        start=clock.started_at, target=clock.target, pauses=pauses, now=now, calendar=clock.counting
    )


def _count_pause_until(clock: Clock, *, stage: Stage, now: datetime) -> None:
    """Save the open pause up to `now` as finished and begin it again, because `due_at` counts it already.

    `status` takes the time from the beginning of a pause to `due_at` as the time left, so without this it would add the
    waiting to it. A pause that does not count, because the clock had run out before, is left open.
    """
    if clock.paused_at is None or not clock.paused_at < now < clock.due_at:
        return
    Pause.objects.create(clock=clock, started_at=clock.paused_at, ended_at=now, stage=stage.key)
    clock.paused_at = now


def copy_due_dates(ticket: Ticket, clocks: Iterable[Clock]) -> None:
    """Copy the due dates of `clocks` to the ticket's columns. `clocks` must hold all that have not stopped."""
    clocks = list(clocks)
    for clock in clocks:
        if clock.kind == ClockKind.RESOLUTION:
            ticket.due_at = clock.due_at
        elif clock.kind == ClockKind.FIRST_RESPONSE:
            ticket.first_response_due_at = clock.due_at
    ticket.due_order = due_order(clocks)
