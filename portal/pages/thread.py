"""A ticket as its requester sees it: its state, its steps and its conversation.

Everything comes from public messages and public events (`public_conversation`). Of an event, only its time, the
process's text for its action, the stage it led to and the ticket where the case goes on are used. Its other data are
internal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tickets.definitions.definition import Stage
from tickets.enums import Channel, EventKind, MessageKind, PublicState, StageKind
from tickets.lists.history import files_expired
from tickets.models import IncomingEmail, Message, Ticket, TicketEvent
from tickets.workflow.conversation import LONGEST, RECENT, public_conversation
from web.chat_lines import chat_of
from web.files import file_row
from web.mails import body_with_pictures, pictures_in, refused_rows

VIA = {
    Channel.EMAIL: lambda: _("por correo"),
    Channel.LINK: lambda: _("desde el enlace del correo"),
    Channel.WHATSAPP: lambda: _("por WhatsApp"),
    Channel.PHONE: lambda: _("por teléfono"),
    Channel.CHAT: lambda: _("por el asistente"),
}
ICONS = {
    StageKind.CLOSURE_APPROVAL: "patch-check",
    StageKind.WAITING_CUSTOMER: "chat-left-dots",
    StageKind.DONE: "check-circle",
    StageKind.REJECTED: "x-circle",
    StageKind.CANCELLED: "x-circle",
}
SHOWN_EVENTS = (
    EventKind.FILED,
    EventKind.STAGE_CHANGED,
    EventKind.ACTION,
    EventKind.CONTINUED,
    EventKind.FILES_EXPIRED,
)
WITHOUT_PROGRESS = (StageKind.REJECTED, StageKind.CANCELLED)


@dataclass(frozen=True)
class State:
    """A ticket's state as the pages show it: `data-state`, which colours it, and a label (S3.12–S3.14)."""

    look: str
    label: str


def state_of(ticket: Ticket) -> State:
    """Return the ticket's state with the same labels for every process, so that lists are uniform.

    The names that the process gives its stages are shown on the steps.
    """
    match ticket.kind:
        case StageKind.CLOSURE_APPROVAL:
            return State("approve", _("Espera tu aprobación"))
        case StageKind.WAITING_CUSTOMER:
            return State("approve", _("Espera tu respuesta"))
        case StageKind.REJECTED:
            return State("rejected", _("Rechazado"))
        case StageKind.CANCELLED:
            return State("rejected", _("Cancelado"))
    return State(ticket.state_look, str(PublicState(ticket.public_state).label))


def has_progress(ticket: Ticket) -> bool:
    """Whether to show a percentage. False for a rejected or cancelled ticket."""
    return ticket.kind not in WITHOUT_PROGRESS


