"""Read the mails that people get: in the embedded size from the demo's table, in the production size from
`MailSink`."""

import re
import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from e2e.sink import MailSink
from e2e.waiting import until

LINK = re.compile(r"http://127\.0\.0\.1:\d+(/[^\s)>\"]+)")


@dataclass(frozen=True)
class Letter:
    """One mail that arrived. Ids grow with the order of arrival."""

    id: int
    to: str
    subject: str
    text: str
    html: str

    def link(self, beginning: str = "/enlace/") -> str:
        """Return the first link in the text whose path begins with `beginning`, without the host."""
        found = [path for path in LINK.findall(self.text) if path.startswith(beginning)]
        assert found, f"no {beginning} in «{self.subject}»:\n{self.text}"
        return found[0]


class Mailbox(ABC):
    @abstractmethod
    def letters(self, to: str) -> list[Letter]:
        """Return all mails to this address, oldest first."""

    def wait_for(self, to: str, *words: str, after: int = 0) -> Letter:
        """Wait for a mail to this address whose subject or text contains all `words`, later than letter `after`.
        Returns the first one."""

        def fitting() -> Letter | None:
            letters = (letter for letter in self.letters(to) if letter.id > after)
            return next((x for x in letters if all(word in f"{x.subject}\n{x.text}" for word in words)), None)

        return until(
            fitting, lambda: f"a mail to {to} with {words}, among {[x.subject for x in self.letters(to)]}", 40
        )


class DemoMailbox(Mailbox):
    def __init__(self, database: Path) -> None:
        self._database = database

    def letters(self, to: str) -> list[Letter]:
        query = "SELECT id, recipient, subject, text, html FROM demo_demomail WHERE recipient = ? ORDER BY id"
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=10)) as connection:
            return [Letter(*row) for row in connection.execute(query, [to])]


class SmtpMailbox(Mailbox):
    def __init__(self, sink: MailSink) -> None:
        self._sink = sink

    def letters(self, to: str) -> list[Letter]:
        return [
            Letter(number, mail.to, mail.subject, mail.text, mail.html)
            for number, mail in enumerate(list(self._sink.mails), start=1)
            if mail.to == to
        ]
