"""The answer to «¿por qué esta fecha?» as data: the page, the portal, mails and reports are written from it (A4).

A long history is shown from its last two months on; what counted before is one sum.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from . import clocks, sla
from .calendars import Target
from .definitions.definition import Stage, Targets
from .enums import ChangeState, ClockKind
from .models import (
    CalendarVersion,
    Clock,
    DueChange,
    PolicyVersion,
    ProcessVersion,
    ScheduleChange,
    Ticket,
    TicketEvent,
)

SHOWN = timedelta(days=62)
MOST_MOVES = 40
Changes: TypeAlias = "list[tuple[ScheduleChange, DueChange | None]]"
"""The changes of a clock's calendar since it began, each with the date that it moved, if it did."""


@dataclass(frozen=True)
class Told:
    """A stretch of time that counted, was paused, was closed, is still left, or was left when the clock stopped
    («unused»). `stage` is the one that paused it; `reason` names the holiday or closure that closed it. `amount` is the
    time of it that counts or would have counted without the pause."""

    start: datetime
    end: datetime
    kind: Literal["counted", "paused", "closed", "left", "unused"]
    amount: timedelta
    reason: str = ""
    stage: Stage | None = None


@dataclass(frozen=True)
class Move:
    """Something that set or moved the due date. `due` is the date after it; `actor` is who decided it, empty for what
    follows from a rule."""

    at: datetime
    kind: Literal[
        "promised", "desk_wrote", "requester_wrote", "retargeted", "agreed", "paused", "recomputed", "other"
    ]
    due: datetime
    actor: str = ""
    target: Target | None = None
    severity: str = ""
    case_kind: str = ""
    amount: timedelta = timedelta()
    stage: Stage | None = None
    reason: str = ""


@dataclass(frozen=True)
class Explanation:
    """Everything that led to one due date. `used` and `left` are counting time, `status.left` is time on the wall.
    `before` is what had counted before the first of `stretches`, if they do not begin with the clock."""

    clock: Clock
    due: datetime
    status: sla.ClockStatus
    used: timedelta
    left: timedelta
    before: timedelta
    stretches: tuple[Told, ...]
    moves: tuple[Move, ...]
    is_set_by_person: bool
    """Whether a person agreed on another date than the policy's. Who only confirms that one leaves it explained."""
    rest: tuple[Told, ...] = ()
    """The stretches, unused or closed, from the stop of a clock to its due date. Empty if it runs or stopped late."""
    unused: timedelta = timedelta()
    """The counting time that was left when the clock stopped."""

    @property
    def version(self) -> CalendarVersion | None:
        return self.clock.calendar_version

    def total(self, kind: str) -> timedelta:
        """Return how much time the stretches of one kind add up to."""
        return sum((told.amount for told in self.stretches if told.kind == kind), timedelta())


def explanations(ticket: Ticket, *, now: datetime, kinds: Iterable[str] = ()) -> list[Explanation]:
    """Return the explanation of each clock of the ticket, or of those of some kinds. Takes five queries."""
    rows = ticket.clocks.select_related("calendar_version__calendar", "policy_version").prefetch_related(
        "pauses"
    )
    if kinds:
        rows = rows.filter(kind__in=kinds)
    found = sorted(rows, key=lambda clock: clock.kind)
    if not found:
        return []
    events, changes = _changes_of(ticket), _schedule_changes(found, ticket)
    dues = {(row.change_id, row.clock_id): row for row in _dues(found, changes)}
    return [
        _explain(
            clock,
            ticket,
            events,
            [(change, dues.get((change.pk, clock.pk))) for change in changes if _concerns(change, clock)],
            now=now,
        )
        for clock in found
    ]


