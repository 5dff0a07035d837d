"""Change the clocks of a ticket with the arithmetic of `sla`, and copy their due dates to the ticket's own columns.

Functions that change something need a locked ticket inside a verb's transaction; the verb saves the ticket.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from . import sla
from .definitions.definition import Stage
from .enums import ClockKind
from .models import Clock, Pause, Ticket


def start(ticket: Ticket, *, now: datetime) -> None:
    """Create the clocks that the process promises, running from `now`, when a ticket is filed (S0.19, S2.33, S2.34)."""
    clocks = [
        Clock(
            ticket=ticket,
            kind=kind,
            target=target,
            started_at=now,
            due_at=sla.due_at(start=now, target=target, now=now),
        )
        for kind in ClockKind
        if (target := policy_target(ticket, kind)) is not None
    ]
    _copy_due_dates(ticket, Clock.objects.bulk_create(clocks))


def policy_target(ticket: Ticket, kind: ClockKind) -> timedelta | None:
    """Return the target that the process has for the ticket's severity and case kind; None if it promises nothing."""
    find = {
        ClockKind.FIRST_RESPONSE: ticket.definition.first_response_target,
        ClockKind.RESOLUTION: ticket.definition.resolution_target,
    }[kind]
    return find(severity=ticket.severity, case_kind=ticket.case_kind)


def proposed_due(ticket: Ticket, *, severity: str, case_kind: str, now: datetime) -> datetime | None:
    """Return the closing date to propose to the staff who prepare the ticket (S2.4); None if the process promises none.

    The date is the resolution target of `severity` and `case_kind` after filing, not counting the pauses. If that date
    has passed, the target is added to `now` instead. The date is rounded down to the minute.
    """
    target = ticket.definition.resolution_target(severity=severity, case_kind=case_kind)
    if target is None:
        return None
    clock = ticket.clocks.filter(kind=ClockKind.RESOLUTION).prefetch_related("pauses").first()
    pauses = clock.intervals() if clock else []
    due = sla.due_at(start=ticket.created_at, target=target, pauses=pauses, now=now).replace(
        second=0, microsecond=0
    )
    return due if due > now else (now + target).replace(second=0, microsecond=0)


def agree_due(ticket: Ticket, *, due: datetime, now: datetime) -> None:
    """Set the due date of the resolution clock to the date that a person agreed on (S2.3).

    The clock's target is computed from that date, so that later pauses still postpone the date. A new date clears
    `breached_at`. Creates the clock if the process promises no resolution time.
    """
    clock = ticket.clocks.filter(kind=ClockKind.RESOLUTION).prefetch_related("pauses").first()
    pauses: list[sla.Interval] = []
    if clock is None:  # the process has no resolution target
        clock = Clock(
            ticket=ticket,
            kind=ClockKind.RESOLUTION,
            started_at=ticket.created_at,
            due_at=due,
            paused_at=now if ticket.is_paused else None,
        )
    else:
        pauses = clock.intervals()
    if due != ticket.due_at or not clock.is_agreed:
        clock.target = sla.target_for(start=clock.started_at, due=due, pauses=pauses, now=now)
        clock.is_agreed = True
        clock.breached_at = None
        clock.due_at = due
        clock.save()
    _copy_due_dates(ticket, [clock])


def retarget(ticket: Ticket, *, now: datetime) -> None:
    """Give the clocks new targets after the severity or case kind changed.

    Pauses, agreed dates and stopped clocks are not changed (LESSONS A6). If the new due date of a breached clock lies
    ahead, its `breached_at` is cleared.
    """
    clocks = list(ticket.clocks.filter(stopped_at__isnull=True).prefetch_related("pauses"))
    for clock in clocks:
        target = policy_target(ticket, ClockKind(clock.kind))
        if target is None or clock.is_agreed or clock.target == target:
            continue
        clock.target = target
        _recompute(clock, now=now)
        clock.save(update_fields=["target", "due_at", "breached_at"])
    _copy_due_dates(ticket, clocks)


