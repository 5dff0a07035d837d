"""Collect the facts that a mail's templates may show, as plain values, when the mail is composed.

A requester's mail gets public facts only, so no template can leak an internal one. A guest's own text is not sent to an
unverified address (B14): otherwise anybody could use the public form to send a text of their own to a third person in
the name of the help desk.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.names import first_name
from content.text import as_typed, render_markdown
from tickets import clocks
from tickets.enums import Channel, ClockKind, EventKind, MessageKind, Severity
from tickets.models import Clock, Message, Ticket, TicketEvent
from web.explained import summary

from ..enums import Audience
from ..models import OutgoingEmail
from . import phrases

Facts = dict[str, Any]


@dataclass(frozen=True)
class MailContext:
    """One mail with its event and ticket."""

    mail: OutgoingEmail
    event: TicketEvent
    ticket: Ticket

    @property
    def for_staff(self) -> bool:
        return self.mail.audience == Audience.STAFF

    @cached_property
    def is_verified(self) -> bool:
        """Whether this mail may repeat what the requester wrote. True for staff, for the requester's own account, if
        staff filed the ticket, and for an address that acted through a guest's link: opening it is not enough, because
        mail scanners open links too. A ticket that came by mail proves nothing, for anybody writes any sender (B14),
        until its sender has been proven by their mail server or by answering one of our mails."""
        if self.for_staff:
            return True
        if self.ticket.channel == Channel.EMAIL and self.is_mail_proven:
            return True
        is_theirs = self.mail.user_id is not None and self.mail.user_id == self.ticket.requester_id
        if is_theirs and self.ticket.channel != Channel.EMAIL:
            return True
        if self.ticket.guest_tokens.filter(
            email__iexact=self.mail.recipient, last_used_at__isnull=False
        ).exists():
            return True
        filed_by = self.ticket.events.filter(kind=EventKind.FILED, actor__isnull=False).select_related(
            "actor"
        )
        return any(event.actor is not None and event.actor.is_desk_staff for event in filed_by)

    @cached_property
    def is_mail_proven(self) -> bool:
        """Whether some mail of the ticket was proven to be the requester's."""
        mails = self.ticket.mails.filter(message__from_requester=True).values_list("details", flat=True)[:20]
        return any(told.get("token") or told.get("checks", {}).get("dmarc") == "pass" for told in mails)

    @property
    def is_by_requester(self) -> bool:
        """Whether only the requester may perform the action of this event."""
        action = self.ticket.definition.action(self.event.action)
        by = action.by if action else ()
        return bool(by) and all(who.kind == "requester" for who in by)

    def facts(self) -> Facts:
        """Return the template variables that every mail of this audience gets."""
        return self._desk_facts() | self._ticket_facts() | (self._staff_facts() if self.for_staff else {})

    def _desk_facts(self) -> Facts:
        with_account = self.mail.user_id is not None and not self.for_staff
        return {
            "desk": {
                "name": settings.DESK_NAME,
                "support_email": settings.DESK_SUPPORT_EMAIL,
                "support_phone": settings.DESK_SUPPORT_PHONE,
            },
            "takes_replies": bool(settings.DESK_REPLY_DOMAIN),
            "notices_url": address("portal:profile") if with_account else "",
            "report_url": "" if self.for_staff else address("portal:report"),
        }

    def _ticket_facts(self) -> Facts:
        ticket = self.ticket
        stage = ticket.stage_definition
        label = str(stage.label) if self.for_staff else stage.customer_label
        return {
            "staff": self.for_staff,
            "name": self._first_name(),
            "folio": ticket.folio,
            "title": ticket.title if self.is_verified else "",
            "category": str(ticket.category or ""),
            "department": str(ticket.department or ""),
            "assignee": ticket.acting_assignee.name if ticket.acting_assignee else "",
            "stage": label,
            "due_by": phrases.before(ticket.due_at),
            "follows": ticket.follows.folio if ticket.follows else "",
            "late_reply": self.event.data.get("late_reply", ""),
            "ticket_caption": _("Ticket") if self.for_staff else _("Tu número de ticket"),
            "ticket_meta": _("Estado: %(state)s") % {"state": label},
            "message": self._message(),
        }

    @property
    def resolution(self) -> Clock | None:
        """The clock of the closing date, if the process promises one or a person agreed on one."""
        return next((clock for clock in self.ticket.clocks.all() if clock.kind == ClockKind.RESOLUTION), None)

    def _staff_facts(self) -> Facts:
        ticket = self.ticket
        severity_name = str(ticket.definition.severity_label or _("Severidad"))
        now = timezone.now()
        clock = self.resolution
        due = clocks.current_due(clock, now=now) if clock else None
        is_running = clock is not None and ticket.closed_at is None
        rows = [
            (_("Sigue a"), ticket.follows.folio if ticket.follows else ""),
            (_("Solicitante"), f"{ticket.requester_name} · {ticket.requester_email}".strip(" ·")),
            (_("Categoría"), str(ticket.category or "")),
            (severity_name, str(Severity(ticket.severity).label)),
            (_("Departamento"), str(ticket.department or "")),
            (_("Responsable"), ticket.acting_assignee.name if ticket.acting_assignee else ""),
            (_("Cerrado"), phrases.moment(ticket.closed_at))
            if ticket.closed_at
            else (_("Fecha de cierre"), phrases.moment(due) if due else ""),
            (_("¿Por qué esta fecha?"), summary(clock, now=now) if clock and is_running else ""),
        ]
        return {
            "mine": ticket.assignee_id is not None and ticket.assignee_id == self.mail.user_id,
            "requester_name": ticket.requester_name,
            "actor": self.event.actor_name or settings.DESK_NAME,
            "staff_rows": [(label, value) for label, value in rows if value],
            "why_url": address("agents:ticket_due", ticket.folio) if is_running else "",
        }

    def _first_name(self) -> str:
        if self.mail.user:
            return first_name(self.mail.user.name)
        return first_name(self.ticket.requester_name) if self.is_verified else ""

    def _message(self) -> Facts | None:
        """Return the facts of the event's message; None when there is none or this reader may not see it. Reports are
        left out: the mails that show one get it from `emails._report`."""
        message = self.event.message
        if message is None or message.kind == MessageKind.REPORT:
            return None
        if not self.for_staff and (
            not message.is_public or (message.from_requester and not self.is_verified)
        ):
            return None
        return self.words(message)

    @property
    def report(self) -> Message | None:
        """The requester's report, as `composing.load_all` has read it."""
        reports: list[Message] = self.ticket.reports  # type: ignore[attr-defined]
        return next(iter(reports), None)

    def words(self, message: Message) -> Facts:
        """Return author, text and number of files of `message` for the templates."""
        files = len(message.attachments.all())  # read with the mail
        return {
            "author": self._author(message),
            "text": as_typed(message.body),
            "html": phrases.for_mail(message.html),
            "files": [ngettext("%(n)d archivo", "%(n)d archivos", files) % {"n": files}] if files else [],
        }

    def _author(self, message: Message) -> str:
        if message.author is not None and not message.from_requester:
            return message.author.name or settings.DESK_NAME  # never the author's email address
        return message.author_name

    def solution(self) -> Facts | None:
        """Return what was done and what the requester still has to do (S0.24), from the event's solution message, else
        from the ticket. None if the ticket has no solution, or if it was neither sent nor asked for by the event's
        action."""
        ticket, message = self.ticket, self.event.message
        if message is not None and message.kind == MessageKind.SOLUTION:
            return _solution(message.body, message.steps)
        action = ticket.definition.action(self.event.action)
        asked = action is not None and any(ask.field == "solution_done" for ask in action.asks)
        if not ticket.solution_done or not (ticket.solution_sent_at or asked):
            return None
        return _solution(ticket.solution_done, ticket.solution_steps)


def _solution(done: str, steps: str) -> Facts:
    return {
        "done": as_typed(done),
        "done_html": phrases.for_mail(render_markdown(done)),
        "steps": as_typed(steps),
        "steps_html": phrases.for_mail(render_markdown(steps)),
    }


def address(name: str, *args: str) -> str:
    """Return the absolute URL of the page named `name`; "" if that URL name does not exist."""
    try:
        return f"{settings.DESK_BASE_URL}{reverse(name, args=args)}"
    except NoReverseMatch:
        return ""