def _explain(
    clock: Clock, ticket: Ticket, events: list[TicketEvent], changes: Changes, *, now: datetime
) -> Explanation:
    calendar, end = clock.counting, clock.stopped_at or now
    due = clocks.current_due(clock, now=now)
    begin = max(clock.started_at, end - SHOWN)
    # Where the first day does not count, more than the target lies ahead of it.
    left = min(calendar.between(clock.stopped_at or clock.paused_at or now, clock.due_at), clock.target)
    return Explanation(
        clock=clock,
        due=due,
        status=clocks.status(clock, now=now),
        used=clocks.used(clock, now=now),
        left=timedelta() if clock.stopped_at else left,
        before=sla.elapsed(start=clock.started_at, pauses=clock.intervals(), now=begin, calendar=calendar),
        stretches=tuple(_told(clock, ticket, begin=begin, end=end, due=due)),
        moves=tuple(_moves(clock, ticket, events, changes, now=now)),
        is_set_by_person=clock.is_agreed and clocks.Policy(ticket).target(clock.kind) != clock.promised,
        rest=tuple(_ahead(clock, end, due, "unused")) if clock.stopped_at else (),
        unused=left if clock.stopped_at else timedelta(),
    )


def _told(clock: Clock, ticket: Ticket, *, begin: datetime, end: datetime, due: datetime) -> Iterator[Told]:
    calendar = clock.counting
    for stretch in sla.explain(start=begin, pauses=clock.intervals(), now=end, calendar=calendar):
        amount = timedelta() if stretch.kind == "closed" else calendar.between(stretch.start, stretch.end)
        told = Told(stretch.start, stretch.end, stretch.kind, amount, stretch.reason)
        yield replace(told, stage=_stage_at(clock, ticket, stretch.start)) if told.kind == "paused" else told
    if clock.stopped_at is None:
        yield from _ahead(clock, end, due, "left")


def _ahead(clock: Clock, start: datetime, due: datetime, kind: Literal["left", "unused"]) -> Iterator[Told]:
    """Yield the stretches from `start` to the due date: open ones as `kind`, the others as closed."""
    calendar = clock.counting
    first = min(max(start, calendar.begins(clock.started_at)), due)
    if start < first:  # the rest of the day on which it began
        yield Told(start, first, "closed", timedelta())
    for part in calendar.parts(first, min(due, first + SHOWN)):
        amount = calendar.between(part.start, part.end) if part.is_open else timedelta()
        yield Told(part.start, part.end, kind if part.is_open else "closed", amount, part.reason)


def _stage_at(clock: Clock, ticket: Ticket, moment: datetime) -> Stage | None:
    """Return the stage that paused the clock at a moment."""
    for pause in clock.pauses.all():
        if pause.started_at <= moment < pause.ended_at:
            return ticket.definition.find_stage(pause.stage)
    return ticket.stage_definition


# --- How the date moved ---------------------------------------------------------------------------


def _changes_of(ticket: Ticket) -> list[TicketEvent]:
    """Return the events that changed what the dates depend on, earliest first."""
    wanted = Q()
    for name in ("severity", "case_kind", "due_at"):
        wanted |= Q(**{f"data__changes__{name}__isnull": False})
    return list(ticket.events.filter(wanted).order_by("version")[:MOST_MOVES])


def _schedule_changes(found: list[Clock], ticket: Ticket) -> list[ScheduleChange]:
    """Return the changes of the clocks' calendars since the first of them began, earliest first."""
    calendars = {clock.calendar_version.calendar_id for clock in found if clock.calendar_version}
    process = ProcessVersion.objects.process_of(ticket.process_version_id)
    rows = ScheduleChange.objects.filter(
        Q(calendar__in=calendars) | Q(process=process),
        state__in=[ChangeState.APPLYING, ChangeState.APPLIED],
        applied_at__gte=min(clock.started_at for clock in found),
    )
    return list(
        rows.select_related("author", "undoes", "base_policy", "policy").order_by("applied_at")[:MOST_MOVES]
    )


def _dues(found: list[Clock], changes: list[ScheduleChange]) -> "QuerySet[DueChange]":
    return DueChange.objects.filter(clock__in=found, change__in=changes, is_applied=True)


