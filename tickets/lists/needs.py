"""Find what needs a supervisor now, the most harmful first: queues with their first tickets, reports and loads."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import QuerySet

from accounts.models import User
from content.sorting import sort_key

from ..models import Nonconformity, Ticket
from . import queues
from .queues import MANY, Queue

SHOWN = 4
LEAST_LOAD = 10
"""With fewer open tickets nobody has too much, however few the others have."""
TIMES_MEDIAN = 1.5


@dataclass(frozen=True)
class Need:
    """The tickets of a queue that wait for somebody: how many, up to `MANY`, and the first of them."""

    queue: Queue
    count: int
    tickets: list[Ticket]


def needs_of(user: User, *, now: datetime, counts: dict[str, int]) -> list[Need]:
    """Return the needs that are queues: elevated, due soon, to prepare, and waiting for the approval of the closing.
    `counts` has the figures of the side list. One query for each queue that is not empty."""
    by_key = {queue.key: queue for queue in queues.queues_for(user)}
    keys = (queues.ELEVATED, queues.DUE_SOON.key, queues.TO_PREPARE.key, queues.TO_APPROVE)
    found = []
    for key in keys:
        queue = by_key[key]
        order = queues.ORDERS[queue.order].keys
        count = counts.get(key)
        tickets = [] if count == 0 else list(queues.for_rows(queue.tickets(user)).order_by(*order)[:SHOWN])
        if count is None or len(tickets) < SHOWN:
            count = len(tickets) if len(tickets) < SHOWN else queues.count(queue.tickets(user))
        found.append(Need(queue, count, tickets))
    return found


def open_nonconformities() -> "tuple[QuerySet[Nonconformity], int]":
    """Return the reports that nobody has reviewed, oldest first, and how many they are, up to `MANY`."""
    rows = Nonconformity.objects.filter(reviewed_at__isnull=True)
    count = len(rows.order_by("-opened_at").values_list("pk")[:MANY])
    return rows.select_related("ticket", "responsible").order_by("opened_at"), count


@dataclass(frozen=True)
class Load:
    """How many open tickets a member of staff has, up to `MANY`, and whether that is too much: at least `LEAST_LOAD`,
    and more than `TIMES_MEDIAN` times the median of those who have any."""

    person: User
    size: int
    is_too_much: bool


def loads() -> list[Load]:
    """Return the load of everybody on the staff, the largest first. One query."""
    people = list(User.objects.staff().annotate(size=queues.open_tickets_of("pk")))
    busy = [person.size for person in people if person.size]
    limit = max(LEAST_LOAD, TIMES_MEDIAN * median(busy)) if busy else LEAST_LOAD
    ordered = sorted(people, key=lambda person: (-person.size, sort_key(person.name)))
    return [
        Load(person, person.size, person.size >= LEAST_LOAD and person.size > limit) for person in ordered
    ]
