"""Receive a mail: decide what becomes of it and keep it, in one transaction. Every source calls `receive`.

A mail is never lost and never counts twice. If this process dies, the transaction has happened or has not; the source
keeps the mail until `receive` has returned, and delivers it again otherwise. What a mail would have changed but could
not, for a reason that a person can mend, waits in quarantine. Errors of the database are raised, and the source tries
again.
"""

import hashlib
import logging
import re
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, IntegrityError, InterfaceError, transaction
from django.utils import timezone, translation

from content.errors import DeskError
from content.text import MAX_TEXT, clean_line
from tickets import policies
from tickets.actors import Guest
from tickets.enums import Channel, DeliveryProblem, DeliveryState, MailReason, MailVerdict
from tickets.exceptions import NotAllowed
from tickets.models import IncomingEmail, MailOriginal, Message, Ticket
from tickets.models.incoming import LONGEST_SOURCE
from tickets.record import deliveries
from tickets.workflow import conversation, intake, mails
from tickets.workflow.intake import TITLE_LENGTH, Requester

from ..enums import MailState
from ..models import OutgoingEmail
from . import containers, mime, routing
from .authentication import server_of
from .automatic import Origin
from .fingerprints import Fingerprint
from .forwarded import author_of, split
from .mime import ReadMail
from .pictures import KeptFiles, keep_files
from .reports import BOUNCED, COMPLAINT, DELIVERED
from .routing import Verdict
from .words import Words, words_of

logger = logging.getLogger(__name__)

