"""What other hours or targets do to the clocks that have not stopped: the same answer before and after saving.

A clock is counted again from its beginning, as if the new rules had always been in force. A date that a person agreed
on stays (S2.3); only the time that it stands for is computed again. A date that passes only under the new rules is
breached at that date; one that no longer has passed is cleared, and the record keeps the breach that it had.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.db.models import Q, QuerySet

from .. import sla
from ..calendars import Calendar as Counting
from ..calendars import CalendarRules, Target
from ..clocks import special_case
from ..definitions.targets import read_targets
from ..enums import ELEVATING, ClockKind
from ..models import Calendar, CalendarVersion, Clock, PolicyVersion, Ticket, TicketEvent
from ..models.schedule_change import DueChange, ScheduleChange
from ..record import breaches
from ..record.breaches import Broken
from ..record.locking import RELATED
from ..workflow.perform import process_escalates

OUTCOMES = ("later", "earlier", "same", "cleared", "breached")
"""What the clocks of a change are counted by. Each is later, earlier or the same; a later one may be cleared, and an
earlier one breached."""


@dataclass(frozen=True)
class Plan:
    """What a clock is promised under the new rules: its target, what counts it, and the version of the calendar that a
    clock remembers. In a draft of a calendar that version does not exist yet."""

    target: Target
    counting: Counting
    version_id: int | None


class CalendarPlans:
    """The plans of a changed calendar: every clock that it counts keeps its target."""

    def __init__(self, change: ScheduleChange) -> None:
        self.versions = set(_versions_before(change))
        self.version_id = change.version_id
        self.counting = cache(CalendarRules.read(change.rules).counting)

    def plan(self, clock: Clock, ticket: Ticket) -> Plan | None:
        """Return the clock's plan; None if the change does not concern it."""
        if clock.calendar_version_id not in self.versions:
            return None
        return Plan(clock.promised, self.counting(clock.unit), self.version_id)


class PolicyPlans:
    """The plans of a process with other targets. A clock for which they promise nothing keeps its target, and so does
    one whose date a person agreed on. Clocks under later targets are none of its concern."""

    def __init__(self, change: ScheduleChange) -> None:
        self.policies = {None, *_policies_before(change)}
        self.targets = read_targets(change.rules)
        key = self.targets.calendar
        self.current = Calendar.objects.filter(key=key).values_list("current", flat=True).first()

    def plan(self, clock: Clock, ticket: Ticket) -> Plan | None:
        if clock.policy_version_id not in self.policies:
            return None
        target = None
        if not clock.is_agreed:
            case = special_case(ticket, self.targets)
            target = self.targets.find(
                clock.kind, severity=ticket.severity, case_kind=ticket.case_kind, **case
            )
        if target is None or target == clock.promised:
            return Plan(clock.promised, clock.counting, clock.calendar_version_id)
        version = self.current if target.needs_calendar else None
        return Plan(target, CalendarVersion.objects.counting(version, target.unit), version)


Plans = CalendarPlans | PolicyPlans


def plans_of(change: ScheduleChange) -> Plans:
    return CalendarPlans(change) if change.calendar_id else PolicyPlans(change)


@dataclass(frozen=True)
class Recount:
    """A clock, its due date before, and what it becomes under the new rules."""

    clock: Clock
    before: datetime
    due_at: datetime
    plan: Plan
    target: timedelta
    is_breached: bool
    is_cleared: bool

    @property
    def is_moved(self) -> bool:
        return self.due_at != self.before

    @property
    def is_later(self) -> bool:
        return self.due_at > self.before

    @property
    def broken_before(self) -> Broken:
        """The breach that `is_cleared` takes back: its date is that of the breach, from which later changes may have
        moved the due date."""
        return Broken(self.clock.ticket_id, self.clock.kind, self.clock.breached_at or self.before)

    @property
    def broken_now(self) -> Broken:
        return Broken(self.clock.ticket_id, self.clock.kind, self.due_at)

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
    """Return the clocks that the change concerns or, once confirmed, has still to move: those that have not stopped and
    count under an earlier version."""
    running = Clock.objects.filter(stopped_at__isnull=True)
    if change.calendar_id:
        return running.filter(calendar_version__in=_versions_before(change))
    running = running.filter(ticket__process_version__process=change.process_id)
    if change.policy_id is None:
        return running
    return running.filter(Q(policy_version__isnull=True) | Q(policy_version__in=_policies_before(change)))


