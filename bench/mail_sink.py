"""`python -m bench.mail_sink PORT LOG SECONDS`: an SMTP server that writes into LOG which mails it took.

`took <id>` is written SECONDS before the server says so, and `said <id>` when the next command on the connection proves
that the sender has read the answer. Lines survive the death of the process.
"""

import asyncio
import logging
import os
import re
import signal
import sys
from typing import Any

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_ID = re.compile(rb"^Message-ID: *(<[^>]+>)", re.MULTILINE | re.IGNORECASE)


class Handler:
    """aiosmtpd calls the methods `handle_…` for each command."""

    def __init__(self, log: int, seconds: float) -> None:
        self.log, self.seconds = log, seconds
        self.unread: dict[Session, str] = {}  # the last mail of each connection, until its client goes on

    def write(self, word: str, message_id: str) -> None:
        os.write(self.log, f"{word} {message_id}\n".encode())

    def answer_was_read(self, session: Session) -> None:
        if message_id := self.unread.pop(session, ""):
            self.write("said", message_id)

    async def handle_MAIL(  # noqa: N802  (aiosmtpd's names)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.answer_was_read(session)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.answer_was_read(session)
        return "221 Bye"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        found = MESSAGE_ID.search(envelope.original_content or b"")
        message_id = found[1].decode() if found else "?"
        self.write("took", message_id)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        self.unread[session] = message_id
        return "250 OK"


async def serve(port: int, log: str, seconds: float) -> None:
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    handler = Handler(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), seconds)
    loop = asyncio.get_running_loop()
    controller: Any = UnthreadedController(handler, hostname="127.0.0.1", port=port, loop=loop)
    server = await controller._create_server()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
