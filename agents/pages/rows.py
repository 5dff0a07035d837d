"""A ticket as one row of a list: the labels, colour tokens and flags that the row shows."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import TextChoices
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.enums import Standing
from accounts.models import User
from tickets import clocks
from tickets.enums import ClockKind, Severity
from tickets.lists import queues
from tickets.lists.queues import RowClock
from tickets.models import SideTask, Ticket
from tickets.sla import ClockStatus


class Group(TextChoices):
    """The groups of a queue that is ordered by due date."""

    OVERDUE = "overdue", _("Vencidos")
    TODAY = "today", _("Vencen hoy")
    LATER = "later", _("A tiempo")
    UNDATED = "undated", _("Sin plazo")
    PAUSED = "paused", _("En pausa, esperan al cliente")


@dataclass(frozen=True)
class Moment:
    """The current time and the end of the reader's day, the same for all rows of a page."""

    now: datetime
    end_of_day: datetime

    @classmethod
    def present(cls) -> "Moment":
        now = timezone.now()
        tomorrow = timezone.localdate(now) + timedelta(days=1)
        return cls(now, timezone.make_aware(datetime.combine(tomorrow, time.min)))


PROMISES = {
    ClockKind.FIRST_RESPONSE: _("1.ª respuesta"),
    ClockKind.NEXT_REPLY: _("Respuesta"),
    ClockKind.PROGRESS: _("Avance"),
    ClockKind.RESOLUTION: ClockKind.RESOLUTION.label,
}
FOLIO_PLACEHOLDER = "FOLIO"


def ticket_address(origin: str) -> str:
    """Return a ticket's address with `FOLIO_PLACEHOLDER` for the folio, built once for all rows of a list."""
    url = reverse("agents:ticket", args=[FOLIO_PLACEHOLDER])
    return f"{url}?{origin}" if origin else url


def rows_of(tickets: Iterable[Ticket], moment: Moment, *, origin: str = "") -> list["Row"]:
    """Return the rows of these tickets, read by `queues.for_rows`. One query, for their clocks. Their links carry
    `origin`, the query string of the list."""
    tickets = list(tickets)
    clocks, page = queues.clocks_of(tickets), ticket_address(origin)
    return [Row(ticket, moment, clocks.get(ticket.pk, []), page=page) for ticket in tickets]


def tell_tasks(rows: Iterable["Row"], user: User) -> None:
    """Have each row say which side tasks its ticket has for this person, and who has taken each, in the place of the
    report's first words. One query."""
    by_ticket = {row.ticket.pk: row for row in rows}
    tasks = SideTask.objects.open().for_person(user).filter(ticket__in=by_ticket).select_related("assignee")
    for task in tasks.order_by("pk"):
        row = by_ticket[task.ticket_id]
        who = task.assignee.name if task.assignee else gettext("sin tomar")
        row.note += f"{' · ' if row.note else ''}{task.title} ({who})"


class Row:
    """One row of a list. `ticket` must come from `queues.for_rows`; `page` is what `ticket_address` returns."""

    def __init__(self, ticket: Ticket, moment: Moment, clocks: list[RowClock], *, page: str = "") -> None:
        self.ticket = ticket
        self.clocks = clocks
        self.moment = moment
        self.page = page
        self.told_clock = ""
        """The kind of the clock that the list is about, if it is about one."""
        self.measured = ""
        """The time that a list of the panel measured."""
        self.note = ""

    def measured_as(self, time: str, *, clock: str = "") -> "Row":
        """Return a row of the same ticket that says this time, and the promise of this kind of clock."""
        row = copy(self)
        row.measured, row.told_clock = time, clock
        return row

    @property
    def href(self) -> str:
        """The address of the ticket's page, which carries the queue of this list."""
        return self.page.replace(FOLIO_PLACEHOLDER, self.ticket.folio, 1)

    @cached_property
    def clock(self) -> RowClock | None:
        """The clock that the list is about, else that of the nearest promise. Once all have stopped, the resolution
        clock, which tells how it ended."""
        if self.told_clock:
            return next((clock for clock in self.clocks if clock.kind == self.told_clock), None)
        ended = (clock for clock in self.clocks if clock.kind == ClockKind.RESOLUTION)
        return clocks.nearest(self.clocks) or next(ended, None)

    @cached_property
    def promise(self) -> ClockStatus | None:
        return clocks.status(self.clock, now=self.moment.now) if self.clock else None

    @property
    def promise_label(self) -> str:
        """What is promised, short enough for a narrow column."""
        return str(PROMISES[ClockKind(self.clock.kind)]) if self.clock else ""

    @cached_property
    def severity(self) -> Severity:
        return Severity(self.ticket.severity)

    @property
    def excerpt(self) -> str:
        """The text beside the title: `note` if the list has one for the ticket, else the first words of the report."""
        return self.note or self.ticket.excerpt

    @property
    def stage_label(self) -> str:
        return str(self.ticket.stage_definition.label)

    @property
    def idle(self) -> timedelta:
        """The time since the last event that the requester may see."""
        return self.moment.now - self.ticket.updated_at

    @cached_property
    def has_new_reply(self) -> bool:
        """Whether the requester wrote after the last message from staff."""
        ticket = self.ticket
        spoken, heard = ticket.last_staff_message_at, ticket.last_requester_message_at
        return bool(ticket.is_open and spoken and heard and heard > spoken)

    @property
    def assignee(self) -> str:
        return self.ticket.acting_assignee.name if self.ticket.acting_assignee else ""

    @property
    def assignee_name(self) -> str:
        """The assignee's short name, for a narrow column."""
        return self.ticket.acting_assignee.get_short_name() if self.ticket.acting_assignee else ""

    @property
    def is_elevated(self) -> bool:
        """Whether to tag the ticket as escalated. False while the promise that the row shows is breached: that says it
        already."""
        return self.ticket.is_escalated and not (self.promise and self.promise.state == "breached")

    @property
    def is_inactive(self) -> bool:
        return bool(self.ticket.requester_standing == Standing.INACTIVE)  # type: ignore[attr-defined]

    @property
    def group(self) -> Group:
        return Group(queues.group_of(self.ticket, now=self.moment.now, end_of_day=self.moment.end_of_day))
