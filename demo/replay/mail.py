"""What becomes of the mails of the past."""

from datetime import datetime

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from notifications.enums import MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery
from tickets.enums import DeliveryState
from tickets.models import Delivery


class Post:
    """Those of one customer of the last days can be read at /correo/, as if they had been sent then. All others count
    as sent: nobody writes hundreds of texts for a mailbox that nobody opens."""

    def __init__(self, reader: str, *, since: datetime) -> None:
        self.reader, self.since = reader, since
        self.has_mailbox = settings.EMAIL_BACKEND.endswith(".DemoMailbox")

    def deliver(self) -> None:
        """After something happened to a ticket of the reader's."""
        is_readable = self.has_mailbox and timezone.now() >= self.since
        self.settle_others(keep=self.reader if is_readable else "")
        if is_readable:
            delivery.drain()

    def settle_others(self, *, keep: str = "") -> None:
        waiting = OutgoingEmail.objects.filter(state=MailState.QUEUED).exclude(recipient=keep)
        Delivery.objects.filter(pk__in=waiting.values("delivery")).update(state=DeliveryState.SENT)
        waiting.update(state=MailState.SENT, sent_at=F("created_at"), attempts=1)
