"""Clocks on tickets: applies `sla`'s arithmetic to rows, and keeps the ticket's own due columns true.

Every function works on a locked ticket inside a verb's transaction; the verb saves the ticket.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from . import sla
from .definitions.definition import Stage
from .enums import ClockKind
from .models import Clock, Pause, Ticket


def start(ticket: Ticket, *, now: datetime) -> None:
    """What the process promises from the moment of filing (S0.19, S2.33, S2.34)."""
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
    _mirror(ticket, Clock.objects.bulk_create(clocks))


def policy_target(ticket: Ticket, kind: ClockKind) -> timedelta | None:
    find = {
        ClockKind.FIRST_RESPONSE: ticket.definition.first_response_target,
        ClockKind.RESOLUTION: ticket.definition.resolution_target,
    }[kind]
    return find(severity=ticket.severity, case_kind=ticket.case_kind)


def proposed_due(ticket: Ticket, *, severity: str, case_kind: str, now: datetime) -> datetime | None:
    """The closing date that the time parameters give (S2.4), as a proposal for whoever prepares: to the minute, and
    counted from `now` where it would be past. None where the process promises nothing."""
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
    """A person set the closing date (S2.3). It becomes the clock's target, so later pauses still push it back."""
    clock = ticket.clocks.filter(kind=ClockKind.RESOLUTION).prefetch_related("pauses").first()
    pauses: list[sla.Interval] = []
    if clock is None:  # the process promises nothing by itself
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
    _mirror(ticket, [clock])


def retarget(ticket: Ticket, *, now: datetime) -> None:
    """Severity or case kind changed: promises follow, pauses and agreed dates stay (LESSONS A6)."""
    clocks = list(ticket.clocks.filter(stopped_at__isnull=True).prefetch_related("pauses"))
    for clock in clocks:
        target = policy_target(ticket, ClockKind(clock.kind))
        if target is None or clock.is_agreed or clock.target == target:
            continue
        clock.target = target
        _recompute(clock, now=now)
        clock.save(update_fields=["target", "due_at", "breached_at"])
    _mirror(ticket, clocks)


def stage_changed(ticket: Ticket, *, before: Stage, after: Stage, now: datetime) -> None:
    """Run, pause, stop or start again, as the kinds of the two stages say.

    Reopening: the resolution goes on with the time it had left, for the stretch in which the ticket was closed does
    not count; the first response stays as it was, unless it was never given (LESSONS A7).
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
    _mirror(ticket, clocks)


def _goes_on(clock: Clock, ticket: Ticket) -> bool:
    return clock.kind == ClockKind.RESOLUTION or ticket.first_response_at is None


def first_answered(ticket: Ticket, *, now: datetime) -> None:
    """The desk spoke to the requester for the first time."""
    if ticket.first_response_at is not None:
        return
    ticket.first_response_at = now
    clock = ticket.clocks.filter(kind=ClockKind.FIRST_RESPONSE, stopped_at__isnull=True).first()
    if clock is not None:
        _resume(clock, stage=ticket.stage_definition, now=now)
        clock.stopped_at = now
        clock.save(update_fields=["paused_at", "stopped_at", "due_at"])
        _mirror(ticket, [clock])


def breach(clock: Clock) -> None:
    """Mark the promise broken at the very instant it was, however late the sweep comes."""
    clock.breached_at = clock.due_at
    clock.save(update_fields=["breached_at"])


def explain(clock: Clock, *, now: datetime) -> list[sla.Stretch]:
    """The stretches behind the due date: «¿por qué esta fecha?»"""
    return sla.explain(start=clock.started_at, pauses=clock.intervals(), now=clock.stopped_at or now)


def status(clock: Clock, *, now: datetime) -> sla.ClockStatus:
    """What the clock shows now, the same on every page, in jobs and in reports."""
    return sla.status(
        due=clock.due_at,
        target=clock.target,
        now=now,
        paused_at=clock.paused_at,
        stopped_at=clock.stopped_at,
    )


def _resume(clock: Clock, *, stage: Stage, now: datetime) -> None:
    if clock.paused_at is None:
        return
    if now > clock.paused_at:
        Pause.objects.create(clock=clock, started_at=clock.paused_at, ended_at=now, stage=stage.key)
    pauses = clock.intervals()  # the open one still among them: it ends now, like the row just written
    clock.paused_at = None
    clock.due_at = sla.due_at(start=clock.started_at, target=clock.target, pauses=pauses, now=now)


def _recompute(clock: Clock, *, now: datetime) -> None:
    clock.due_at = sla.due_at(start=clock.started_at, target=clock.target, pauses=clock.intervals(), now=now)
    if clock.breached_at is not None and clock.due_at > now:
        clock.breached_at = None


def _mirror(ticket: Ticket, clocks: Iterable[Clock]) -> None:
    for clock in clocks:
        if clock.kind == ClockKind.RESOLUTION:
            ticket.due_at = clock.due_at
        else:
            ticket.first_response_due_at = clock.due_at
