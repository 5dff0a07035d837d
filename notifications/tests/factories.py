"""Make events, messages and outbox rows for tests."""

from typing import Any

from django.db import transaction

from accounts.models import User
from notifications.models import OutgoingEmail
from tickets.actors import SYSTEM
from tickets.enums import EventKind, MessageKind, Template
from tickets.models import Message, Ticket, TicketEvent
from tickets.record.events import record
from tickets.record.locking import locked


def make_event(
    ticket: Ticket,
    *notify: tuple[str, str],
    actor: Any = SYSTEM,
    message: Message | None = None,
    kind: EventKind = EventKind.ACTION,
    **fields: Any,
) -> TicketEvent:
    """Record an event with `notify`, pairs of recipient and template, through the product's own `record`."""
    with transaction.atomic():
        return record(
            locked(ticket), kind, actor=actor, public=True, notify=notify, message=message, **fields
        )


def make_mail(ticket: Ticket, template: Template, *, to: str = "requester", **fields: Any) -> OutgoingEmail:
    """Record an event with one mail to `to` and return the first row that it added to the outbox."""
    event = make_event(ticket, (to, template), **fields)
    mail: OutgoingEmail = OutgoingEmail.objects.filter(event=event).order_by("pk")[0]
    return mail


def make_message(
    ticket: Ticket, *, author: User, kind: MessageKind = MessageKind.FOLLOW_UP, **fields: Any
) -> Message:
    defaults = {"body": "Ya lo estamos revisando.", "author_name": author.name}
    return Message.objects.create(ticket=ticket, kind=kind, author=author, **{**defaults, **fields})


def told(template: Template) -> list[str]:
    """Return the recipients of the queued mails with this template, sorted."""
    rows = OutgoingEmail.objects.filter(template=template, state="queued")
    return sorted(rows.values_list("recipient", flat=True))
