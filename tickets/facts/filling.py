"""Write the stays of tickets that were moved before stays were recorded."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from ..enums import EventKind
from ..models import StageVisit, Ticket, TicketEvent
from ..record.days import mark_tickets
from ..record.locking import locked_if_free
from .replay import DERIVED, CalendarHistory, replay

BATCH = 200


@dataclass
class Filled:
    """How many tickets got their stays, and how many were left because somebody was changing them."""

    filled: int = 0
    busy: int = 0


def fill() -> Iterator[Filled]:
    """Write the missing stays of all tickets, in batches. Yields how far it is after each. A run that was interrupted
    goes on where it ended, because finished tickets are not found again."""
    done, last, history = Filled(), 0, CalendarHistory()
    while pks := list(incomplete().filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = pks[-1]
        _fill(pks, history, done)
        yield done


def incomplete() -> "QuerySet[Ticket]":
    """Return the tickets whose stays, or what follows from them, are missing."""
    moves = _count(TicketEvent.objects.filter(kind=EventKind.STAGE_CHANGED))
    return Ticket.objects.annotate(moves=moves, visited=_count(StageVisit.objects.all())).filter(
        Q(moves__gt=F("visited"))
        | Q(first_response_at__isnull=False, first_response_seconds__isnull=True)
        | Q(closed_at__isnull=False, resolution_seconds__isnull=True)
        | Q(closed_at__isnull=False, path=""),
        events__kind=EventKind.FILED,
    )


def _count(rows: "QuerySet[TicketEvent] | QuerySet[StageVisit]") -> Coalesce:
    theirs = rows.filter(ticket=OuterRef("pk")).order_by().values("ticket").annotate(n=Count("*")).values("n")
    return Coalesce(Subquery(theirs, output_field=IntegerField()), 0)


@transaction.atomic
def _fill(pks: Collection[int], history: CalendarHistory, done: Filled) -> None:
    free = locked_if_free(pks)
    done.busy += len(pks) - len(free)
    by_ticket: dict[int, list[TicketEvent]] = {}
    for event in TicketEvent.objects.filter(ticket__in=free).order_by("ticket", "version"):
        by_ticket.setdefault(event.ticket_id, []).append(event)
    found = {pk: replay(ticket, by_ticket.get(pk, []), history) for pk, ticket in free.items()}
    told = {pk: each for pk, each in found.items() if each}
    StageVisit.objects.filter(ticket__in=told).delete()
    StageVisit.objects.bulk_create([visit for each in told.values() for visit in each.visits])
    for pk, each in told.items():
        each.write(free[pk])
    Ticket.objects.bulk_update([free[pk] for pk in told], DERIVED)
    mark_tickets([free[pk] for pk in told])
    done.filled += len(told)
