"""The data from which the bench makes tickets, and the rows of one ticket."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Department, User
from notifications.models import OutgoingEmail
from tickets.definitions.definition import Action, Definition
from tickets.facts.replay import CalendarHistory
from tickets.models import (
    Attachment,
    Breach,
    Category,
    Clock,
    Delivery,
    FieldValue,
    Message,
    Pause,
    ProcessVersion,
    StageVisit,
    Survey,
    Ticket,
    TicketEvent,
    Turn,
)

ROWS_EACH = 64
"""Ids of one table that are kept free for each ticket, so that processes can write tickets side by side."""


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
        waiting: deque[tuple[str, tuple[Action, ...]]] = deque([(start, ())])
        seen = {start}
        while waiting:
            stage, way = waiting.popleft()
            if stage == end:
                return way
            for action in self.definition.actions:
                if stage in action.sources and action.to and action.to not in seen:
                    seen.add(action.to)
                    waiting.append((action.to, (*way, action)))
        return None


IN_ARCHIVE = 20


@dataclass(frozen=True)
class Desk:
    lines: list[Line]
    customers: list[User]
    staff: dict[int, list[User]]  # by department
    archive: Department
    """A department with `IN_ARCHIVE` tickets, for the agent who sees few."""
    now: datetime
    size: int
    calendars: CalendarHistory = field(default_factory=CalendarHistory)

    def is_for_archive(self, number: int) -> bool:
        return number % max(self.size // IN_ARCHIVE, 1) == 0


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
    mails: list[OutgoingEmail] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    visits: list[StageVisit] = field(default_factory=list)
    answers: list[FieldValue] = field(default_factory=list)

    def number_rows(self) -> None:
        """Give every row the id that follows from the ticket's, and copy it to the rows that refer to it."""
        first = (self.ticket.pk - 1) * ROWS_EACH + 1
        for name in CHILDREN:
            for pk, row in enumerate(getattr(self, name), start=first):
                row.pk = pk
        for event in self.events:
            event.message = event.message
        for attachment in self.attachments:
            attachment.message = attachment.message
        for pause in self.pauses:
            pause.clock = pause.clock
        for delivery in self.deliveries:
            delivery.event = delivery.event
        for mail in self.mails:
            mail.event, mail.delivery = mail.event, mail.delivery


# In this order, because later ones refer to earlier ones.
CHILDREN = (
    "messages", "attachments", "events", "deliveries", "mails", "clocks", "pauses", "surveys", "turns", "visits",
    "answers", "breaches",
)  # fmt: skip
