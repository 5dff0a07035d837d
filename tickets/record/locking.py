"""Lock a ticket's row, so that verbs change its present state and not the state that a page showed."""

from ..models import Ticket


def locked(ticket: Ticket) -> Ticket:
    """Read the ticket again and lock its row until the transaction ends; SQLite locks the whole database instead.

    Returns a new instance with its related rows. Call it inside a transaction.
    """
    row: Ticket = (
        Ticket.objects.select_for_update(of=("self",))
        .select_related("process_version", "requester", "assignee", "department", "category")
        .get(pk=ticket.pk)
    )
    return row
