"""A ticket's messages and history, merged by time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from content.text import plain_excerpt
from tickets import reply_address
from tickets.enums import Channel, DeliveryState, EventKind, MailDecision, MailVerdict, MessageKind
from tickets.lists import history
from tickets.models import Attachment, Delivery, IncomingEmail, Message, Ticket, TicketEvent
from tickets.workflow.conversation import LONGEST, RECENT
from web.chat_lines import chat_of
from web.files import file_row
from web.mails import body_with_pictures, picture_sources, pictures_in, refused_rows, remote_pictures

KINDS = {MessageKind.NOTE: "note", MessageKind.REPLY: "requester", MessageKind.REPORT: "requester"}
ICONS: dict[str, str] = {
    EventKind.FILED: "phone",
    EventKind.ASSIGNED: "person-check",
    EventKind.PROPERTIES: "sliders",
    EventKind.CONTRIBUTION: "toggle-on",
    EventKind.STANDING_CHECKED: "shield-check",
    EventKind.CONTACT: "telephone",
    EventKind.CHECKLIST: "ui-checks",
    EventKind.BREACHED: "alarm",
    EventKind.WARNED: "clock",
    EventKind.SURVEY: "star",
    EventKind.NONCONFORMITY: "flag",
    EventKind.CONTINUED: "arrow-right",
    EventKind.LATE_REPLY_READ: "check2",
    EventKind.REQUESTER: "person-badge",
    EventKind.NOTIFICATIONS: "bell",
    EventKind.LINK: "link-45deg",
    EventKind.FILES_EXPIRED: "file-earmark",
    EventKind.STAGE_CHANGED: "signpost-split",
    EventKind.TASK_ASKED: "people",
    EventKind.TASK_TAKEN: "people",
    EventKind.TASK_DONE: "check2",
    EventKind.TASK_WITHDRAWN: "x-lg",
    EventKind.MAIL_HELD: "envelope",
    EventKind.MAIL_DECIDED: "envelope",
}


@dataclass
class Entry:
    """A message or a line of history, ready to draw."""

    at: datetime
    rank: int
    message: Message | None = None
    text: SafeString = field(default_factory=lambda: mark_safe(""))
    icon: str = "clock-history"
    via: str = ""
    kind: str = ""
    files: list[Attachment] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    mail: IncomingEmail | None = None
    opens_day: datetime | None = None
    chat: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def pictures(self) -> dict[str, Attachment]:
        """The files of the message that its text shows, by uuid."""
        return pictures_in(self.message.body, self.files) if self.message else {}

    @property
    def file_rows(self) -> list[dict[str, Any]]:
        """The files below the message: not those in its text, and those of its mail that were refused."""
        rows = [file_row(file) for file in self.files if str(file.uuid) not in self.pictures]
        return rows + refused_rows(self.mail)

    @property
    def remote_host(self) -> str:
        """The host of the blocked pictures, if they have one in common."""
        hosts = (
            {source.removeprefix("https://") for source in picture_sources(self.mail)} if self.mail else set()
        )
        return hosts.pop() if len(hosts) == 1 else ""

    @property
    def remote(self) -> list[str]:
        return remote_pictures(self.mail) if self.mail else []

    @property
    def anchor(self) -> str:
        return f"mensaje-{self.message.pk}" if self.message else ""

    @property
    def body(self) -> SafeString:
        """The message as HTML. A solution includes the steps for the requester."""
        if self.message is None:
            return mark_safe("")
        if "](archivo:" in self.message.body:
            return body_with_pictures(self.message.body, self.pictures)
        if not self.message.steps:
            return self.message.html
        title = format_html("<p><strong>{}</strong></p>", _("Pasos para el solicitante"))
        return self.message.html + title + self.message.steps_html

    @property
    def sent(self) -> list["SentMail"]:
        """The mails whose states are shown: of a message of ours all, else the requester's and those that failed."""
        is_ours = self.kind in ("agent", "note")
        shown = [each for each in self.deliveries if is_ours or each.to_requester or each.can_retry]
        return [SentMail(each, self.kind == "requester", len(shown) > 1) for each in shown]


