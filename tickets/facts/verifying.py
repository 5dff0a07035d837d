"""Compare what is stored for reports with what the events and the tickets say."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet

from ..models import DailyCounts, DirtyDay, StageVisit, Ticket, TicketEvent
from ..record.locking import locked_if_free
from .counting import Counts, Place, all_days, counts_of
from .replay import CalendarHistory, replay

BATCH = 200
COMPARED = [field.attname for field in StageVisit._meta.concrete_fields if not field.primary_key]


@dataclass(frozen=True)
class Finding:
    """Says whether what is stored is right: the stays of the ticket with this folio, or the counts of this day."""

    what: str
    is_right: bool


def verify() -> Iterator[Finding]:
    """Compare the stays of every ticket with its events, and the counts of every day with its tickets.

    Tickets whose first events retention has deleted cannot be compared, nor can days of which it has deleted tickets;
    days that wait for being counted again are left out, too.
    """
    yield from _tickets()
    yield from _days()


def _tickets() -> Iterator[Finding]:
    last, history = 0, CalendarHistory()
    while pks := list(Ticket.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = pks[-1]
        found = _compared(Ticket.objects.in_bulk(pks), history)
        wrong = [pk for pk, is_right in found.items() if not is_right]
        with transaction.atomic():  # somebody may have moved them between two of the queries
            tickets = locked_if_free(wrong)
            found |= _compared(tickets, history)
        folios = dict(Ticket.objects.filter(pk__in=found).values_list("pk", "folio"))
        yield from (Finding(folios[pk], is_right) for pk, is_right in found.items())


def _compared(tickets: dict[int, Ticket], history: CalendarHistory) -> dict[int, bool]:
    """Return whether the stays of each ticket are right, of those whose events tell them."""
    events = _by_ticket(TicketEvent.objects.filter(ticket__in=tickets).order_by("ticket", "version"))
    visits = _by_ticket(StageVisit.objects.filter(ticket__in=tickets).order_by("ticket", "left_at", "id"))
    found = {}
    for pk, ticket in tickets.items():
        told = replay(ticket, events.get(pk, []), history)
        if told is None:
            continue
        is_same = _plain(visits.get(pk, [])) == _plain(told.visits)
        found[pk] = is_same and told.agrees_with(ticket)
    return found


OfTicket = TypeVar("OfTicket", TicketEvent, StageVisit)


def _by_ticket(rows: "QuerySet[OfTicket]") -> dict[int, list[OfTicket]]:
    found: dict[int, list[OfTicket]] = {}
    for row in rows:
        found.setdefault(row.ticket_id, []).append(row)
    return found


def _plain(visits: Collection[StageVisit]) -> list[list[object]]:
    return [[getattr(visit, name) for name in COMPARED] for visit in visits]


def _days() -> Iterator[Finding]:
    for day in all_days():
        is_right = stored_counts_of(day) == counts_of(day)
        if not is_right and _cannot_be_compared(day):
            continue
        yield Finding(f"{day}", is_right)


def _cannot_be_compared(day: date) -> bool:
    return (
        DirtyDay.objects.filter(day=day).exists()
        or DailyCounts.objects.filter(day=day, is_frozen=True).exists()
    )


def stored_counts_of(day: date) -> dict[Place, Counts]:
    """Return what is stored for the day. One query."""
    rows = DailyCounts.objects.filter(day=day).values_list("scope", "value", "counts")
    return {(scope, value): counts for scope, value, counts in rows}
