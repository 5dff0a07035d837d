"""Compose the mail of an outbox row: text, HTML and headers, in the recipient's language and time zone."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from tickets import policies
from tickets.enums import DeliveryProblem, Purpose, Template
from tickets.requesters import guests

from ..models import OutgoingEmail
from . import reply_address
from .cases import MailContext
from .emails import CATALOGUE, NotSent
from .links import Link, is_wanted, link_for
from .outbox import thread_id
from .recipients import is_asked_for, wants_news

SUBJECT_LENGTH = 200
OPENING = frozenset({Template.RECEIVED, Template.NEW_TICKET})
"""Mails that begin a thread: they have no `In-Reply-To` header."""


@dataclass(frozen=True)
class ComposedMail:
    """A composed mail, and the links in it."""

    message: EmailMultiAlternatives
    links: tuple[Link, ...] = ()

    def discard_links(self) -> None:
        """Delete the tokens of the links. Call it only if the mail certainly did not leave."""
        _discard(self.links)


def _discard(links: Iterable[Link]) -> None:
    for link in links:
        if link.token:
            guests.discard_unsent(link.token)


def load(pk: int) -> OutgoingEmail:
    """Return the outbox row, read again from the database with everything that `compose` needs."""
    mail: OutgoingEmail = OutgoingEmail.objects.select_related(
        "user",
        "event__message__author",
        "event__ticket__process_version",
        "event__ticket__requester",
        "event__ticket__assignee",
        "event__ticket__department",
        "event__ticket__category",
        "event__ticket__duplicate_of",
    ).get(pk=pk)
    return mail


def compose(mail: OutgoingEmail) -> ComposedMail:
    """Compose the mail from the data as they are now. Raises `NotSent` if the mail must not be sent any more."""
    if mail.expires_at is not None and mail.expires_at <= timezone.now():
        raise NotSent(DeliveryProblem.OUTDATED)
    if mail.event is None:
        return ComposedMail(_message(mail, mail.subject, mail.text, mail.html))
    case = MailContext(mail, mail.event, mail.event.ticket)
    _check_recipient(case)
    zone = mail.user.zone if mail.user else ZoneInfo(settings.DESK_TIME_ZONE)
    with translation.override(mail.language), timezone.override(zone):
        return _compose(case)


def _check_recipient(case: MailContext) -> None:
    """Raise `NotSent` if the recipient may not or does not want to get this mail any more. Permissions and preferences
    are checked again when the mail leaves, because they may have changed since the event."""
    user = case.mail.user
    if user is not None and not user.is_active:
        raise NotSent(DeliveryProblem.NO_ACCESS)
    if case.for_staff:
        if user is None or not policies.is_staff_on(user, case.ticket):
            raise NotSent(DeliveryProblem.NO_ACCESS)
    elif not _is_requester(case):  # the requester was changed after the event
        raise NotSent(DeliveryProblem.NO_ACCESS)
    elif not (is_asked_for(case.event) or wants_news(case.ticket, user)):
        raise NotSent(DeliveryProblem.OPTED_OUT)


def _is_requester(case: MailContext) -> bool:
    """Whether the mail's recipient is still the ticket's requester. A mail without a user went to a guest, who is
    compared by address, even if that address has an account now."""
    mail, ticket = case.mail, case.ticket
    if mail.user_id is not None:
        return mail.user_id == ticket.requester_id
    return mail.recipient.lower() == ticket.requester_email.lower()


def _compose(case: MailContext) -> ComposedMail:
    mail = case.mail
    letter = CATALOGUE[mail.template](case)
    facts = case.facts() | letter.facts | {"button": letter.button}
    link = link_for(mail, case.ticket, letter.purpose)
    links = [link]
    if letter.offers_survey and not case.for_staff and is_wanted(case.ticket, Purpose.SURVEY):
        # A guest rates with the link to follow the ticket; with an account, the survey needs a link of its own.
        survey = Link(f"{link.url}encuesta/") if link.token else link_for(mail, case.ticket, Purpose.SURVEY)
        links.append(survey)
        facts |= {"second": _("Calificar la atención"), "second_url": survey.url}
    try:
        return ComposedMail(_compose_message(mail, facts, link), tuple(links))
    except Exception:
        _discard(links)
        raise


def _compose_message(mail: OutgoingEmail, facts: dict[str, Any], link: Link) -> EmailMultiAlternatives:
    name = facts["name"]
    facts["greeting"] = _("Hola, %(name)s.") % {"name": name} if name else _("Hola.")
    facts["url"] = link.url
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
    if html:
        message.attach_alternative(html, "text/html")
    return message


def _threading(mail: OutgoingEmail) -> dict[str, str]:
    if mail.event is None:
        return {}
    ticket = mail.event.ticket
    thread = thread_id(ticket.folio)
    headers = {
        "References": thread,
        "Reply-To": reply_address.make(ticket, user=mail.user, email=mail.recipient),
    }
    if mail.template not in OPENING:
        headers["In-Reply-To"] = thread
    return headers
