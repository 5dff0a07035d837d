"""Mark the tickets whose texts have changed, so that a job writes their words again."""

from collections.abc import Mapping
from typing import Any

from ..models import ChangedText, Ticket

TEXTS = ("title", "requester_name", "requester_email", "requester_phone", "fields")
"""The columns of a ticket whose words are searched, beside its messages."""


def mark_text(ticket: Ticket) -> None:
    """Say that the words of the ticket must be written again. One query."""
    ChangedText.objects.create(ticket=ticket)


def has_new_text(ticket: Ticket, before: Mapping[str, Any] | None) -> bool:
    """Return whether a column that is searched differs from what it was `before`."""
    return before is not None and any(before[name] != getattr(ticket, name) for name in TEXTS)
