"""The data from which the bench makes tickets, and the rows of one ticket."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import User
from tickets.definitions.definition import Action, Definition
from tickets.models import (
    Attachment,
    Category,
    Clock,
    Delivery,
    Message,
    Pause,
    ProcessVersion,
    Survey,
    Ticket,
    TicketEvent,
)


@dataclass(frozen=True)
class Line:
    """One process, with what its tickets need and its share of all tickets (`weight`)."""

    version: ProcessVersion
    definition: Definition
    categories: list[Category]
    weight: int
    roads: dict[tuple[str, str], tuple[Action, ...] | None] = field(default_factory=dict)

    def road(self, start: str, end: str) -> tuple[Action, ...] | None:
        """Return the shortest sequence of actions from stage `start` to stage `end`; None if there is none."""
        if (start, end) not in self.roads:
            self.roads[start, end] = self._search(start, end)
        return self.roads[start, end]

    def _search(self, start: str, end: str) -> tuple[Action, ...] | None:
        waiting, seen = deque([(start, ())]), {start}
        while waiting:
            stage, way = waiting.popleft()
            if stage == end:
                return way
            for action in self.definition.actions:
                if stage in action.sources and action.to and action.to not in seen:
                    seen.add(action.to)
                    waiting.append((action.to, (*way, action)))
        return None


@dataclass(frozen=True)
class Desk:
    lines: list[Line]
    customers: list[User]
    staff: dict[int, list[User]]  # by department
    now: datetime


@dataclass
class Story:
    """One ticket with all its rows, not saved yet."""

    ticket: Ticket
    messages: list[Message] = field(default_factory=list)
    events: list[TicketEvent] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    surveys: list[Survey] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