@dataclass(frozen=True)
class SentMail:
    """The state of one mail about an entry. `is_receipt`: it acknowledges what the requester wrote. `is_named`: it says
    to whom it went."""

    delivery: Delivery
    is_receipt: bool
    is_named: bool

    @property
    def look(self) -> str:
        if self.delivery.can_retry:
            return "bad"
        return "waits" if self.delivery.state == DeliveryState.WAITING else "sent"

    @property
    def icon(self) -> str:
        return {"bad": "exclamation-circle-fill", "waits": "clock", "sent": "check2"}[self.look]

    @property
    def text(self) -> str:
        waits = self.look == "waits"
        state = str(_("Correo en cola") if waits else self.delivery.get_state_display())
        if self.is_receipt:
            state = _("Acuse de recibo: %(state)s") % {"state": state.lower()}
        if self.is_named:
            state = f"{self.delivery.email}: {state.lower()}"
        problem = self.delivery.get_problem_display() if self.delivery.problem else ""
        return f"{state}: {problem}" if problem else state


class Timeline:
    """A ticket's messages, events, files and mails. Takes five queries, and up to three for the names in events."""

    def __init__(self, ticket: Ticket, *, files_key: str = "", complete: bool = False) -> None:
        self.ticket = ticket
        limit = LONGEST if complete else RECENT
        newest = ticket.messages.order_by("-created_at", "-id")[: limit + 1]
        self.messages = list(newest)[::-1]
        self.is_cut = len(self.messages) > limit
        if self.is_cut:
            self.messages = self.messages[1:]
        events = ticket.events.prefetch_related("deliveries").order_by("-version")
        if self.is_cut:
            events = events.filter(at__gte=self.messages[0].created_at)
        self.events = list(events[:LONGEST])[::-1]
        shown = Q(message__in=[message.pk for message in self.messages]) | Q(
            message=None, verdict__in=(MailVerdict.MESSAGE, MailVerdict.QUARANTINE)
        )
        self.mails: list[IncomingEmail] = list(ticket.mails.filter(shown).order_by("-id")[:LONGEST])[::-1]
        self.waiting_files: list[Attachment] = []
        self._files: dict[int | None, list[Attachment]] = {}
        for attachment in Attachment.objects.of_page(ticket, files_key):
            if attachment.ticket_id is None:
                self.waiting_files.append(attachment)
            else:
                self._files.setdefault(attachment.message_id, []).append(attachment)

    @cached_property
    def _mail_of(self) -> dict[int, IncomingEmail]:
        return {mail.message_id: mail for mail in self.mails if mail.message_id is not None}

    @property
    def mails_wait(self) -> bool:
        """Whether some mail has not been sent yet."""
        mails = (mail for event in self.events for mail in event.deliveries.all())
        return any(mail.state == DeliveryState.WAITING for mail in mails)

    def entries(self) -> list[Entry]:
        names = history.names_in(self.events)
        told = {event.message_id: event for event in self.events if event.message_id}
        entries = [self._of_message(message, told.get(message.pk)) for message in self.messages]
        entries += self._of_events(names)
        entries += self._of_automatic_answers()
        entries.sort(key=lambda entry: (entry.at, entry.rank))
        return list(_with_days(entries))

    def _of_automatic_answers(self) -> Iterator[Entry]:
        """Yield a line for each mail of a program: it is kept and wakes nobody."""
        for mail in self.mails:
            if (
                mail.message_id is None
                and mail.verdict == MailVerdict.MESSAGE
                and not (self.is_cut and mail.received_at < self.messages[0].created_at)
            ):
                told = format_html(
                    _("Respuesta automática de <b>{}</b> guardada: «{}». No avisa a nadie"),
                    mail.who,
                    mail.subject or plain_excerpt(mail.text, 80),
                )
                yield Entry(mail.received_at, 1, text=told, icon="envelope")

    def _of_message(self, message: Message, event: TicketEvent | None) -> Entry:
        return Entry(
            message.created_at,
            0,
            message=message,
            kind=KINDS.get(MessageKind(message.kind), "agent"),
            via=_via(message, mail := self._mail_of.get(message.pk), is_proven=not self._let_in_by_us(mail)),
            mail=mail,
            files=self._files.get(message.pk, []),
            deliveries=list(event.deliveries.all()) if event else [],
            chat=chat_of(self.ticket) if message.kind == MessageKind.REPORT else [],
        )

    def _link_to_held(self, event: TicketEvent) -> SafeString:
        """Return the link to the mail of which the event says that it was held, while somebody has to decide."""
        held = {mail.pk for mail in self.mails if mail.is_held} if event.kind == EventKind.MAIL_HELD else ()
        if event.data.get("mail") not in held:
            return mark_safe("")
        address = reverse("agents:mail", args=[event.data["mail"]])
        return format_html(' <a href="{}">{}</a>', address, _("Decidir"))

    def _let_in_by_us(self, mail: IncomingEmail | None) -> bool:
        """Whether staff let the mail in from quarantine: nobody proved who wrote it."""
        return (
            mail is not None
            and mail.decision == MailDecision.LET_IN
            and mail.decided_by_id not in (None, self.ticket.requester_id)
        )

    def _of_events(self, names: history.Names) -> Iterator[Entry]:
        for event in self.events:
            if text := history.tell(event, self.ticket.definition, names):
                yield Entry(
                    event.at,
                    event.version,
                    text=text + self._link_to_held(event),
                    icon=ICONS.get(event.kind, "clock-history"),
                    deliveries=[] if event.message_id else list(event.deliveries.all()),
                )