def _concerns(change: ScheduleChange, clock: Clock) -> bool:
    version, at = clock.calendar_version, change.applied_at or change.created_at
    if at < clock.started_at:
        return False
    return change.calendar_id is None or (version is not None and version.calendar_id == change.calendar_id)


@dataclass
class _Replay:
    """The clock as it was at one moment, while its history is told from the beginning."""

    clock: Clock
    ticket: Ticket
    now: datetime
    severity: str
    case_kind: str
    targets: Targets
    is_agreed: bool = False

    def __post_init__(self) -> None:
        self.pauses: list[sla.Interval] = []
        self.target, self.due = self.clock.promised, self.clock.due_at
        self.version = self.clock.calendar_version_id

    def wanted(self) -> Target | None:
        """Return what the targets promise to a ticket of this severity and case kind."""
        case = clocks.special_case(self.ticket, self.targets)
        return self.targets.find(self.clock.kind, severity=self.severity, case_kind=self.case_kind, **case)

    def count(self) -> datetime:
        counting = CalendarVersion.objects.counting(self.version, self.target.unit)
        return sla.due_at(
            start=self.clock.started_at,
            target=self.target.amount,
            pauses=self.pauses,
            now=self.now,
            calendar=counting,
        )


def _moves(
    clock: Clock, ticket: Ticket, events: list[TicketEvent], changes: Changes, *, now: datetime
) -> Iterator[Move]:
    events = [event for event in events if event.at >= clock.started_at]
    steps = sorted(_steps(clock, events, changes), key=lambda item: item[:2])
    moves, replay = _told_again(
        clock, ticket, events, changes, [step for _at, _order, step in steps], now=now
    )
    if clock.is_agreed and not replay.is_agreed and clock.paused_at is None:
        # Somebody confirmed the date that it had, which is no event: later pauses postponed it as an agreed one.
        for number in range(len(steps) - 1, -1, -1):
            if replay.due == clock.due_at:
                break
            again = [step for _at, _order, step in steps]
            again.insert(number, _confirm)
            moves, replay = _told_again(clock, ticket, events, changes, again, now=now)
    yield from moves
    if clock.paused_at is None and replay.due != clock.due_at:
        yield Move(now, "other", clock.due_at)


def _confirm(replay: _Replay) -> Iterator[Move]:
    replay.is_agreed = True
    yield from ()


def _told_again(
    clock: Clock,
    ticket: Ticket,
    events: list[TicketEvent],
    changes: Changes,
    steps: Iterable[Callable[[_Replay], Iterator[Move]]],
    *,
    now: datetime,
) -> tuple[list[Move], _Replay]:
    """Return the moves of the clock from its beginning through these steps, and the clock after them."""
    severity, case_kind = (_first_value(ticket, events, name) for name in ("severity", "case_kind"))
    started = clock.started_at
    replay = _Replay(clock, ticket, now, severity, case_kind, _first_targets(clock, ticket, changes))
    replay.target = replay.wanted() or clock.promised
    replay.version = _version_after(started, clock, changes)
    replay.due = replay.count()
    kind = _beginning(clock, ticket)
    moves = [
        Move(started, kind, replay.due, target=replay.target, severity=severity, case_kind=case_kind),
        *(move for step in steps for move in step(replay)),
    ]
    return moves, replay


def _beginning(clock: Clock, ticket: Ticket) -> Literal["promised", "desk_wrote", "requester_wrote"]:
    """Return what began the clock: the arrival of the ticket, or a later message."""
    if clock.started_at <= ticket.created_at:
        return "promised"
    return "requester_wrote" if clock.kind == ClockKind.NEXT_REPLY else "desk_wrote"


def _first_value(ticket: Ticket, events: list[TicketEvent], name: str) -> str:
    changes = (event.data["changes"].get(name) for event in events)
    first = next((change[0] for change in changes if change), None)
    return str(first if first is not None else getattr(ticket, name))


