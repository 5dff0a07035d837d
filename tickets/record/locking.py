"""Lock a ticket's row, so that verbs change its present state and not the state that a page showed."""

from collections.abc import Collection
from copy import deepcopy
from functools import cache
from typing import Any

from django.db.models import Field, GeneratedField

from content.folded import FoldedField

from ..models import Ticket

RELATED = ("requester", "assignee", "department", "category")
_STORED = "_stored_columns"


def locked(ticket: Ticket) -> Ticket:
    """Read the ticket again and lock its row until the transaction ends; SQLite locks the whole database instead.

    Returns a new instance with its related rows. Call it inside a transaction.
    """
    row: Ticket = Ticket.objects.select_for_update(of=("self",)).select_related(*RELATED).get(pk=ticket.pk)
    _remember(row)
    return row


def locked_if_free(tickets: Collection[int]) -> dict[int, Ticket]:
    """Read these tickets again, by primary key, and lock those that nobody else has locked, until the transaction ends.

    Waits for none, so it can hold several without ever waiting in a circle. Returns the locked ones, to be read and not
    to be saved.
    """
    rows = Ticket.objects.select_for_update(of=("self",), skip_locked=True).select_related(*RELATED)
    return rows.in_bulk(tickets)


def save_changes(ticket: Ticket) -> None:
    """Save the columns of the ticket that differ from those last read or saved here; all of them for a ticket that
    `locked` did not return.

    PostgreSQL keeps the indexes untouched when no indexed column changes, and an UPDATE of fifty columns takes longer
    to write down than to carry out.
    """
    stored = stored_columns(ticket)
    ticket.save(update_fields=None if stored is None else _changed(ticket, stored))
    _remember(ticket)


def stored_columns(ticket: Ticket) -> dict[str, Any] | None:
    """Return the columns of the ticket as they were last read or saved here; None for a ticket that `locked` did not
    return."""
    stored: dict[str, Any] | None = getattr(ticket, _STORED, None)
    return stored


def _changed(ticket: Ticket, stored: dict[str, Any]) -> list[str]:
    changed = {name for name, value in _columns(ticket).items() if stored[name] != value}
    folded = {
        field.attname for field in _fields() if isinstance(field, FoldedField) and changed & {*field.of}
    }
    return sorted(changed | folded)


def _remember(ticket: Ticket) -> None:
    setattr(ticket, _STORED, deepcopy(_columns(ticket)))


def _columns(ticket: Ticket) -> dict[str, Any]:
    return {field.attname: ticket.__dict__[field.attname] for field in _fields()}


@cache
def _fields() -> tuple["Field[Any, Any]", ...]:
    columns = Ticket._meta.concrete_fields
    return tuple(
        field for field in columns if not field.primary_key and not isinstance(field, GeneratedField)
    )
