"""A real SMTP server that keeps the mails it gets. It can leave one mail unanswered, or be mute."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tools.servers import spare_port

logging.getLogger("mail.log").setLevel(logging.WARNING)  # otherwise the server logs every line of every mail


@dataclass(frozen=True)
class Mail:
    to: str
    message: EmailMessage

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return part.get_content() if part else ""

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        return part.get_content() if part else ""


class MailSink:
    """The server. `mails` are those that arrived completely, in order. A held mail is among them: the server received
    it but has not answered. While it `is_mute`, it answers until it has said 354 and takes no mail: `swallowed` are
    the Message-IDs of those."""

    def __init__(self) -> None:
        self.port = spare_port()
        self.mails: list[Mail] = []
        self.is_mute = False
        self.swallowed: list[str] = []
        self.held_from: int | None = None  # port of the sender whose mail is held
        self._hold_when: Callable[[Mail], bool] | None = None
        self._lock = threading.Lock()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=10)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._controller.stop()

    def hold_next(self, when: Callable[[Mail], bool]) -> None:
        """Receive the next mail for which `when` is true but never answer, so that its sender waits until killed."""
        with self._lock:
            self.held_from, self._hold_when = None, when

    def to(self, address: str) -> list[Mail]:
        return [mail for mail in list(self.mails) if mail.to == address]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's name)
        message: Any = message_from_bytes(envelope.content or b"", policy=policy.default)
        if self.is_mute:
            self.swallowed.append(str(message["Message-ID"]))
            await asyncio.sleep(3600)  # ends when the sender hangs up
        for address in envelope.rcpt_tos:
            mail = Mail(address.lower(), message)
            with self._lock:
                self.mails.append(mail)
                is_held = self._hold_when is not None and self._hold_when(mail)
                if is_held:
                    self._hold_when, self.held_from = None, session.peer[1]
            if is_held:
                await asyncio.sleep(3600)  # ends when the sender is killed
        return "250 OK"


def process_behind(port: int) -> int:
    """Return the id of the process that has this local TCP port open (Linux only); 0 if there is none."""
    inodes = {
        fields[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split()) and int(fields[1].rpartition(":")[2], 16) == port
    } - {"0"}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = descriptor.readlink().name
        except OSError:
            continue
        if target.startswith("socket:[") and target[8:-1] in inodes and int(descriptor.parts[2]):
            return int(descriptor.parts[2])
    return 0
