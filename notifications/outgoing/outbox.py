"""Put mails into the outbox, in the transaction of the change that they tell about, and delete old mails."""

import base64
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
from tickets.enums import DeliveryProblem, DeliveryState, Template
from tickets.models import Delivery, Export, Ticket, TicketEvent
from tickets.record import deliveries

from ..enums import TROUBLED_STATES, Audience, MailState
from ..models import OutgoingEmail
from ..nudge import nudge_on_commit
from .recipients import Recipient, recipients_of

logger = logging.getLogger(__name__)

DRAIN = "notifications.tasks.drain_outbox"
HIDDEN = "••••"
"""Stands for a code in the subject of an account mail that was stored."""
FILETIME_EPOCH = 116_444_736_000_000_000
"""The ticks of 100 ns from 1601 to 1970: Microsoft counts from 1601."""
MAIL_KEPT_FOR = timedelta(days=180)
HELD_FOR = timedelta(minutes=1)
"""How long a `resolved` mail to the requester waits for what follows at once: the closing and the survey."""
TOLD_BY_REPORT = frozenset({Template.CLOSURE_REJECTED, Template.RETURNED})
"""Mails that the report of a nonconformity replaces for its reader: it says the same, with the reason."""


def enqueue_event(event: TicketEvent) -> int:
    """Add one row for each recipient and mail of the event's `notify`. Returns how many mails will be sent.

    This runs while the ticket is locked, so it is kept short: no text is composed, and all rows take two INSERTs.
    """
    if not event.notify:
        return 0
    found = _without_repeats(event, recipients_of(event))
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


def _without_repeats(
    event: TicketEvent, found: dict[tuple[str, str], Recipient]
) -> dict[tuple[str, str], Recipient]:
    """Return `found` without what its reader gets in another mail anyway.

    For the requester, resolved, closed and survey within a minute are one mail: `resolved` and `closed` offer the
    survey themselves. A `resolved` mail is held for `HELD_FOR`; if the ticket is closed meanwhile, only `closed` is
    sent, which tells the solution too. For staff, a rejection and the report of the nonconformity that it opens are one
    mail, the report (S2.30).
    """
    kept = {}
    for (email, template), person in found.items():
        if template in TOLD_BY_REPORT and (email, Template.NONCONFORMITY) in found:
            continue
        if person.audience == Audience.REQUESTER:
            if template == Template.CLOSED:
                _merge_held(event, email)
            if template == Template.SURVEY and ((email, Template.CLOSED) in found or _hold_on(event, email)):
                continue
        kept[email, template] = person
    return kept


def _held(event: TicketEvent, email: str) -> "QuerySet[OutgoingEmail]":
    """Return the `resolved` mails about the event's ticket that still wait to be sent to this requester."""
    return OutgoingEmail.objects.filter(
        ticket=event.ticket_id,
        template=Template.RESOLVED,
        audience=Audience.REQUESTER,
        recipient=email,
        state=MailState.QUEUED,
        claim__isnull=True,
        attempts=0,
    )


def _merge_held(event: TicketEvent, email: str) -> None:
    held = list(_held(event, email).select_for_update().values_list("pk", "delivery_id"))
    OutgoingEmail.objects.filter(pk__in=[pk for pk, _delivery in held]).update(state=MailState.SUPPRESSED)
    for delivery in filter(None, (delivery for _pk, delivery in held)):
        deliveries.report(delivery, DeliveryState.WITHHELD, problem=DeliveryProblem.MERGED)


def _hold_on(event: TicketEvent, email: str) -> bool:
    """Whether a `resolved` mail still waits, which will offer the survey. It is held anew, so that no worker composes
    it before this transaction ends."""
    return _held(event, email).update(next_attempt_at=timezone.now() + HELD_FOR) > 0


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
    is_held = template == Template.RESOLVED and person.audience == Audience.REQUESTER
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
        next_attempt_at=timezone.now() + (HELD_FOR if is_held else timedelta(0)),
    )


