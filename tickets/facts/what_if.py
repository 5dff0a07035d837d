"""Replay the tickets that ended in a period under other conditions: one person more, other hours, another target.

Each department is a queue: its tickets are taken in the order in which they arrived, by whoever is free first of the
people who ended tickets in it. Time is that of the opening hours. A ticket keeps somebody busy for a part of the time
that it really took; the rest was waiting. That part is the same for all tickets of the desk. It is chosen so that the
replay without any change has as many tickets on time as there really were (`calibrated`).
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from ..calendars import Calendar
from ..enums import ClockKind, StageKind, TargetUnit
from ..models import Clock

MOST = 5000
"""The tickets that are replayed: the newest of the period."""
STEPS = 18
SHORTEST, LONGEST = 0.001, 1.0
"""The part of its time for which a ticket keeps somebody busy: from almost none to all."""


@dataclass(frozen=True)
class Case:
    """Holds a ticket that ended. `worked` is the working time that it took, `target` the time that was promised: in
    opening hours or, with `is_elapsed`, on the wall."""

    ticket: int
    folio: str
    title: str
    department: int | None
    severity: str
    arrived: datetime
    ended: datetime
    worked: timedelta
    target: timedelta
    is_elapsed: bool
    was_kept: bool
    person: int | None


@dataclass(frozen=True)
class Scenario:
    """Says what is different. `more_people` maps departments to how many people more they have; `targets` severities to
    another target, in the unit of the one that they had."""

    more_people: dict[int | None, int]
    targets: dict[str, timedelta]
    calendar: Calendar | None = None
    """The opening hours; None for those of the desk."""


NOTHING = Scenario({}, {})


@dataclass(frozen=True)
class Outcome:
    """Says what became of a case in a replay: the working time until its end, and whether the promise was kept."""

    case: Case
    took: timedelta
    is_kept: bool


def cases(start: datetime, end: datetime) -> list[Case]:
    """Return the newest `MOST` tickets that were resolved from `start` up to but not including `end` and had a promise,
    in the order of their arrival. One query."""
    clocks = Clock.objects.filter(
        kind=ClockKind.RESOLUTION,
        ticket__stage_kind=StageKind.DONE,
        ticket__closed_at__gte=start,
        ticket__closed_at__lt=end,
        ticket__is_test=False,
        ticket__duplicate_of__isnull=True,
        ticket__resolution_seconds__isnull=False,
    ).order_by("-ticket__closed_at")
    rows: Any = clocks.values_list(
        "ticket", "ticket__folio", "ticket__title", "ticket__department", "ticket__severity", "started_at",
        "ticket__closed_at", "ticket__resolution_seconds", "target", "unit", "breached_at", "ticket__assignee",
    )[:MOST]  # fmt: skip
    found = [
        Case(
            ticket, folio, title, department, severity, arrived, ended, timedelta(seconds=seconds), target,
            unit == TargetUnit.ELAPSED, breached is None, person,
        )
        for ticket, folio, title, department, severity, arrived, ended, seconds, target, unit, breached, person in rows
    ]  # fmt: skip
    return sorted(found, key=lambda case: (case.arrived, case.ticket))


def calibrated(found: Sequence[Case], calendar: Calendar) -> float:
    """Return the part of its time for which a ticket keeps somebody busy, with which the replay without changes has as
    many tickets on time as there were. The larger it is, the longer the queues are."""
    really = sum(case.was_kept for case in found)
    low, high = SHORTEST, LONGEST
    for _step in range(STEPS):
        part = (low + high) / 2
        kept = sum(outcome.is_kept for outcome in replayed(found, NOTHING, calendar, part))
        low, high = (part, high) if kept > really else (low, part)
    return (low + high) / 2


def replayed(found: Sequence[Case], scenario: Scenario, calendar: Calendar, part: float) -> list[Outcome]:
    """Return what becomes of each case under the scenario."""
    by_department: dict[int | None, list[Case]] = {}
    for case in found:
        by_department.setdefault(case.department, []).append(case)
    outcomes = []
    for department, theirs in by_department.items():
        people = len({case.person for case in theirs if case.person is not None}) or 1
        people += scenario.more_people.get(department, 0)
        hours = scenario.calendar or calendar
        outcomes += _queue(theirs, people, scenario.targets, hours, part)
    return sorted(outcomes, key=lambda outcome: (outcome.case.arrived, outcome.case.ticket))


def _queue(
    theirs: Iterable[Case], people: int, targets: dict[str, timedelta], hours: Calendar, part: float
) -> list[Outcome]:
    """Let so many people take the cases in the order of their arrival."""
    theirs = list(theirs)
    begin = theirs[0].arrived
    free = [timedelta()] * people
    outcomes = []
    for case in theirs:
        arrived = hours.between(begin, case.arrived)
        ended = max(arrived, heapq.heappop(free)) + case.worked * part
        heapq.heappush(free, ended)
        took, target = ended - arrived, targets.get(case.severity, case.target)
        on_the_wall = hours.add(begin, ended) - case.arrived if case.is_elapsed else took
        outcomes.append(Outcome(case, took, on_the_wall <= target))
    return outcomes


def with_targets(found: Iterable[Case], targets: dict[str, timedelta]) -> list[Outcome]:
    """Return what becomes of the cases if only targets are others: nobody works otherwise, so no queue is replayed."""
    outcomes = []
    for case in found:
        target = targets.get(case.severity)
        if target is None:
            outcomes.append(Outcome(case, case.worked, case.was_kept))
            continue
        took = case.ended - case.arrived if case.is_elapsed else case.worked
        outcomes.append(Outcome(case, case.worked, took <= target))
    return outcomes


def share_kept(outcomes: Sequence[Outcome]) -> float | None:
    return sum(outcome.is_kept for outcome in outcomes) / len(outcomes) if outcomes else None


def quantile_of(outcomes: Sequence[Outcome], share: float) -> timedelta | None:
    """Return the working time that this share of the cases did not exceed, None without any."""
    times = sorted(outcome.took for outcome in outcomes)
    return times[max(1, ceil(share * len(times))) - 1] if times else None