def _via(message: Message, mail: IncomingEmail | None = None, *, is_proven: bool = True) -> str:
    words = {
        MessageKind.NOTE: "",
        MessageKind.FOLLOW_UP: _("Seguimiento"),
        MessageKind.SOLUTION: _("Solución"),
    }
    said = words.get(MessageKind(message.kind), _("Solicitante") if is_proven else _("Remitente no probado"))
    ways: dict[Any, str] = {
        Channel.EMAIL: _("por correo"),
        Channel.LINK: _("desde el enlace del correo"),
        Channel.PHONE: _("por teléfono"),
        Channel.WHATSAPP: _("por WhatsApp"),
        Channel.CHAT: _("por el asistente"),
        Channel.API: _("por la aplicación"),
    }
    way = ways.get(message.channel, "")
    if copies := _copies(mail) if mail else []:
        way = _("por correo, con copia a %(people)s") % {"people": ", ".join(copies[:5])}
    return " · ".join(filter(None, [said, way]))


def _copies(mail: IncomingEmail) -> list[str]:
    """Return the other addresses in To and Cc, without the mailbox and the addresses that prove who writes."""
    addresses: list[str] = mail.detail("copies") or []
    return [email for email in addresses if email != mail.mailbox and not reply_address.is_one(email)]


def changes_since(ticket: Ticket, changes: Iterable[TicketEvent]) -> list[SafeString]:
    """Return `changes`, the events that happened after a stale page was rendered, as sentences."""
    events = list(changes)
    names = history.names_in(events)
    told = []
    for event in events:
        if text := history.tell(event, ticket.definition, names):
            told.append(text)
        if event.message:
            kind = event.message.get_kind_display().lower()
            told.append(
                format_html(
                    "<b>{}</b> · {}: {}", event.actor_name, kind, plain_excerpt(event.message.body, 200)
                )
            )
    return told


def _with_days(entries: list[Entry]) -> Iterator[Entry]:
    day = None
    for entry in entries:
        today = timezone.localtime(entry.at).date()
        if today != day:
            entry.opens_day, day = entry.at, today
        yield entry
