"""Keep broken promises on record, and clear those that corrected hours or targets show to have been kept."""

from collections.abc import Collection
from datetime import datetime
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Q

from ..models import Breach, Ticket
from .days import mark


class Broken(NamedTuple):
    """Names a breach: its ticket, the kind of the clock, and the due date that passed."""

    ticket: int
    kind: str
    due_at: datetime


def keep(ticket: Ticket, kind: str, due_at: datetime) -> bool:
    """Put a breach on record, and mark its day. Returns False if it stands there already: a promise is broken once on
    one date, however often it takes and loses that date. Two queries, three for a new breach."""
    breach, is_new = Breach.objects.get_or_create(ticket=ticket, kind=kind, due_at=due_at)
    if not is_new and breach.cleared_at is None:
        return False
    if breach.cleared_at is not None:
        breach.cleared_at = None
        breach.save(update_fields=["cleared_at"])
    mark([due_at])
    return True


def keep_all(broken: Collection[Broken]) -> None:
    """Put the breaches that a change of hours or targets has shown on record. One query, and one to mark their days."""
    if not broken:
        return
    Breach.objects.bulk_create(
        [Breach(ticket_id=each.ticket, kind=each.kind, due_at=each.due_at) for each in broken],
        update_conflicts=True,
        update_fields=["cleared_at"],
        unique_fields=["ticket", "kind", "due_at"],
    )
    mark({each.due_at for each in broken})


def clear(broken: Collection[Broken], *, now: datetime) -> None:
    """Say of breaches that they did not happen. They stay on record. One query, and one to mark their days."""
    if not broken:
        return
    named = reduce(
        or_, (Q(ticket=each.ticket, kind=each.kind, due_at=each.due_at) for each in broken), Q(pk__in=[])
    )
    Breach.objects.filter(named).update(cleared_at=now)
    mark({each.due_at for each in broken})


def standing(tickets: Collection[int]) -> set[Broken]:
    """Return the breaches of these tickets that have not been cleared. One query."""
    rows = Breach.objects.filter(ticket__in=tickets, cleared_at__isnull=True)
    return {Broken(*row) for row in rows.values_list("ticket", "kind", "due_at")}
