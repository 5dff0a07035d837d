"""List who was passed over and by whom, where a process works in order of arrival (S2.35)."""

from django.db.models import Q, QuerySet

from accounts.models import User

from ..models import Overtaking, Ticket

SHOWN = 10


def overtakings_of(ticket: Ticket, *, user: User) -> list[Overtaking]:
    """Return the latest `SHOWN` cases in which this ticket was passed over or passed over another, with both tickets
    and the person who decided. Tickets that `user` may not see are left out. One query, and none for a process by due
    date."""
    if not ticket.by_arrival:
        return []
    seen = Ticket.objects.visible_to(user).values("pk")
    rows = newest().filter(Q(ticket=ticket, by_ticket__in=seen) | Q(by_ticket=ticket, ticket__in=seen))
    return list(rows.order_by("-at", "-id")[:SHOWN])


def newest() -> "QuerySet[Overtaking]":
    """Return all cases with what a list of them shows. Supervisors, who see every ticket, read them."""
    return Overtaking.objects.select_related("ticket", "by_ticket", "decided_by")