def stage_changed(ticket: Ticket, *, before: Stage, after: Stage, now: datetime) -> None:
    """Run, pause, stop or restart the clocks as the kinds of the two stages say, and set `is_paused`.

    If the ticket is reopened, the time in which it was closed counts as a pause, so the resolution clock continues with
    the time it had left. The first response clock stays stopped, unless nobody has answered yet (LESSONS A7).
    """
    was, now_is = before.kind.meta.clock, after.kind.meta.clock
    if was == now_is:
        return
    clocks = list(ticket.clocks.prefetch_related("pauses"))
    for clock in clocks:
        if was == "stops" and _goes_on(clock, ticket):
            clock.paused_at, clock.stopped_at = clock.stopped_at, None
        if clock.stopped_at is None:
            if now_is == "pauses":
                clock.paused_at = clock.paused_at or now
            else:
                _resume(clock, stage=before, now=now)
            if now_is == "stops":
                clock.stopped_at = now
        clock.save(update_fields=["paused_at", "stopped_at", "due_at"])
    ticket.is_paused = now_is == "pauses"
    _copy_due_dates(ticket, clocks)


def _goes_on(clock: Clock, ticket: Ticket) -> bool:
    return clock.kind == ClockKind.RESOLUTION or ticket.first_response_at is None


def stop_first_response(ticket: Ticket, *, now: datetime) -> None:
    """Set `first_response_at` and stop the first response clock. Does nothing after the first time."""
    if ticket.first_response_at is not None:
        return
    ticket.first_response_at = now
    clock = ticket.clocks.filter(kind=ClockKind.FIRST_RESPONSE, stopped_at__isnull=True).first()
    if clock is not None:
        _resume(clock, stage=ticket.stage_definition, now=now)
        clock.stopped_at = now
        clock.save(update_fields=["paused_at", "stopped_at", "due_at"])
        _copy_due_dates(ticket, [clock])


def breach(clock: Clock) -> None:
    """Set `breached_at` to the due date, not to the present time: a sweep may come late."""
    clock.breached_at = clock.due_at
    clock.save(update_fields=["breached_at"])


def explain(clock: Clock, *, now: datetime) -> list[sla.Stretch]:
    """Return the stretches that led to the due date: the answer to «¿por qué esta fecha?»."""
    return sla.explain(start=clock.started_at, pauses=clock.intervals(), now=clock.stopped_at or now)


def status(clock: Clock, *, now: datetime) -> sla.ClockStatus:
    """Return the clock's status at `now`. Pages, jobs and reports all use this."""
    return sla.status(
        due=clock.due_at,
        target=clock.target,
        now=now,
        paused_at=clock.paused_at,
        stopped_at=clock.stopped_at,
    )


def _resume(clock: Clock, *, stage: Stage, now: datetime) -> None:
    """End the clock's pause, save it as a `Pause` row and move the due date. The caller saves the clock."""
    if clock.paused_at is None:
        return
    if now > clock.paused_at:
        Pause.objects.create(clock=clock, started_at=clock.paused_at, ended_at=now, stage=stage.key)
    pauses = clock.intervals()  # includes the pause that ends now; it must still count in due_at below
    clock.paused_at = None
    clock.due_at = sla.due_at(start=clock.started_at, target=clock.target, pauses=pauses, now=now)


def _recompute(clock: Clock, *, now: datetime) -> None:
    """Set the due date from the target, and clear `breached_at` if that date lies ahead."""
    clock.due_at = sla.due_at(start=clock.started_at, target=clock.target, pauses=clock.intervals(), now=now)
    if clock.breached_at is not None and clock.due_at > now:
        clock.breached_at = None


def _copy_due_dates(ticket: Ticket, clocks: Iterable[Clock]) -> None:
    """Copy the due dates of `clocks` to the ticket's columns."""
    for clock in clocks:
        if clock.kind == ClockKind.RESOLUTION:
            ticket.due_at = clock.due_at
        else:
            ticket.first_response_due_at = clock.due_at
