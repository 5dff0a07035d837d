"""Putting mail into the outbox, inside the transaction of what it tells."""

import hashlib
import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from content.batches import delete_in_batches
from tickets.enums import DeliveryState
from tickets.models import Delivery, TicketEvent
from tickets.record import deliveries

from ..enums import TROUBLED_STATES, Audience, MailState
from ..models import OutgoingEmail
from ..nudge import nudge_on_commit
from .recipients import Recipient, recipients_of

logger = logging.getLogger(__name__)

DRAIN = "notifications.tasks.drain_outbox"
MAIL_KEPT_FOR = timedelta(days=180)


def enqueue_event(event: TicketEvent) -> int:
    """One row for each person the event asks to tell. Returns how many will get a mail.

    Cheap, for the ticket is locked: no text is written yet, and all rows are two inserts.
    """
    if not event.notify:
        return 0
    found = recipients_of(event)
    if not found:
        return 0
    rows = deliveries.announce(
        [_delivery(event, person, template) for (_email, template), person in found.items()]
    )
    mails = [
        _mail(event, person, template, delivery)
        for ((_email, template), person), delivery in zip(found.items(), rows, strict=True)
    ]
    OutgoingEmail.objects.bulk_create(mails)
    waiting = sum(mail.state == MailState.QUEUED for mail in mails)
    if waiting:
        nudge_on_commit(DRAIN)
    return waiting


def _delivery(event: TicketEvent, person: Recipient, template: str) -> Delivery:
    return Delivery(
        event=event,
        template=template,
        to_requester=person.audience == Audience.REQUESTER,
        email=person.email,
        state=DeliveryState.WITHHELD if person.withheld else DeliveryState.WAITING,
        problem=person.withheld or "",
    )


def _mail(event: TicketEvent, person: Recipient, template: str, delivery: Delivery) -> OutgoingEmail:
    return OutgoingEmail(
        event=event,
        ticket=event.ticket,
        delivery=delivery,
        template=template,
        audience=person.audience,
        recipient=person.email,
        user=person.user,
        language=person.language,
        message_id=message_id(event, person.email, template),
        state=MailState.SUPPRESSED if person.withheld else MailState.QUEUED,
    )


def enqueue_account_mail(
    message: EmailMessage, *, template: str, user: User | None, language: str, expires_at: datetime | None
) -> None:
    """A mail about somebody's account, already written; somebody may be waiting in front of a form for its code."""
    html = html_of(message)
    OutgoingEmail.objects.bulk_create(
        OutgoingEmail(
            template=template,
            audience=Audience.ACCOUNT,
            recipient=email,
            user=user,
            language=language,
            subject=message.subject[:255],
            text=str(message.body),
            html=html,
            message_id=f"<account.{uuid.uuid4().hex}@{mail_domain()}>",
            is_urgent=True,
            expires_at=expires_at,
        )
        for email in message.to
    )
    nudge_on_commit(DRAIN)


def html_of(message: EmailMessage) -> str:
    parts = getattr(message, "alternatives", [])
    return next((str(part.content) for part in parts if part.mimetype == "text/html"), "")


@transaction.atomic
def requeue(mails: Iterable[OutgoingEmail]) -> int:
    """Send failed mails again, as if for the first time. Account mails are not: nobody waits for them any more, and
    their text is gone."""
    ids = [mail.pk for mail in mails if not mail.is_about_account]
    troubled = OutgoingEmail.objects.select_for_update().filter(pk__in=ids, state__in=TROUBLED_STATES)
    rows = dict(troubled.values_list("pk", "delivery_id"))
    for delivery in filter(None, rows.values()):
        deliveries.report(delivery, DeliveryState.WAITING)
    count = OutgoingEmail.objects.filter(pk__in=rows).update(
        state=MailState.QUEUED,
        attempts=0,
        is_second_copy=False,
        next_attempt_at=timezone.now(),
        last_error="",
    )
    if count:
        nudge_on_commit(DRAIN)
    return count


def old_mail() -> "QuerySet[OutgoingEmail]":
    """The settled mails that are older than `MAIL_KEPT_FOR`. What became of each stays on its ticket's `Delivery`."""
    return OutgoingEmail.objects.settled().filter(created_at__lt=timezone.now() - MAIL_KEPT_FOR)


def forget_old_mail() -> int:
    """Delete `old_mail`, in batches. Returns how many rows."""
    return delete_in_batches(old_mail())


def message_id(event: TicketEvent, recipient: str, template: str) -> str:
    """The same for every attempt, so that a second copy is recognised as one. The recipient is only hinted at: other
    people's programs quote these ids."""
    hint = hashlib.sha256(f"{event.pk}:{recipient}".encode()).hexdigest()[:12]
    return f"<{event.ticket.folio.lower()}.{event.pk}.{template}.{hint}@{mail_domain()}>"


def thread_id(folio: str) -> str:
    """What all mails of a ticket refer to, so that programs show them as one conversation."""
    return f"<{folio.lower()}@{mail_domain()}>"


def mail_domain() -> str:
    return settings.DESK_REPLY_DOMAIN or settings.DESK_SUPPORT_EMAIL.rpartition("@")[2]
