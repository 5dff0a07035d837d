"""Mail backend of the demo: it stores every mail in the mailbox that everybody can read at /correo/."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from notifications.outgoing.outbox import html_of

from ..models import DemoMail

SHOWN_ELSEWHERE = frozenset(
    {"Subject", "From", "To", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
)


class DemoMailbox(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        DemoMail.objects.bulk_create(_row(message) for message in email_messages)
        return len(email_messages)


def _row(message: EmailMessage) -> DemoMail:
    headers = {name: str(value) for name, value in message.message().items() if name not in SHOWN_ELSEWHERE}
    return DemoMail(
        sender=message.from_email,
        recipient=", ".join(message.recipients()),
        subject=str(message.subject)[:255],
        text=str(message.body),
        html=html_of(message),
        headers=headers,
    )