@transaction.atomic
def enqueue_account_mail(
    message: EmailMessage,
    *,
    template: str,
    user: User | None,
    language: str,
    expires_at: datetime | None,
    code: str = "",
    is_urgent: bool = True,
    export: Export | None = None,
    is_kept: bool = True,
) -> None:
    """Add an already composed mail about an account. It is urgent: somebody may be waiting for the `code` in it. The
    file of the `export` is attached when the mail is sent. With `is_kept=False` the row is deleted before anybody sees
    it: that takes as long, and nothing is sent.

    The code stands in the columns of `OutgoingEmail.SECRETS` alone, which are emptied once the mail is settled; in
    `subject`, which is kept and shown, it is `HIDDEN`."""
    html = html_of(message)
    rows = OutgoingEmail.objects.bulk_create(
        OutgoingEmail(
            template=template,
            audience=Audience.ACCOUNT,
            recipient=email,
            user=user,
            language=language,
            subject=_without(code, str(message.subject))[:255],
            secret_subject=str(message.subject)[:255],
            text=str(message.body),
            html=html,
            message_id=f"<account.{uuid.uuid4().hex}@{mail_domain()}>",
            is_urgent=is_urgent,
            export=export,
            expires_at=expires_at,
        )
        for email in message.to
    )
    if not is_kept:
        OutgoingEmail.objects.filter(pk__in=[row.pk for row in rows]).delete()
    nudge_on_commit(DRAIN)


def _without(code: str, text: str) -> str:
    return text.replace(code, HIDDEN) if code else text


def html_of(message: EmailMessage) -> str:
    """Return the HTML alternative of `message`, or an empty string."""
    parts = getattr(message, "alternatives", [])
    return next((str(part.content) for part in parts if part.mimetype == "text/html"), "")


@transaction.atomic
def requeue(mails: Iterable[OutgoingEmail]) -> int:
    """Queue the failed and the uncertain mails among `mails` again, with `attempts` reset to 0. Returns how many.

    Account mails are left out: their text was deleted, and nobody waits for them any more."""
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
    """Return the settled mails older than `MAIL_KEPT_FOR`. The ticket's `Delivery` rows keep the outcome of each."""
    return OutgoingEmail.objects.settled().filter(created_at__lt=timezone.now() - MAIL_KEPT_FOR)


def forget_old_mail() -> int:
    """Delete `old_mail()` in batches. Returns how many rows were deleted."""
    return delete_in_batches(old_mail())


def message_id(event: TicketEvent, recipient: str, template: str) -> str:
    """Return the Message-ID of a mail. It is the same for every attempt, so that mail programs recognise a second copy.
    It contains only a hash of the recipient, because replies quote these ids to other people, and no folio: when a
    ticket is filed, its mails are written before it has one."""
    hint = hashlib.sha256(f"{event.pk}:{recipient}".encode()).hexdigest()[:12]
    return f"<{event.ticket_id}.{event.pk}.{template}.{hint}@{mail_domain()}>"


def thread_id(folio: str) -> str:
    """Return the id that all mails of a ticket refer to, so that mail programs show them as one conversation."""
    return f"<{folio.lower()}@{mail_domain()}>"


def thread_index(ticket: Ticket, mail: OutgoingEmail) -> str:
    """Return the `Thread-Index` by which Outlook knows the mails of one conversation: a byte, a time in 2^16 of
    Microsoft's ticks, a GUID (MS-OXOMSG 2.2.1.3), and five bytes for an answer."""
    root = hashlib.sha256(thread_id(ticket.folio).encode()).digest()[:16]
    ticks = int(ticket.created_at.timestamp() * 10_000_000) + FILETIME_EPOCH
    head = b"\x01" + (ticks >> 16).to_bytes(6, "big")[1:] + root
    answer = (
        b"" if mail.template in (Template.RECEIVED, Template.NEW_TICKET) else mail.pk.to_bytes(8, "big")[-5:]
    )
    return base64.b64encode(head + answer).decode()


def mail_domain() -> str:
    return settings.DESK_REPLY_DOMAIN or settings.DESK_SUPPORT_EMAIL.rpartition("@")[2]
