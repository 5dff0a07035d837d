"""A ticket's messages and history, merged by time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from content.text import plain_excerpt
from tickets.enums import Channel, DeliveryState, EventKind, MailVerdict, MessageKind
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
    def delivery(self) -> Delivery | None:
        """The mail whose state is shown: one that failed, no matter to whom, else the requester's."""
        failed = [delivery for delivery in self.deliveries if delivery.can_retry]
        theirs = [delivery for delivery in self.deliveries if delivery.to_requester]
        return next(iter(failed + theirs), None)

    @property
    def delivery_is_bad(self) -> bool:
        return bool(self.delivery and self.delivery.can_retry)

    @property
    def delivery_icon(self) -> str:
        waits = self.delivery is not None and self.delivery.state == DeliveryState.WAITING
        return "clock" if waits else "check2"

    @property
    def delivery_text(self) -> str:
        if self.delivery is None:
            return ""
        waits = self.delivery.state == DeliveryState.WAITING
        state = _("Correo en cola") if waits else self.delivery.get_state_display()
        if self.kind == "requester":  # the mail is our acknowledgement of their message
            state = _("Acuse de recibo: %(state)s") % {"state": str(state).lower()}
        problem = self.delivery.get_problem_display() if self.delivery.problem else ""
        return f"{state}: {problem}" if problem else str(state)


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
            message=None, verdict=MailVerdict.MESSAGE
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
            if mail.message_id is None and not (
                self.is_cut and mail.received_at < self.messages[0].created_at
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
            via=_via(message, mail := self._mail_of.get(message.pk)),
            mail=mail,
            files=self._files.get(message.pk, []),
            deliveries=list(event.deliveries.all()) if event else [],
            chat=chat_of(self.ticket) if message.kind == MessageKind.REPORT else [],
        )

    def _of_events(self, names: history.Names) -> Iterator[Entry]:
        for event in self.events:
            if text := history.tell(event, self.ticket.definition, names):
                yield Entry(
                    event.at,
                    event.version,
                    text=text,
                    icon=ICONS.get(event.kind, "clock-history"),
                    deliveries=[] if event.message_id else list(event.deliveries.all()),
                )


def _via(message: Message, mail: IncomingEmail | None = None) -> str:
    words = {
        MessageKind.NOTE: "",
        MessageKind.FOLLOW_UP: _("Seguimiento"),
        MessageKind.SOLUTION: _("Solución"),
    }
    said = words.get(MessageKind(message.kind), _("Solicitante"))
    ways: dict[Any, str] = {
        Channel.EMAIL: _("por correo"),
        Channel.LINK: _("desde el enlace del correo"),
        Channel.PHONE: _("por teléfono"),
        Channel.WHATSAPP: _("por WhatsApp"),
        Channel.CHAT: _("por el asistente"),
        Channel.API: _("por la aplicación"),
    }
    way = ways.get(message.channel, "")
    copies = [email for email in (mail.detail("copies") or []) if email != mail.mailbox] if mail else []
    if copies:
        way = _("por correo, con copia a %(people)s") % {"people": ", ".join(copies[:5])}
    return " · ".join(filter(None, [said, way]))


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
