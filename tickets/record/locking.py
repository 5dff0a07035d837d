"""Verbs work on the row as it is now, not as a page saw it."""

from ..models import Ticket


def locked(ticket: Ticket) -> Ticket:
    """The ticket read again under a row lock; only inside a transaction (SQLite locks the whole file instead)."""
    row: Ticket = (
        Ticket.objects.select_for_update(of=("self",))
        .select_related("process_version", "requester", "assignee", "department", "category")
        .get(pk=ticket.pk)
    )
    return row
