"""Find from the events of a ticket which stages it visited and how long the desk worked on it.

`workflow.perform` writes the same while it happens. What is found here fills the tickets from before, and proves that
what is stored is right.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from accounts.models import Department

from ..definitions.definition import Stage
from ..enums import EventKind, TargetUnit
from ..models import CalendarVersion, PolicyVersion, ProcessVersion, StageVisit, Ticket, TicketEvent
from ..record.visits import Stay, end_of, visit_of

CHANGED_BY = {"assignee": ("assignee_id",), "department": ("department_id", "department")}
"""The names under which events keep the changes of a property, the newest first."""
DERIVED = ("first_response_seconds", "resolution_seconds", "path")
"""The columns of a ticket that follow from its stays."""


@dataclass(frozen=True)
class Replay:
    """The finished stays that the events tell, in order, and the seconds of work that follow from them."""

    visits: list[StageVisit]
    first_response_seconds: int | None
    resolution_seconds: int | None
    path: str

    def write(self, ticket: Ticket) -> None:
        """Set on the ticket what follows from its stays. Does not save."""
        for name in DERIVED:
            setattr(ticket, name, getattr(self, name))

    def agrees_with(self, ticket: Ticket) -> bool:
        return all(getattr(ticket, name) == getattr(self, name) for name in DERIVED)


class CalendarHistory:
    """Which calendar version a process worked by at a moment. Reads policies, calendars and departments once."""

    @cached_property
    def _policies(self) -> dict[int, list[tuple[datetime, int]]]:
        found: dict[int, list[tuple[datetime, int]]] = {}
        for process, created, pk in PolicyVersion.objects.order_by("number").values_list(
            "process", "created_at", "pk"
        ):
            found.setdefault(process, []).append((created, pk))
        return found

    @cached_property
    def _calendars(self) -> dict[str, list[tuple[datetime, int]]]:
        found: dict[str, list[tuple[datetime, int]]] = {}
        versions = CalendarVersion.objects.order_by("number")
        for key, created, pk in versions.values_list("calendar__key", "created_at", "pk"):
            found.setdefault(key, []).append((created, pk))
        return found

    @cached_property
    def department_keys(self) -> dict[int | None, str]:
        return dict(Department.objects.values_list("pk", "key"))

    def version(self, ticket: Ticket, at: datetime) -> int | None:
        """Return the id of the calendar version by which the ticket's process worked; None if it named no calendar.
        Before the first version of a calendar, that first one."""
        process = ProcessVersion.objects.process_of(ticket.process_version_id)
        policies = [pk for created, pk in self._policies.get(process, []) if created <= at]
        targets = PolicyVersion.objects.targets(policies[-1]) if policies else ticket.definition.targets
        versions = self._calendars.get(targets.calendar, [])
        earlier = [pk for created, pk in versions if created <= at]
        return earlier[-1] if earlier else next((pk for _created, pk in versions), None)


def replay(ticket: Ticket, events: Iterable[TicketEvent], history: CalendarHistory) -> Replay | None:
    """Return what the events of the ticket, in order of version, tell of its stays. None if they do not begin with its
    filing: retention has deleted them."""
    events = list(events)
    if not events or events[0].kind != EventKind.FILED:
        return None
    visits: list[StageVisit] = []
    counts: dict[str, int] = {}
    stage, since = _stage(ticket, events[0].data["to"]), events[0].at
    for event, assignee, department in _with_owners(ticket, events):
        if event.kind != EventKind.STAGE_CHANGED or stage is None:
            continue
        counts[stage.key] = counts.get(stage.key, 0) + 1
        stay = Stay(stage, since, assignee, department, history.department_keys.get(department, ""))
        visits.append(
            visit_of(
                ticket,
                stay,
                number=counts[stage.key],
                action=event.action,
                next_stage=event.data["to"],
                left_by=event.actor_id,
                at=event.at,
                calendar_version=history.version(ticket, event.at),
            )
        )
        stage, since = _stage(ticket, event.data["to"]), visits[-1].left_at
    answered = ticket.first_response_at
    seconds, path = end_of(ticket, visits) if ticket.closed_at else (None, "")
    return Replay(
        visits,
        None if answered is None else _worked_by(ticket, visits, (stage, since), answered, history),
        seconds,
        path,
    )


def _stage(ticket: Ticket, key: str) -> Stage | None:
    return ticket.definition.find_stage(key)


def _with_owners(
    ticket: Ticket, events: Sequence[TicketEvent]
) -> list[tuple[TicketEvent, int | None, int | None]]:
    """Return each event with the assignee and the department that the ticket had before it: from the present ones, all
    changes are taken back, the last first."""
    owners: dict[str, Any] = {"assignee": ticket.assignee_id, "department": ticket.department_id}
    found = []
    for event in reversed(events):
        changes = event.data.get("changes", {})
        for name, keys in CHANGED_BY.items():
            if change := next((changes[key] for key in keys if key in changes), None):
                owners[name] = change[0]
        found.append((event, owners["assignee"], owners["department"]))
    return found[::-1]


def _worked_by(
    ticket: Ticket,
    visits: list[StageVisit],
    lasting: tuple[Stage | None, datetime],
    moment: datetime,
    history: CalendarHistory,
) -> int:
    """Return the seconds of work up to `moment`: those of the stays that were over, and a part of the one that was
    not."""
    over = [visit for visit in visits if visit.left_at <= moment]
    total = sum(visit.working_seconds for visit in over if visit.is_counted)
    following = visits[len(over)] if len(over) < len(visits) else None
    stage, since = lasting if following is None else (_stage(ticket, following.stage), following.entered_at)
    if stage is None or stage.clock != "runs" or since >= moment:
        return total
    counting = CalendarVersion.objects.counting(history.version(ticket, moment), TargetUnit.WORKING)
    return total + int(counting.between(since, moment).total_seconds())
