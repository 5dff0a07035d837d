"""Record the changes of tickets. Verbs call `record` once for each change, inside their transaction."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Required, TypedDict, Unpack

from django.dispatch import Signal
from django.utils import timezone

from ..actors import Actor, name_of, user_of
from ..enums import EventKind
from ..exceptions import NotAllowed
from ..models import Message, Ticket, TicketEvent
from .days import mark_changed
from .locking import save_changes, stored_columns
from .texts import has_new_text, mark_text
from .turns import record_turns

event_recorded = Signal()
"""Sent with `event=` inside the transaction that wrote the event. A receiver may write rows. It must not send mail,
call other services or take long, because the ticket is locked."""


class EventDetails(TypedDict, total=False):
    """What `record` and `write_event` keep of an event."""

    actor: Required[Actor]
    action: str
    data: dict[str, Any] | None
    notify: Sequence[tuple[str, str]]
    """Each addressee, written as a `Who`, with a template."""
    message: Message | None
    key: str | None
    """The form's idempotency key: `already_recorded` finds the event by it when the form is sent again."""
    at: datetime | None


def record(ticket: Ticket, kind: str, *, public: bool, **event: Unpack[EventDetails]) -> TicketEvent:
    """Raise the versions of the locked `ticket`, save what changed, mark the days to count and the texts to search
    again, write the event that describes it, and return it.

    For `public` and the details see `write_event`.
    """
    ticket.version += 1
    if public:
        ticket.public_version += 1
        ticket.updated_at = timezone.now()
    before = stored_columns(ticket)
    save_changes(ticket)
    mark_changed(ticket, before=before)
    if has_new_text(ticket, before):
        mark_text(ticket)
    return write_event(ticket, kind, public=public, **event)


def insert_with_first_event(ticket: Ticket) -> None:
    """Insert the new ticket with the versions that it has after its first event, which `write_event` must follow."""
    ticket.version = ticket.public_version = 1
    ticket.save(force_insert=True)
    mark_changed(ticket, before=None)
    mark_text(ticket)


def write_event(ticket: Ticket, kind: str, *, public: bool, **details: Unpack[EventDetails]) -> TicketEvent:
    """Write an event of the ticket's present version and return it. Its receivers are called.

    `public` says whether the requester may see the event.
    """
    actor, action, at = details["actor"], details.get("action", ""), details.get("at")
    event = TicketEvent.objects.create(
        ticket=ticket,
        kind=kind,
        action=action,
        actor=user_of(actor),
        actor_name=name_of(actor)[:120],
        is_public=public,
        data=details.get("data") or {},
        notify=[{"to": to, "template": template} for to, template in details.get("notify", ())],
        message=details.get("message"),
        version=ticket.version,
        at=at or timezone.now(),
        idempotency_key=_stored_key(details.get("key"), ticket, action or kind),
    )
    record_turns(ticket, is_new=kind == EventKind.FILED)
    event_recorded.send(sender=TicketEvent, event=event)
    return event


def already_recorded(
    key: str | None, *, actor: Actor, act: str, ticket: Ticket | None = None
) -> TicketEvent | None:
    """Return the event that an earlier call with the same `key` recorded; None if there is none.

    Verbs call it first, so that a form sent twice acts once. `act` is the `action` given to `record`, or the
    `kind` if no action was given. The same key may be used again for another ticket or another act. Raises `NotAllowed`
    if another actor used the key.
    """
    if not key:
        return None
    stored = _stored_key(key, ticket, act)
    event = TicketEvent.objects.filter(idempotency_key=stored).first()
    if event is not None and (event.actor != user_of(actor) or event.actor_name != name_of(actor)[:120]):
        raise NotAllowed
    return event


def _stored_key(key: str | None, ticket: Ticket | None, act: str) -> str | None:
    """Return the hash under which a key is stored for this act and ticket.

    Filing leaves the ticket out, because it does not exist yet when the key is looked up.
    """
    if not key:
        return None
    where = ticket.pk if ticket is not None and act != EventKind.FILED else ""
    return hashlib.sha256(f"{act} {where} {key}".encode("utf-8", "replace")).hexdigest()
