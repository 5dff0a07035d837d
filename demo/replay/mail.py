"""Handle the mails that the stories put into the outbox."""

from datetime import datetime

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from notifications.enums import MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery
from tickets.enums import DeliveryState
from tickets.models import Delivery


class MailReplay:
    """Sends mails from the outbox to the demo's mailbox if they are for `reader` and the current time is `since` or
    later. All other mails are only marked as sent, because composing hundreds of texts would take too long."""

    def __init__(self, reader: str, *, since: datetime) -> None:
        self.reader, self.since = reader, since
        self.has_mailbox = settings.EMAIL_BACKEND.endswith(".DemoMailbox")

    def deliver(self) -> None:
        """Send the reader's waiting mails and mark all others as sent. Call it after each step of a ticket that the
        reader filed."""
        is_readable = self.has_mailbox and timezone.now() >= self.since
        self.settle_others(keep=self.reader if is_readable else "")
        if is_readable:
            delivery.drain()

    def settle_others(self, *, keep: str = "") -> None:
        """Mark the waiting mails as sent, except those to `keep`."""
        waiting = OutgoingEmail.objects.filter(state=MailState.QUEUED).exclude(recipient=keep)
        Delivery.objects.filter(pk__in=waiting.values("delivery")).update(state=DeliveryState.SENT)
        waiting.update(state=MailState.SENT, sent_at=F("created_at"), attempts=1)