def _policies_before(change: ScheduleChange) -> list[int]:
    """Return the policies of the process before the one that the change became; all of them for a draft."""
    policies = PolicyVersion.objects.filter(process=change.process_id)
    if change.policy is not None:
        policies = policies.filter(number__lt=change.policy.number)
    return list(policies.values_list("pk", flat=True))


def _versions_before(change: ScheduleChange) -> list[int]:
    """Return the versions of the calendar before the one that the change became; all of them for a draft."""
    versions = CalendarVersion.objects.filter(calendar=change.calendar_id)
    if change.version is not None:
        versions = versions.filter(number__lt=change.version.number)
    return list(versions.values_list("pk", flat=True))


def tickets_of(change: ScheduleChange, limit: int) -> list[int]:
    """Return the next tickets of the change after its cursor."""
    rows = clocks_of(change).filter(ticket__gt=change.cursor).order_by("ticket")
    return list(rows.values_list("ticket_id", flat=True).distinct()[:limit])


def recounts(tickets: Mapping[int, Ticket], plans: Plans, now: datetime) -> list[TicketRecount]:
    """Return what becomes of these tickets' clocks. Takes two or three queries."""
    clocks: dict[int, list[Clock]] = {pk: [] for pk in tickets}
    for clock in Clock.objects.filter(ticket__in=tickets, stopped_at__isnull=True).prefetch_related("pauses"):
        clocks[clock.ticket_id].append(clock)
    found = {
        pk: tuple(
            recount(clock, plan, now=now)
            for clock in own
            if (plan := plans.plan(clock, tickets[pk])) is not None
        )
        for pk, own in clocks.items()
    }
    elevated = [
        pk for pk, own in found.items() if tickets[pk].is_escalated and any(each.is_cleared for each in own)
    ]
    kept = _elevated_by_people(elevated) | _still_elevated(elevated, found)
    return [
        TicketRecount(
            ticket=ticket,
            clocks=tuple(clocks[pk]),
            recounts=found[pk],
            is_raised=not ticket.is_escalated and any(_raises(ticket, each) for each in found[pk]),
            is_released=pk in elevated and pk not in kept,
        )
        for pk, ticket in tickets.items()
    ]


def recount(clock: Clock, plan: Plan, *, now: datetime) -> Recount:
    """Return what a clock that has not stopped becomes. The due date of a paused one is the date of its pause's
    beginning, which moves on when the pause ends."""
    calendar, target = plan.counting, plan.target.amount
    finished = [pause for pause in clock.intervals() if pause.end is not None]
    until = clock.paused_at or now
    if clock.is_agreed:
        due, until = clock.due_at, min(until, clock.due_at)
        target = sla.target_for(
            start=clock.started_at, due=due, pauses=finished, now=until, calendar=calendar
        )
    else:
        due = sla.due_at(start=clock.started_at, target=target, pauses=finished, now=until, calendar=calendar)
    was_over, is_over = clock.has_run_out(now), sla.has_run_out(due, now=now, paused_at=clock.paused_at)
    return Recount(
        clock,
        clock.due_at,
        due,
        plan,
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
    if not found.is_breached or found.clock.kind == ClockKind.PROGRESS:
        return False
    return found.clock.kind == ClockKind.RESOLUTION or not process_escalates(ticket)


def _still_elevated(tickets: Collection[int], found: Mapping[int, Collection[Recount]]) -> set[int]:
    """Return those of the tickets that keep a breach besides those that the new rules clear. A promise that was broken
    stays broken when somebody answers or agrees on another date (S2.32)."""
    cleared = {each.broken_before for pk in tickets for each in found[pk] if each.is_cleared}
    left = breaches.standing(tickets) - cleared if tickets else ()
    return {each.ticket for each in left if each.kind in ELEVATING}


def _elevated_by_people(tickets: Collection[int]) -> set[int]:
    """Return those of the tickets that a person elevated: other hours do not take that back."""
    if not tickets:
        return set()
    raised = TicketEvent.objects.filter(
        ticket__in=tickets, actor__isnull=False, data__changes__is_escalated=[False, True]
    )
    return set(raised.values_list("ticket_id", flat=True))
