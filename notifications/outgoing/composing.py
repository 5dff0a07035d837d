"""Compose the mails of outbox rows: text, HTML and headers, in each recipient's language and time zone."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import OuterRef, Prefetch, Subquery
from django.db.models.functions import Lower
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from tickets import policies, reply_address
from tickets.enums import DeliveryProblem, EventKind, MailVerdict, MessageKind, Template
from tickets.models import Export, IncomingEmail, Message, TicketEvent

from ..incoming.fingerprints import Fingerprint
from ..models import OutgoingEmail
from .cases import MailContext
from .emails import CATALOGUE, MailContent, NotSent, task_of
from .links import Links, Wish, links_for
from .outbox import thread_id, thread_index
from .recipients import is_asked_for, wants_news

logger = logging.getLogger(__name__)

LARGEST_ATTACHMENT = 5 * 1024 * 1024

SUBJECT_LENGTH = 200
MESSAGE_ID = re.compile(r"[!-;=?-~]{1,250}")
OPENING = frozenset({Template.RECEIVED, Template.NEW_TICKET})
"""Mails that begin a thread: they have no `In-Reply-To` header."""


P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class ComposedMail:
    """A composed mail, and the links in it."""

    message: EmailMultiAlternatives
    links: Links = ()

    def discard_links(self) -> None:
        """Delete the tokens of the links. Call it only if the mail certainly did not leave."""
        for link in self.links:
            link.discard()


@dataclass(frozen=True)
class Draft:
    """A mail that has everything but its links and its text."""

    case: MailContext
    content: MailContent
    wish: Wish


def load(pk: int) -> OutgoingEmail:
    """Return the outbox row, read again from the database with everything that `compose` needs."""
    [mail] = load_all([pk])
    return mail


def load_all(pks: Sequence[int]) -> list[OutgoingEmail]:
    """Return the outbox rows with these ids, in this order, without those that are gone, read with everything that
    `compose_all` needs: a constant number of queries. Mails about one event or ticket share its objects."""
    memberships = Prefetch("memberships", Membership.objects.select_related("department"))
    reports = Message.objects.filter(kind=MessageKind.REPORT).order_by("id")
    reports = reports.select_related("author").prefetch_related("attachments")
    written = IncomingEmail.objects.filter(
        ticket=OuterRef("ticket"),
        sender=Lower(OuterRef("recipient")),
        verdict__in=(MailVerdict.TICKET, MailVerdict.MESSAGE),
    ).order_by("-pk")
    mails = OutgoingEmail.objects.prefetch_related(
        Prefetch("user", User.objects.prefetch_related(memberships)),
        "export",
        Prefetch("event", TicketEvent.objects.select_related("message__author")),
        "event__message__attachments",
        "event__ticket__requester",
        "event__ticket__assignee",
        "event__ticket__department",
        "event__ticket__category",
        "event__ticket__follows",
        "event__ticket__duplicate_of",
        "event__ticket__clocks__pauses",
        Prefetch("event__ticket__messages", reports, to_attr="reports"),
    ).annotate(answered=Subquery(written.values("source_id")[:1]))
    rows = mails.in_bulk(pks)
    return [rows[pk] for pk in pks if pk in rows]


def compose(mail: OutgoingEmail) -> ComposedMail:
    """Compose one mail, read by `load`. Raises `NotSent` if the mail must not be sent any more."""
    [composed] = compose_all([mail])
    if isinstance(composed, Exception):
        raise composed
    return composed


def compose_all(mails: Sequence[OutgoingEmail]) -> list[ComposedMail | Exception]:
    """Compose mails, read by `load_all`, from the data as they are now. Each is composed or has the error that kept it
    from being composed: `NotSent` if it must not be sent any more. No mail's error affects another mail."""
    drafts = [_caught(_draft, mail) for mail in mails]
    wishes = [draft.wish for draft in drafts if isinstance(draft, Draft)]
    links = iter(links_for(wishes))
    return [_caught(_finish, draft, next(links)) if isinstance(draft, Draft) else draft for draft in drafts]