MAX_FULL = 60_000
_PREFIX = re.compile(r"^\s*(?:(?:re|rv|fwd?|fw|aw|wg|tr|res|enc|sv|r|i)(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)


@dataclass(frozen=True)
class Received:
    """What was kept of a mail. `is_repeat` says that it had been received before, and nothing changed."""

    mail: IncomingEmail
    is_repeat: bool = False


@dataclass(frozen=True)
class Judged:
    """A mail with everything that was found out about it; nothing is stored yet."""

    mail: ReadMail
    verdict: Verdict
    origin: Origin
    words: Words


def judge(raw: bytes, *, mailbox: str = "") -> Judged:
    """Read a mail and decide what would become of it. Changes nothing."""
    mail = containers.read(raw)
    verdict, origin = routing.judge(mail, mailbox=mailbox)
    sent = verdict.answers.fingerprint if verdict.answers is not None else None
    fingerprint = Fingerprint.from_bytes(bytes(sent)) if sent else None
    words = words_of(mail, sent=fingerprint, answers_us=verdict.answers_us)
    if (
        verdict.kind in (MailVerdict.TICKET, MailVerdict.MESSAGE)
        and verdict.wakes
        and _is_empty(mail, words, verdict)
    ):
        verdict.kind, verdict.reason = MailVerdict.REFUSED, MailReason.EMPTY
    return Judged(mail, verdict, origin, words)


def _is_empty(mail: ReadMail, words: Words, verdict: Verdict) -> bool:
    """Whether the mail says nothing new. The subject of a new ticket says something."""
    said = words.folded.visible.strip() or [file for file in mail.files if not file.is_inline]
    return not (said or (verdict.kind == MailVerdict.TICKET and title_of(mail)))


def receive(raw: bytes, *, mailbox: str = "") -> Received:
    """Keep a mail and do what it asks for. Returns what became of it. Raises only errors of the database."""
    source = mime.heading(raw)
    key = key_of(raw, source.message_id, mailbox)
    earlier = IncomingEmail.objects.filter(key=key).first()
    is_reused = earlier is not None and earlier.sender != source.sender.email
    if earlier is not None and not is_reused:
        return Received(earlier, is_repeat=True)
    if is_reused:  # another mail under the same id: it must not hide behind the first
        key = key_of(raw, "", mailbox)
        if earlier := IncomingEmail.objects.filter(key=key).first():
            return Received(earlier, is_repeat=True)
    judged = judged_or_held(raw, mailbox)
    if is_reused and judged.verdict.kind in (MailVerdict.TICKET, MailVerdict.MESSAGE):
        judged.verdict.kind, judged.verdict.reason = MailVerdict.QUARANTINE, MailReason.ID_REUSED
    return _store(judged, key=key, mailbox=mailbox)


def key_of(raw: bytes, message_id: str, mailbox: str) -> str:
    """Return the key under which a mail is received once: its mailbox and Message-ID, or its bytes if it has none."""
    what = message_id.encode("utf-8", "replace") if message_id else hashlib.sha256(raw).digest()
    return hashlib.sha256(mailbox.lower().encode() + b"\0" + what).hexdigest()


def judged_or_held(raw: bytes, mailbox: str) -> Judged:
    """Judge a mail. One that makes our own code fail waits in quarantine, and the error is logged."""
    try:
        return judge(raw, mailbox=mailbox)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        logger.exception("a mail cannot be judged")
        mail = mime.ReadMail(raw, mime.EmailMessage(mime.POLICY), problems=[mime.UNREADABLE])
        held = Verdict(MailVerdict.QUARANTINE, MailReason.UNREADABLE)
        return Judged(mail, held, Origin("person"), words_of(mail))


def _store(judged: Judged, *, key: str, mailbox: str) -> Received:
    try:
        return Received(_kept(judged, key=key, mailbox=mailbox))
    except IntegrityError:
        earlier = IncomingEmail.objects.filter(key=key).first()
        if earlier is None:
            raise
        return Received(earlier, is_repeat=True)  # another process received it meanwhile
    except DeskError as error:
        logger.info("a mail waits in quarantine: %s", error)
        verdict = judged.verdict
        verdict.kind, verdict.reason = MailVerdict.QUARANTINE, MailReason.NOT_ALLOWED
        return Received(_kept(judged, key=key, mailbox=mailbox, told=str(error)))
    except (DatabaseError, InterfaceError, OSError):
        raise
    except Exception:
        logger.exception("a mail cannot be received as it should")
        judged.verdict.kind, judged.verdict.reason = MailVerdict.QUARANTINE, MailReason.UNREADABLE
        return Received(_kept(judged, key=key, mailbox=mailbox))


def _kept(judged: Judged, *, key: str, mailbox: str, told: str = "") -> IncomingEmail:
    """Keep the mail with what becomes of it. Files are inspected before the transaction, because that takes time."""
    verdict = judged.verdict
    row = _row(judged, key=key, mailbox=mailbox)
    files = KeptFiles()
    if verdict.kind in (MailVerdict.TICKET, MailVerdict.MESSAGE) and verdict.wakes:
        files = keep_files(judged.mail, judged.words, verdict, key=key)
        row.details |= files.details()
    elif remote := _remote(judged.words):
        row.details["remote"] = remote
    if told:
        row.details["told"] = told[:500]
    with transaction.atomic():
        _write(row, judged, files)
        row.save(force_insert=True)
        MailOriginal.keep(row, judged.mail.raw)
        _tell(row, verdict)
    return row


def _row(judged: Judged, *, key: str, mailbox: str) -> IncomingEmail:
    mail, verdict, words = judged.mail, judged.verdict, judged.words
    details: dict[str, object] = {
        "checks": verdict.checks.as_dict(),
        "server": server_of(mail)[:300],
        "copies": [one.email for one in mail.copies][:50],
        "wrapped": sorted(mail.protections),
        "token": verdict.has_token,
    }
    return IncomingEmail(
        key=key,
        mailbox=mailbox[:254],
        source_id=mail.message_id[:LONGEST_SOURCE],
        sender=mail.sender.email[:254],
        sender_name=_line(mail.sender.name, 200),
        subject=_line(mail.subject, 255),
        received_at=timezone.now(),
        verdict=verdict.kind,
        reason=verdict.reason,
        origin=judged.origin.kind,
        ticket=verdict.ticket,
        text=_bounded(words.visible, MAX_TEXT),
        quoted=_bounded(f"{words.folded.signature}\n\n{words.folded.quoted}".strip(), MAX_FULL),
        details={name: value for name, value in details.items() if value},
    )


def _write(row: IncomingEmail, judged: Judged, files: KeptFiles) -> None:
    """File the ticket or write the message that the mail asks for, and note it in `row`. Raises `DeskError`."""
    verdict = judged.verdict
    if verdict.kind == MailVerdict.TICKET:
        row.ticket = file(row, judged, files)
        row.message = row.ticket.report
    elif verdict.kind == MailVerdict.MESSAGE and verdict.wakes and verdict.ticket is not None:
        row.message = write(verdict, files.body, draft_key=files.draft_key)
        row.ticket = row.message.ticket
    if row.message is not None:
        row.text = ""


def _tell(row: IncomingEmail, verdict: Verdict) -> None:
    """Tell the ticket what the mail, which is kept, says of ours, or that it waits in quarantine."""
    if verdict.kind == MailVerdict.DELIVERY:
        _report(verdict)
    elif verdict.kind == MailVerdict.QUARANTINE and verdict.ticket is not None:
        mails.hold(verdict.ticket, row)


def file(row: IncomingEmail, judged: Judged, files: KeptFiles) -> Ticket:
    """File the ticket of a mail. What staff forwarded is filed for the person who had written it to them, and what
    staff wrote above it becomes an internal note."""
    verdict, address = judged.verdict, judged.verdict.address
    if address is None:
        raise NotAllowed
    requester: Requester | None = Requester(row.sender, row.sender_name, language=_language(judged.mail))
    note, body = "", files.body
    if verdict.on_behalf:
        author = author_of(judged.words.full)
        requester = Requester(author.email, author.name) if author.email else None
        note, body = split(body) if author.email else ("", body)
    elif verdict.actor is not None:
        requester = None
    ticket = intake.file_ticket(
        address.process,
        actor=verdict.actor if not isinstance(verdict.actor, Guest) else None,
        title=title_of(judged.mail) or _first_line(body),
        description=body or title_of(judged.mail),
        category=address.category,
        requester=requester,
        draft_key=files.draft_key,
        channel=Channel.EMAIL,
    )
    if note and verdict.actor is not None:
        conversation.add_internal_note(ticket, actor=verdict.actor, body=note)
    return ticket


def write(verdict: Verdict, body: str, *, draft_key: str) -> Message:
    """Write the message of a mail: a reply of the requester, or a follow-up of staff."""
    ticket, actor = verdict.ticket, verdict.actor
    if ticket is None or actor is None:
        raise NotAllowed
    if policies.is_requester(actor, ticket):
        return conversation.reply(ticket, actor=actor, body=body, draft_key=draft_key, channel=Channel.EMAIL)
    return conversation.send_follow_up(
        ticket, actor=actor, body=body, draft_key=draft_key, channel=Channel.EMAIL
    )


def _report(verdict: Verdict) -> None:
    """Note on the ticket what became of our mail."""
    about, report = verdict.answers, verdict.report
    if about is None or report is None or report.outcome not in (BOUNCED, DELIVERED, COMPLAINT):
        return
    detail = " · ".join(filter(None, (report.status, report.reason)))
    if report.outcome == BOUNCED:
        OutgoingEmail.objects.filter(pk=about.pk, state=MailState.SENT).update(
            state=MailState.FAILED, last_error=detail[:300]
        )
    if about.delivery_id is None:
        return
    state = DeliveryState.DELIVERED if report.outcome == DELIVERED else DeliveryState.BOUNCED
    problem = {BOUNCED: DeliveryProblem.BOUNCED, COMPLAINT: DeliveryProblem.COMPLAINT}.get(report.outcome, "")
    deliveries.report(about.delivery_id, state, problem=problem, detail=detail)


# --- Words of a mail --------------------------------------------------------------------------------------


def title_of(mail: ReadMail) -> str:
    """Return the subject as the title of a ticket, without «Re:» and its like."""
    return _line(_PREFIX.sub("", mail.subject), TITLE_LENGTH)


def _first_line(text: str) -> str:
    lines = (line.strip(" >*#-") for line in text.splitlines())
    return _line(next(filter(None, lines), ""), TITLE_LENGTH) or translation.gettext("Correo sin asunto")


def _line(text: str, length: int) -> str:
    return clean_line(text[: length * 2], max_length=length * 2)[:length].strip()


def _bounded(text: str, length: int) -> str:
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return clean if len(clean) <= length else f"{clean[: length - 6]}\n[…]"


def _remote(words: Words) -> list[str]:
    return [one.source[:500] for one in words.pictures if one.source.startswith("http") and not one.is_tiny][
        :20
    ]


def _language(mail: ReadMail) -> str:
    """Return the language that the mail declares, if the desk speaks it."""
    declared = (mail.header("content-language") or mail.header("accept-language"))[:2].lower()
    return declared if declared in dict(settings.LANGUAGES) else ""