class Conversation:
    """The newest public messages of one ticket, with their files, and its public events of `SHOWN_EVENTS`. They are
    read in three queries."""

    def __init__(self, ticket: Ticket, *, complete: bool = False) -> None:
        self.ticket = ticket
        public, limit = public_conversation(ticket), LONGEST if complete else RECENT
        newest = public["messages"].order_by("-created_at", "-id")[: limit + 1]
        self.messages: list[Message] = list(newest)[::-1]
        self.is_cut = len(self.messages) > limit
        if self.is_cut:
            self.messages = self.messages[1:]
        # Read also the events before the first message shown, because `steps` needs them. Events of other kinds are not
        # shown: where they matter to the requester, a message tells about them.
        events = public["events"].filter(kind__in=SHOWN_EVENTS).order_by("-version")
        self.events: list[TicketEvent] = list(events[:LONGEST])[::-1]

    def stage_changes(self) -> Iterator[tuple[TicketEvent, Stage]]:
        """Yield each event that led to a stage, with that stage, oldest first."""
        for event in self.events:
            key = event.data.get("to")
            if key:
                yield event, self.ticket.definition.stage(key)

    def items(self) -> list[dict[str, Any]]:
        """Return messages, event lines and day separators, oldest first, as the template draws them."""
        entries: list[tuple[datetime, int, dict[str, Any]]] = [
            (message.created_at, 0, self._message(message)) for message in self.messages
        ]
        since = self.messages[0].created_at if self.is_cut else None
        entries += [(event.at, 1, line) for event, line in self._lines() if not since or event.at >= since]
        entries.sort(key=lambda entry: entry[:2])
        return list(_with_days(entries))

    def solution(self) -> dict[str, Any] | None:
        """Return the newest solution as `items` returns messages, without an id, because it is also among them."""
        found = next((each for each in reversed(self.messages) if each.kind == MessageKind.SOLUTION), None)
        if found is None and self.is_cut:
            solutions = public_conversation(self.ticket)["messages"].filter(kind=MessageKind.SOLUTION)
            found = solutions.order_by("-created_at", "-id").first()
        return {**self._message(found), "id": ""} if found else None

    @cached_property
    def _mails(self) -> dict[int | None, IncomingEmail]:
        """The mails of the messages, of which requesters see the refused files and nothing else. Takes no query if no
        message came by mail."""
        mailed = [message.pk for message in self.messages if message.channel == Channel.EMAIL]
        rows = IncomingEmail.objects.filter(message__in=mailed).only("message", "details") if mailed else ()
        return {mail.message_id: mail for mail in rows}

    @cached_property
    def _chat(self) -> list[dict[str, Any]]:
        return chat_of(self.ticket)

    def _message(self, message: Message) -> dict[str, Any]:
        mine, files = message.from_requester, list(message.attachments.all())
        pictures = pictures_in(message.body, files)
        return {
            "type": "message",
            "id": f"mensaje-{message.pk}",
            "kind": "requester" if mine else "agent",
            "author": message.author_name,
            "mine": mine,
            "at": message.created_at,
            "body": body_with_pictures(message.body, pictures) if pictures else message.html,
            "steps": message.steps_html,
            "is_solution": message.kind == MessageKind.SOLUTION,
            "via": VIA[Channel(message.channel)]() if message.channel in VIA else "",
            "files": [file_row(each) for each in files if str(each.uuid) not in pictures]
            + refused_rows(self._mails.get(message.pk)),
            "chat": self._chat if message.kind == MessageKind.REPORT else [],
        }

    def _lines(self) -> Iterator[tuple[TicketEvent, dict[str, Any]]]:
        label = ""
        for event in self.events:
            to = event.data.get("to")
            stage = self.ticket.definition.stage(to) if to else None
            action = self.ticket.definition.action(event.action) if event.action else None
            words = str(action.event) if action else ""
            if stage is not None:
                if not label:  # the filing needs no line: the report is the first message
                    label = stage.customer_label
                    continue
                if stage.customer_label == label and not words:
                    continue
                label = stage.customer_label
            if event.kind == EventKind.CONTINUED:
                words = _("Tu mensaje siguió en el ticket %(folio)s") % {"folio": event.data["folio"]}
            if event.kind == EventKind.FILES_EXPIRED:
                words = files_expired(event)
            if stage is None and not words:
                continue
            yield (
                event,
                {
                    "type": "event",
                    "at": event.at,
                    "icon_name": ICONS.get(stage.kind, "arrow-right") if stage else "clock-history",
                    "text": words or _stage_text(stage),
                },
            )

    def steps(self) -> list[dict[str, Any]]:
        """Return the steps of the ticket (S1.2, S1.12): those done and when, the current one, those to come.

        Those done are the stages where the ticket has been, also off the main road. Those to come are the rest of the
        main road. A stage that waits for the customer is shown only while it is current, an end only if it is the
        ticket's own.
        """
        ticket, here = self.ticket, self.ticket.stage_definition
        road = [stage.customer_label for stage in ticket.definition.customer_steps]
        been = {stage.customer_label: (stage, event.at) for event, stage in self.stage_changes()}
        at = been.pop(here.customer_label, (here, ticket.stage_since))[1]
        place = self._place_on(road)
        steps: list[tuple[datetime, str, str, datetime | None]] = []
        for label, (stage, when) in been.items():
            ahead = label in road and road.index(label) >= place and not here.is_end
            if not (ahead or stage.is_end or stage.kind == StageKind.WAITING_CUSTOMER):
                steps.append((when, label, "done", when))
        done = [(label, state, when) for _when, label, state, when in sorted(steps, key=lambda step: step[0])]
        todo = [] if here.is_end else [label for label in road[place:] if label != here.customer_label]
        current = "done" if here.is_end else "current"
        return [
            {"label": label, "state": state, "at": when}
            for label, state, when in (
                *done,
                (here.customer_label, current, at),
                *((label, "todo", None) for label in todo),
            )
        ]

    def _place_on(self, road: list[str]) -> int:
        """Return how many steps of the main road are behind the ticket. Off the road, its last stage on it counts."""
        labels = [stage.customer_label for _event, stage in self.stage_changes()]
        for label in (self.ticket.stage_definition.customer_label, *reversed(labels)):
            if label in road:
                return road.index(label) + 1
        return 0


def _stage_text(stage: Stage | None) -> SafeString:
    if stage is None:
        return SafeString("")
    match stage.kind:
        case StageKind.CLOSURE_APPROVAL:
            text = _("Esperamos tu aprobación de cierre")
        case StageKind.WAITING_CUSTOMER:
            text = _("Esperamos tu respuesta para seguir")
        case _:
            return format_html(_("Tu solicitud pasó a <b>{}</b>"), stage.customer_label)
    return format_html("{}", text)


def _with_days(entries: Iterable[tuple[datetime, int, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    day: date | None = None
    for at, _rank, entry in entries:
        today = timezone.localtime(at).date()
        if day is not None and today != day:
            yield {"type": "day", "day": today}
        day = today
        yield entry
