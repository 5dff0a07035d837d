import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from content.text import as_typed
from notifications.incoming import receiving
from notifications.incoming.receiving import Judged
from tickets.enums import MailVerdict

STDIN = "-"


class Command(BaseCommand):
    help = (
        "Receive mails from files or from standard input, as a mail server's pipe does. --dry-run says what would "
        "become of each and stores nothing. A folder means all files in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", default=[STDIN], help="mails; without any, standard input")
        parser.add_argument("--mailbox", default="", help="the address of the mailbox that they came to")
        parser.add_argument("--dry-run", action="store_true", help="store nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object a line")

    def handle(
        self, *args: Any, files: list[str], mailbox: str, dry_run: bool, json: bool, **options: Any
    ) -> None:
        for name, raw in _mails(files):
            started = perf_counter()
            try:
                facts = _judged(raw, mailbox) if dry_run else _received(raw, mailbox)
            except (DatabaseError, InterfaceError) as error:
                raise CommandError(
                    f"{name}: the database is away: {error}", returncode=os.EX_TEMPFAIL
                ) from error
            facts = {"file": name, **facts, "seconds": round(perf_counter() - started, 4)}
            self.stdout.write(_as_json(facts) if json else _as_line(facts))


def _mails(files: list[str]) -> Iterator[tuple[str, bytes]]:
    for name in files:
        if name == STDIN:
            yield STDIN, sys.stdin.buffer.read()
            continue
        path = Path(name)
        found = sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]
        for file in found:
            try:
                yield str(file), file.read_bytes()
            except OSError as error:
                raise CommandError(f"{file}: {error.strerror}") from error


def _judged(raw: bytes, mailbox: str) -> dict[str, Any]:
    judged = receiving.judged_or_held(raw, mailbox)
    verdict, mail = judged.verdict, judged.mail
    return {
        "verdict": str(verdict.kind),
        "reason": str(verdict.reason),
        "ticket": verdict.ticket.folio if verdict.ticket else None,
        "process": verdict.address.process.key
        if verdict.address and verdict.kind == MailVerdict.TICKET
        else None,
        **_read(judged),
        "problems": mail.problems,
        "wrapped": sorted(mail.protections),
        "report": vars(verdict.report) if verdict.report else None,
    }


def _read(judged: Judged) -> dict[str, Any]:
    mail = judged.mail
    return {
        "subject": mail.subject,
        "sender": mail.sender.email,
        "sender_name": mail.sender.name,
        "message_id": mail.message_id,
        "visible_text": as_typed(judged.words.visible),
        "folded_lines": judged.words.folded.folded_lines,
        "folded_by": judged.words.folded.why,
        "attachments": [
            {"name": file.name, "type": file.content_type, "size": len(file.content), "sha256": file.sha256}
            for file in mail.files
        ],
        "loop": judged.origin.kind,
        "loop_sign": judged.origin.sign,
    }


def _received(raw: bytes, mailbox: str) -> dict[str, Any]:
    received = receiving.receive(raw, mailbox=mailbox)
    mail = received.mail
    return {
        "verdict": str(mail.verdict),
        "reason": str(mail.reason),
        "ticket": mail.ticket.folio if mail.ticket else None,
        "subject": mail.subject,
        "sender": mail.sender,
        "loop": mail.origin,
        "repeat": received.is_repeat,
    }


def _as_json(facts: dict[str, Any]) -> str:
    text = json.dumps(facts, ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace").decode()


def _as_line(facts: dict[str, Any]) -> str:
    parts = [facts["verdict"], facts["reason"], facts["ticket"] or "", facts["sender"], facts["subject"]]
    told = "  ".join(str(part) for part in parts if part)
    return f"{facts['file']}: {told}".encode("utf-8", "replace").decode()
