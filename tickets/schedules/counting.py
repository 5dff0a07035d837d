"""What other rules of a calendar do to the clocks that have not stopped: the same answer before and after saving.

A clock is counted again from its beginning, as if the new rules had always been in force. A date that a person agreed
on stays (S2.3); only the time that it stands for is computed again. A date that passes only under the new rules is
breached at that date; one that no longer has passed is cleared, and the record keeps the breach that it had.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.db.models import QuerySet

from .. import sla
from ..calendars import Calendar as Counting
from ..calendars import CalendarRules
from ..enums import ClockKind
from ..models import Clock, Ticket, TicketEvent
from ..models.schedule_change import DueChange, ScheduleChange
from ..record.locking import RELATED
from ..workflow.perform import process_escalates

OUTCOMES = ("later", "earlier", "same", "cleared", "breached")
"""What the clocks of a change are counted by. Each is later, earlier or the same; a later one may be cleared, and an
earlier one breached."""


@dataclass(frozen=True)
class Recount:
    """A clock, its due date before, and what it becomes under the new rules."""

    clock: Clock
    before: datetime
    due_at: datetime
    target: timedelta
    is_breached: bool
    is_cleared: bool

    @property
    def is_moved(self) -> bool:
        return self.due_at != self.before

    @property
    def is_later(self) -> bool:
        return self.due_at > self.before

    def as_row(self, change: ScheduleChange, *, is_applied: bool) -> DueChange:
        return DueChange(
            change=change,
            ticket_id=self.clock.ticket_id,
            clock=self.clock,
            before=self.before,
            after=self.due_at,
            is_later=self.is_later,
            is_breached=self.is_breached,
            is_cleared=self.is_cleared,
            is_applied=is_applied,
        )


@dataclass(frozen=True)
class TicketRecount:
    """A ticket, the clocks of the calendar that it has running, and whether it becomes or ceases to be elevated."""

    ticket: Ticket
    clocks: tuple[Clock, ...]
    recounts: tuple[Recount, ...]
    is_raised: bool
    is_released: bool


def clocks_of(change: ScheduleChange) -> "QuerySet[Clock]":
    """Return the clocks that the change moves or, once confirmed, has still to move: those that have not stopped and
    count under an earlier version of the calendar."""
    versions = change.calendar.versions.all()
    if change.version is not None:
        versions = versions.filter(number__lt=change.version.number)
    numbers = list(versions.values_list("pk", flat=True))
    return Clock.objects.filter(stopped_at__isnull=True, calendar_version__in=numbers)


def tickets_of(change: ScheduleChange, limit: int) -> list[int]:
    """Return the next tickets of the change after its cursor."""
    rows = clocks_of(change).filter(ticket__gt=change.cursor).order_by("ticket")
    return list(rows.values_list("ticket_id", flat=True).distinct()[:limit])


def counting_of(rules: CalendarRules) -> Callable[[str], Counting]:
    """Return a function from a `TargetUnit` to the calendar that counts it. It makes each calendar once."""
    return cache(rules.counting)


def recounts(
    tickets: Mapping[int, Ticket],
    versions: Collection[int],
    counting: Callable[[str], Counting],
    now: datetime,
) -> list[TicketRecount]:
    """Return what becomes of these tickets' clocks that count under `versions`. Takes two or three queries."""
    clocks: dict[int, list[Clock]] = {pk: [] for pk in tickets}
    for clock in Clock.objects.filter(ticket__in=tickets, stopped_at__isnull=True).prefetch_related("pauses"):
        clocks[clock.ticket_id].append(clock)
    found = {
        pk: tuple(
            recount(clock, counting(clock.unit), now=now)
            for clock in own
            if clock.calendar_version_id in versions
        )
        for pk, own in clocks.items()
    }
    elevated = [
        pk for pk, own in found.items() if tickets[pk].is_escalated and any(each.is_cleared for each in own)
    ]
    by_people = _elevated_by_people(elevated)
    return [
        TicketRecount(
            ticket=ticket,
            clocks=tuple(clocks[pk]),
            recounts=found[pk],
            is_raised=not ticket.is_escalated and any(_raises(ticket, each) for each in found[pk]),
            is_released=pk in elevated and pk not in by_people and not _still_late(clocks[pk], found[pk]),
        )
        for pk, ticket in tickets.items()
    ]


def recount(clock: Clock, counting: Counting, *, now: datetime) -> Recount:
    """Return what a clock that has not stopped becomes. The due date of a paused one is the date of its pause's
    beginning, which moves on when the pause ends."""
    finished = [pause for pause in clock.intervals() if pause.end is not None]
    until = clock.paused_at or now
    if clock.is_agreed:
        due, until = clock.due_at, min(until, clock.due_at)
        target = sla.target_for(
            start=clock.started_at, due=due, pauses=finished, now=until, calendar=counting
        )
    else:
        target = clock.target
        due = sla.due_at(start=clock.started_at, target=target, pauses=finished, now=until, calendar=counting)
    was_over, is_over = clock.has_run_out(now), sla.has_run_out(due, now=now, paused_at=clock.paused_at)
    return Recount(
        clock,
        clock.due_at,
        due,
        target,
        is_breached=is_over and not was_over,
        is_cleared=was_over and not is_over,
    )


def tally_of(found: Iterable[TicketRecount]) -> dict[str, int]:
    """Return the figures that `ScheduleChange.tally` adds up."""
    tally = dict.fromkeys(("done", *OUTCOMES, "raised", "released"), 0)
    for of_ticket in found:
        for each in of_ticket.recounts:
            tally["done"] += 1
            tally["later" if each.is_later else "earlier" if each.is_moved else "same"] += 1
            tally["cleared"] += each.is_cleared
            tally["breached"] += each.is_breached
        tally["raised"] += of_ticket.is_raised
        tally["released"] += of_ticket.is_released
    return tally


def moved(found: Iterable[TicketRecount]) -> Iterator[Recount]:
    return (each for of_ticket in found for each in of_ticket.recounts if each.is_moved)


def read_tickets(pks: Collection[int]) -> dict[int, Ticket]:
    return Ticket.objects.select_related(*RELATED).in_bulk(pks)


def _raises(ticket: Ticket, found: Recount) -> bool:
    """Whether the breach elevates the ticket, as `record_breaches` decides for one that happens by itself (S2.32)."""
    return found.is_breached and (found.clock.kind == ClockKind.RESOLUTION or not process_escalates(ticket))


def _still_late(clocks: Iterable[Clock], found: Iterable[Recount]) -> bool:
    cleared = {each.clock.pk for each in found if each.is_cleared}
    return any(clock.breached_at is not None and clock.pk not in cleared for clock in clocks)


def _elevated_by_people(tickets: Collection[int]) -> set[int]:
    """Return those of the tickets that a person elevated: other hours do not take that back."""
    if not tickets:
        return set()
    raised = TicketEvent.objects.filter(
        ticket__in=tickets, actor__isnull=False, data__changes__is_escalated=[False, True]
    )
    return set(raised.values_list("ticket_id", flat=True))
