"""Proof of the order of arrival (S2.35): which tickets were passed over, by which, and who decided so."""

from datetime import datetime

from ..actors import Actor, user_of
from ..models import Overtaking, Ticket

MOST = 50
"""How many passed tickets are recorded for one answer: those that had waited longest."""


def record_overtaken(ticket: Ticket, *, actor: Actor, now: datetime) -> int:
    """Record the tickets that the first answer to `ticket` passes over. Returns how many, at most `MOST`.

    Those are the open tickets of its department that arrived earlier, also belong to a process by arrival, are not
    paused and have no answer yet. Tests and duplicates are nobody's turn. A rule of the process decides nothing, so it
    passes nobody over. Two queries at most, and none for a process by due date.
    """
    decided_by = user_of(actor)
    if not ticket.by_arrival or decided_by is None or not decided_by.is_desk_staff or ticket.is_test:
        return 0
    waiting = Ticket.objects.unanswered_by_arrival().counted_in_metrics()
    earlier = waiting.filter(
        department=ticket.department_id, created_at__lt=ticket.created_at, is_paused=False
    ).exclude(pk=ticket.pk)
    passed = list(earlier.order_by("created_at", "id").values_list("pk", flat=True)[:MOST])
    Overtaking.objects.bulk_create(
        [Overtaking(ticket_id=pk, by_ticket=ticket, decided_by=decided_by, at=now) for pk in passed],
        ignore_conflicts=True,
    )
    return len(passed)
