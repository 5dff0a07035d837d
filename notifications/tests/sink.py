"""A real SMTP server for tests: it keeps the mails it accepts and gives the answers that a test sets."""

import asyncio
import socket
import threading
from collections import deque
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HANG_UP = "hang up"
HOLD = "hold"


class Sink:
    """The next recipients and mails get the answers in `answers_rcpt` and `answers_data`; once these are used up,
    everything is accepted. `HANG_UP` breaks the connection, for a mail only after all of it was received. `HOLD` sets
    `is_holding` and never answers."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self.is_holding = threading.Event()
        self.answers_rcpt: deque[str] = deque()
        self.answers_data: deque[str] = deque()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=10)

    def __enter__(self) -> Self:
        self._controller.start()
        self.connections = 0  # do not count the controller's own connection
        return self

    def __exit__(self, *error: object) -> None:
        self._controller.stop()

    @property
    def recipients(self) -> list[str]:
        return [str(mail["To"]) for mail in self.mails]

    @property
    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.mails]

    async def handle_EHLO(  # noqa: N802  (aiosmtpd's names)
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        answer = self.answers_rcpt.popleft() if self.answers_rcpt else "250 OK"
        if answer == HANG_UP and server.transport is not None:
            server.transport.abort()
        if answer == HOLD:
            self.is_holding.set()
            await asyncio.sleep(3600)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers_data.popleft() if self.answers_data else "250 OK"
        if answer.startswith("250") or answer in (HANG_UP, HOLD):
            message: Any = message_from_bytes(envelope.content or b"", policy=policy.default)
            self.mails.append(message)
        if answer == HANG_UP and server.transport is not None:
            server.transport.abort()
        if answer == HOLD:
            self.is_holding.set()
            await asyncio.sleep(3600)  # ends with the sender's connection
        return answer