def _caught(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Exception:
    try:
        return function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001  (returned: the other mails of the batch go on)
        return error


def _draft(mail: OutgoingEmail) -> Draft | ComposedMail:
    if mail.expires_at is not None and mail.expires_at <= timezone.now():
        raise NotSent(DeliveryProblem.OUTDATED)
    if mail.event is None:
        message = _message(mail, mail.secret_subject or mail.subject, mail.text, mail.html)
        if mail.export is not None:
            _attach(message, mail.export)
        return ComposedMail(message)
    case = MailContext(mail, mail.event, mail.event.ticket)
    _check_recipient(case)
    with _as_read_by(mail):
        content = CATALOGUE[mail.template](case)
    return Draft(case, content, Wish(mail, case.ticket, content.purpose, content.offers_survey))


@contextmanager
def _as_read_by(mail: OutgoingEmail) -> Iterator[None]:
    """Switch to the language and time zone of the mail's reader."""
    zone = mail.user.zone if mail.user else ZoneInfo(settings.DESK_TIME_ZONE)
    with translation.override(mail.language), timezone.override(zone):
        yield


def _finish(draft: Draft, links: Links | Exception) -> ComposedMail:
    if isinstance(links, Exception):
        raise links
    try:
        with _as_read_by(draft.case.mail):
            return ComposedMail(_compose_message(draft, links), links)
    except Exception:
        for link in links:
            link.discard()
        raise


def _check_recipient(case: MailContext) -> None:
    """Raise `NotSent` if the recipient may not or does not want to get this mail any more. Permissions and preferences
    are checked again when the mail leaves, because they may have changed since the event."""
    user = case.mail.user
    if user is not None and not user.is_active:
        raise NotSent(DeliveryProblem.NO_ACCESS)
    if case.for_staff:
        if user is None or not (policies.is_staff_on(user, case.ticket) or _ended_task_of(case)):
            raise NotSent(DeliveryProblem.NO_ACCESS)
    elif not _is_requester(case):  # the requester was changed after the event
        raise NotSent(DeliveryProblem.NO_ACCESS)
    elif not (is_asked_for(case.event) or wants_news(case.ticket, user)):
        raise NotSent(DeliveryProblem.OPTED_OUT)


def _ended_task_of(case: MailContext) -> bool:
    """Whether the mail tells who had taken a side task that it was withdrawn, which ended their sight of the ticket."""
    if case.event.kind != EventKind.TASK_WITHDRAWN:
        return False
    user, task = case.mail.user, task_of(case)
    return user is not None and task is not None and policies.had_taken(user, task)


def _is_requester(case: MailContext) -> bool:
    """Whether the mail's recipient is still the ticket's requester. A mail without a user went to a guest, who is
    compared by address, even if that address has an account now."""
    mail, ticket = case.mail, case.ticket
    if mail.user_id is not None:
        return mail.user_id == ticket.requester_id
    return mail.recipient.lower() == ticket.requester_email.lower()


def _compose_message(draft: Draft, links: Links) -> EmailMultiAlternatives:
    mail, content, [link, *survey] = draft.case.mail, draft.content, links
    facts = draft.case.facts() | content.facts | {"button": content.button}
    if survey:
        facts |= {"second": _("Calificar la atención"), "second_url": survey[0].url}
    name = facts["name"]
    facts["greeting"] = _("Hola, %(name)s.") % {"name": name} if name else _("Hola.")
    facts["url"] = content.address or link.url
    if content.tells_due and not draft.case.for_staff:
        facts["why_url"] = f"{link.url}fecha/"
    facts["personal_link"] = bool(link.token)
    subject = " ".join(_render(mail, "subject.txt", facts).split())
    facts["subject"] = subject
    text = tidy(_render(mail, "body.txt", facts))
    facts["preheader"] = preheader(text, greeting=facts["greeting"])
    html = _render(mail, "body.html", facts)
    message = _message(mail, subject, text, html)
    message.extra_headers |= _threading(mail)
    return message


def _render(mail: OutgoingEmail, part: str, facts: dict[str, Any]) -> str:
    """Render one file of the mail. Uses `template.template`, because only its `Context` can turn escaping off for
    plain text and on for HTML."""
    template: Any = get_template(f"emails/{mail.template}/{part}")
    context = Context({**facts, "LANGUAGE_CODE": mail.language}, autoescape=part.endswith(".html"))
    return str(template.template.render(context))


def tidy(text: str) -> str:
    """Remove trailing spaces (but not from the signature mark `-- `) and the repeated blank lines that empty template
    blocks leave."""
    lines = "\n".join(line if line == "-- " else line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def preheader(text: str, *, greeting: str) -> str:
    """Return the text that an inbox shows beside the subject: the first paragraph after the heading, without the
    greeting."""
    _heading, _blank, rest = text.partition("\n\n")
    return " ".join(rest.partition("\n\n")[0].split()).removeprefix(greeting).strip()


def _message(mail: OutgoingEmail, subject: str, text: str, html: str) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        # Titles stored before titles were cleaned may contain line breaks, which must not reach a header (B32).
        subject=" ".join(subject.split())[:SUBJECT_LENGTH],
        body=text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.recipient],
        headers={
            "Message-ID": mail.message_id,
            "X-Desk-Id": mail.message_id,  # some providers replace the Message-ID
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    # Providers keep it, and name it when they tell what became of the mail.
    message.metadata = {"mail": mail.pk}  # type: ignore[attr-defined]
    if html:
        message.attach_alternative(html, "text/html")
    return message


def fingerprint_of(composed: ComposedMail) -> bytes:
    """Return what the outbox keeps of the words of a sent mail, with which answers to it are folded; empty where no
    answers are received, and for mails about accounts, whose codes must not be kept in any form."""
    if not settings.DESK_REPLY_DOMAIN or "Reply-To" not in composed.message.extra_headers:
        return b""
    return Fingerprint.of(str(composed.message.body)).to_bytes()


def fits_in_mail(export: Export) -> bool:
    """Whether the file of the export is small enough for mail. Raises `OSError` if the store does not have it."""
    return bool(export.file) and export.file.size <= LARGEST_ATTACHMENT


def _attach(message: EmailMultiAlternatives, export: Export) -> None:
    """Attach the file of the export, if it is small enough for mail and the store has it. The mail links to it, too."""
    try:
        if fits_in_mail(export):
            with export.file.open("rb") as file:
                message.attach(export.file_name, file.read(), "text/csv")
    except OSError:
        logger.warning("the file of export %s cannot be attached", export.pk, exc_info=True)


def _threading(mail: OutgoingEmail) -> dict[str, str]:
    if mail.event is None:
        return {}
    ticket = mail.event.ticket
    thread, answered = thread_id(ticket.folio), _answered(mail)
    headers = {
        "References": f"{thread} {answered}".strip(),
        "Reply-To": reply_address.make(ticket, user=mail.user, email=mail.recipient, mail=mail.pk),
        "Thread-Topic": ticket.folio,
        "Thread-Index": thread_index(ticket, mail),
    }
    if answered or mail.template not in OPENING:
        headers["In-Reply-To"] = answered or thread
    return headers


def _answered(mail: OutgoingEmail) -> str:
    """Return the Message-ID of the last mail that the recipient wrote on this ticket, so that their mail program shows
    ours below it. Empty if they wrote none, or one whose id fits into no header."""
    source: str = getattr(mail, "answered", None) or ""  # `load_all` reads it
    return f"<{source}>" if MESSAGE_ID.fullmatch(source) else ""
