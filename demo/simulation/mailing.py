"""A mail server that counts what it gets, and fails now and then."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from smtplib import SMTPServerDisconnected
from typing import ClassVar

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class CountingServer(BaseEmailBackend):
    """Counts each mail by its Message-ID. A mail that it refuses, it has not got."""

    got: ClassVar[Counter[str]] = Counter()
    failing: ClassVar[float] = 0.0
    random: ClassVar[Random] = Random()  # noqa: S311  (no secret)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            if self.random.random() < self.failing:
                raise SMTPServerDisconnected("simulated")
            self.got[str(message.extra_headers["Message-ID"])] += 1
        return len(email_messages)
