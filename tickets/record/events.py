"""Writing the record. Every verb ends here, once, inside its transaction."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.dispatch import Signal
from django.utils import timezone

from ..actors import Actor, name_of, user_of
from ..enums import EventKind
from ..exceptions import NotAllowed
from ..models import Message, Ticket, TicketEvent

event_recorded = Signal()
"""Sent inside the transaction that wrote the event, with `event=`. A receiver may write rows; it must not send,
call out or take long: the ticket is locked."""


def record(
    ticket: Ticket,
    kind: str,
    *,
    actor: Actor,
    public: bool,
    action: str = "",
    data: dict[str, Any] | None = None,
    notify: Sequence[tuple[str, str]] = (),
    message: Message | None = None,
    key: str | None = None,
    at: datetime | None = None,
) -> TicketEvent:
    """Save the locked `ticket` and write the event that explains the change.

    `notify` pairs whom (in the words of `Who`) with a template. `key` makes a repeated call recognisable.
    """
    ticket.version += 1
    if public:
        ticket.public_version += 1
        ticket.updated_at = timezone.now()
    ticket.save()
    event = TicketEvent.objects.create(
        ticket=ticket,
        kind=kind,
        action=action,
        actor=user_of(actor),
        actor_name=name_of(actor)[:120],
        is_public=public,
        data=data or {},
        notify=[{"to": to, "template": template} for to, template in notify],
        message=message,
        version=ticket.version,
        at=at or timezone.now(),
        idempotency_key=_stored_key(key, ticket, action or kind),
    )
    event_recorded.send(sender=TicketEvent, event=event)
    return event


def already_recorded(
    key: str | None, *, actor: Actor, act: str, ticket: Ticket | None = None
) -> TicketEvent | None:
    """The event of an earlier call with the same key; a key of somebody else's is refused, not answered.

    `act` is what `record` was told: the action, or else the kind. A key makes one act on one ticket happen once; to
    another ticket or another act it is a new one.
    """
    if not key:
        return None
    stored = _stored_key(key, ticket, act)
    event = TicketEvent.objects.select_related("ticket").filter(idempotency_key=stored).first()
    if event is not None and (event.actor != user_of(actor) or event.actor_name != name_of(actor)[:120]):
        raise NotAllowed
    return event


def _stored_key(key: str | None, ticket: Ticket | None, act: str) -> str | None:
    """A report that is filed has no ticket yet when its key is looked up."""
    if not key:
        return None
    where = ticket.pk if ticket is not None and act != EventKind.FILED else ""
    return hashlib.sha256(f"{act} {where} {key}".encode("utf-8", "replace")).hexdigest()
