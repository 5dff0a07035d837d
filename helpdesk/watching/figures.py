"""Read from the database how much waits and how long, for /metrics and «Salud».

Every count stops at `MANY` rows of an index, so that the figures cost the same at any size. They are read at most once
in `CACHED_SECONDS` by each process, by one thread while the others wait.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet
from django.utils import timezone

from accounts.models import Department
from notifications.enums import TROUBLED_STATES, MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import holding
from notifications.outgoing.holding import HeldMail
from tickets.lists.queues import ORDERS, BoundedCount
from tickets.models import Attachment, Ticket

from ..models import TaskRun

MANY = 10_000
DUE = ORDERS["vence"].keys
CACHED_SECONDS = 10.0
STATEMENT_MS = 2000
"""PostgreSQL gives up on a single figure after this time: then the figures fail, and not the desk."""


@dataclass(frozen=True)
class QueueFigures:
    """The open tickets of one department: all, those without an assignee, and those whose nearest promise is over."""

    department: Department
    """Kept whole: people read its name in their own language."""
    open: int
    unassigned: int
    overdue: int

    @property
    def key(self) -> str:
        return self.department.key


@dataclass(frozen=True)
class Figures:
    at: datetime
    outbox_waiting: int
    outbox_oldest: datetime | None
    mails_failed: int
    mails_uncertain: int
    held: HeldMail | None
    overdue_promises: int
    escalated: int
    uploads_held: int
    queues: tuple[QueueFigures, ...]
    tasks: tuple[TaskRun, ...]


def bounded(rows: "QuerySet[Any]", *, along: Sequence[str]) -> int:
    """Count `rows`, but no further than `MANY`, in the order of an index that holds them."""
    return rows.order_by(*along).values("pk")[:MANY].count()


def read() -> Figures:
    """Read all figures now, in the same number of queries whatever the number of tickets."""
    now = timezone.now()
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_MS}")
        troubled = OutgoingEmail.objects.filter(state__in=TROUBLED_STATES)
        return Figures(
            at=now,
            outbox_waiting=OutgoingEmail.objects.queued().values("pk")[:MANY].count(),
            outbox_oldest=OutgoingEmail.objects.oldest_waiting(),
            mails_failed=bounded(troubled.filter(state=MailState.FAILED), along=["-id"]),
            mails_uncertain=bounded(troubled.filter(state=MailState.UNCERTAIN), along=["-id"]),
            held=holding.held_mail(),
            overdue_promises=bounded(
                Ticket.objects.open().filter(is_paused=False, due_order__lte=now), along=DUE
            ),
            escalated=bounded(Ticket.objects.open().counted_in_metrics().escalated(), along=DUE),
            uploads_held=bounded(Attachment.objects.filter(scan=Attachment.Scan.PENDING), along=["-id"]),
            queues=_queues(now),
            tasks=tuple(TaskRun.objects.order_by("task")),
        )


def _queues(now: datetime) -> tuple[QueueFigures, ...]:
    tickets = Ticket.objects.open().filter(department=OuterRef("pk"))
    overdue = tickets.filter(is_paused=False, due_order__lte=now)
    departments = Department.objects.filter(is_active=True).annotate(
        open=BoundedCount(tickets, along=DUE, stop=MANY),
        unassigned=BoundedCount(tickets.filter(assignee__isnull=True), along=DUE, stop=MANY),
        overdue=BoundedCount(overdue, along=DUE, stop=MANY),
    )
    return tuple(QueueFigures(row, row.open, row.unassigned, row.overdue) for row in departments)


class Cache:
    """The last figures of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.figures: Figures | None = None
        self.read_at = 0.0

    def get(self) -> Figures:
        """Return figures that are no older than `CACHED_SECONDS`."""
        with self.lock:
            if self.figures is None or monotonic() - self.read_at > CACHED_SECONDS:
                self.figures, self.read_at = read(), monotonic()
            return self.figures

    def clear(self) -> None:
        with self.lock:
            self.figures = None


cache = Cache()