def _steps(clock: Clock, events: list[TicketEvent], changes: Changes) -> Iterator[tuple[datetime, int, Any]]:
    """Yield what happened to the clock, each with its moment and with what goes first of two things at one moment."""
    for pause in clock.pauses.all():
        if pause.ended_at <= clock.started_at:
            continue  # of an earlier run of a clock that begins anew
        yield pause.ended_at, 0, lambda replay, pause=pause: _paused(replay, pause)
    for change, row in changes:
        at, after = change.applied_at or change.created_at, changes
        yield (
            at,
            1,
            lambda replay, change=change, row=row, after=after: _recomputed(replay, change, row, after),
        )
    for event in events:
        if clock.stopped_at is None or event.at <= clock.stopped_at:
            yield event.at, 2, lambda replay, event=event: _changed(replay, event)


def _paused(replay: _Replay, pause: Any) -> Iterator[Move]:
    counting = CalendarVersion.objects.counting(replay.version, replay.target.unit)
    before, amount = replay.due, counting.between(pause.started_at, pause.ended_at)
    replay.pauses.append(sla.Interval(pause.started_at, pause.ended_at))
    if not replay.is_agreed:
        replay.due = replay.count()
    elif pause.started_at < replay.due:
        replay.due = counting.add(replay.due, amount)
    if replay.due != before:
        stage = replay.ticket.definition.find_stage(pause.stage)
        yield Move(pause.ended_at, "paused", replay.due, amount=amount, stage=stage)


def _first_targets(clock: Clock, ticket: Ticket, changes: Changes) -> Targets:
    """Return the targets that were in force when the clock began."""
    first = next((change for change, _row in changes if change.process_id), None)
    if first is not None:
        return first.base_policy.as_targets if first.base_policy else ticket.definition.targets
    if clock.policy_version_id is not None:
        return PolicyVersion.objects.targets(clock.policy_version_id)
    return ticket.definition.targets


def _version_after(moment: datetime, clock: Clock, changes: Changes) -> int | None:
    """Return the version of the calendar that counted from a moment on."""
    later = (
        change.base_id
        for change, _row in changes
        if change.base_id and (change.applied_at or moment) > moment
    )
    return next(later, clock.calendar_version_id)


def _recomputed(
    replay: _Replay, change: ScheduleChange, row: DueChange | None, changes: Changes
) -> Iterator[Move]:
    at = change.applied_at or change.created_at
    if change.policy is not None:
        replay.targets = change.policy.as_targets
        if not replay.is_agreed:
            replay.target = replay.wanted() or replay.target
    replay.version = _version_after(at, replay.clock, changes)
    if row is not None:
        replay.due = row.after
        author = str(change.author) if change.author else ""
        target = replay.target if change.policy_id else None
        yield Move(at, "recomputed", row.after, author, reason=change.told_reason, target=target)


def _changed(replay: _Replay, event: TicketEvent) -> Iterator[Move]:
    changes: Mapping[str, Any] = event.data["changes"]
    if changes.get("severity") or changes.get("case_kind"):
        replay.severity = (changes.get("severity") or [None, replay.severity])[1]
        replay.case_kind = (changes.get("case_kind") or [None, replay.case_kind])[1]
        target = replay.wanted()
        if target and not replay.is_agreed and target != replay.target:
            replay.target = target
            replay.due = replay.count()
            yield Move(
                event.at,
                "retargeted",
                replay.due,
                event.actor_name,
                target=target,
                severity=replay.severity,
                case_kind=replay.case_kind,
            )
    agreed = changes.get("due_at")
    moment = parse_datetime(agreed[1]) if agreed and agreed[1] and replay.clock.kind == "resolution" else None
    if moment:
        replay.is_agreed, replay.due = True, moment
        yield Move(event.at, "agreed", moment, event.actor_name)
