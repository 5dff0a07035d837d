"""The data of a ticket's page in the back office. Each part is read from the database when a template first uses it."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import User
from tickets import clocks, policies
from tickets.definitions.definition import Action, Call, ChecklistItem, Response
from tickets.definitions.fields import displayed_answers
from tickets.definitions.responses import fill_in, fitting_responses
from tickets.enums import Channel, ClockKind, MessageKind, Severity
from tickets.lists import arrivals, presence, queues
from tickets.models import (
    ChecklistEntry,
    Clock,
    ContactEntry,
    Draft,
    Nonconformity,
    Overtaking,
    Presence,
    SideTask,
    Ticket,
)
from tickets.sla import ClockStatus
from tickets.vacancies import vacant_now
from tickets.workflow.preparing import is_preparation

from ..access import DeskRequest
from ..kept import unsent_forms
from .knowledge import Knowledge
from .people import vacancy_text
from .timeline import Entry, Timeline


def files_key(ticket: Ticket, user: User, *, for_action: bool = False) -> str:
    """Return the `draft_key` of files for this user's next message, or for the form of an action. It is the same after
    signing in again."""
    salt = "agents.action" if for_action else "agents.answer"
    return salted_hmac(salt, f"{user.pk} {ticket.pk}", algorithm="sha256").hexdigest()


ENDED_TASKS_SHOWN = 20
MAILS_WAIT_SUFFIX = "-m"  # the end of a pulse while some mail has not been sent


def pulse_of(ticket: Ticket, others: Iterable[Presence], *, mails_wait: bool) -> str:
    """Return the pulse, a text that a page sends with each poll. If it differs from the current one, the page is stale.

    It changes with the ticket's version, with who else is on the ticket, and when its last waiting mail is sent.
    """
    company = ",".join(f"{other.user_id}{other.is_writing}" for other in others)
    return f"{ticket.version}-{zlib.crc32(company.encode()):x}{MAILS_WAIT_SUFFIX if mails_wait else ''}"


@dataclass(frozen=True)
class ShownTask:
    """A side task, and what the person may do with it."""

    task: SideTask
    may_do: bool
    may_withdraw: bool


class TicketPage:
    def __init__(self, request: DeskRequest, ticket: Ticket, *, complete: bool = False) -> None:
        self.request = request
        self.user: User = request.user
        self.ticket = ticket
        self.complete = complete
        self.now: datetime = timezone.now()
        self.definition = ticket.definition

    # --- Conversation -------------------------------------------------------------------------------------

    @cached_property
    def files_key(self) -> str:
        return files_key(self.ticket, self.user)

    @cached_property
    def timeline(self) -> Timeline:
        return Timeline(self.ticket, files_key=self.files_key, complete=self.complete)

    @cached_property
    def entries(self) -> list[Entry]:
        return self.timeline.entries()

    shows_remote = 0
    """The mail of which remote pictures are shown, this once."""

    @cached_property
    def mail_origin(self) -> dict[str, Any] | None:
        """Where the ticket's first mail came from; None if the ticket did not come by mail."""
        if self.ticket.channel != Channel.EMAIL:
            return None
        first = next(iter(self.timeline.mails), None)
        if first is None:
            return None
        is_proven = bool(first.detail("token")) or (first.detail("checks") or {}).get("dmarc") == "pass"
        return {"mailbox": first.mailbox, "is_proven": is_proven, "count": len(self.timeline.mails)}

    @cached_property
    def can_retry_deliveries(self) -> bool:
        return policies.can_retry_delivery(self.user, self.ticket)

    @cached_property
    def drafts(self) -> dict[str, Draft]:
        rows = Draft.objects.filter(user=self.user, ticket=self.ticket).order_by("updated_at")
        return {draft.mode: draft for draft in rows}

    @cached_property
    def responses(self) -> list[dict[str, Any]]:
        """The standard answers that fit now (S2.13), in the requester's language and ready to insert."""
        _read = self.contacts  # prefetch: some answers tell how the last call went
        fitting = fitting_responses(self.ticket)
        with translation.override(self.ticket.requester_language):
            return [
                {
                    "key": response.key,
                    "label": response.label,
                    "mode": "solution" if response.kind == MessageKind.SOLUTION else "follow_up",
                    "text": fill_in(str(response.body), self.ticket, now=self.now),
                    "asks": response.asks,
                }
                for response in fitting
            ]

    @cached_property
    def unsent_forms(self) -> list[dict[str, Any]]:
        """The forms of this ticket in which the person has typed something and not sent it."""
        return unsent_forms(self.user, self.ticket)

    # --- Who else is here ---------------------------------------------------------------------------------

    @cached_property
    def others(self) -> list[Presence]:
        return list(presence.others_on(self.ticket, user=self.user))

    @property
    def pulse(self) -> str:
        return pulse_of(self.ticket, self.others, mails_wait=self.timeline.mails_wait)

    @property
    def first_pulse(self) -> str:
        """The pulse of a new page. It leaves out who else is there, so that the first poll brings them."""
        return f"{self.ticket.version}-{MAILS_WAIT_SUFFIX if self.timeline.mails_wait else ''}"

    @property
    def company(self) -> list[str]:
        return [str(other.user) for other in self.others]

    @property
    def writing(self) -> str:
        return _("y escribe…") if any(other.is_writing for other in self.others) else ""

    # --- What can be done ---------------------------------------------------------------------------------

    @cached_property
    def actions(self) -> list[Action]:
        return policies.available_actions(self.ticket, actor=self.user)

    @property
    def main_action(self) -> Action | None:
        """The action for an inactive requester if there is one, else the first in a primary or success style."""
        usual = (action for action in self.actions if action.style in ("primary", "success"))
        return self.inactive_action or next(usual, None)

    @property
    def other_actions(self) -> list[Action]:
        return [action for action in self.actions if action is not self.main_action]

    @property
    def preparation(self) -> Action | None:
        return next((action for action in self.actions if is_preparation(action, self.ticket)), None)

    @property
    def follow_up_label(self) -> str:
        return _("Enviar y pedir aporte") if self.ticket.contribution_open else _("Enviar seguimiento")

    @cached_property
    def vacancies(self) -> list[str]:
        """Return a sentence for each of those who should act now but have left."""
        return [vacancy_text(who, self.ticket) for who in vacant_now(self.ticket)]

    # --- Knowledge ----------------------------------------------------------------------------------------

    @cached_property
    def knowledge(self) -> Knowledge:
        """The procedures and articles that fit the ticket."""
        return Knowledge(self.request, self.ticket)

    # --- Facts --------------------------------------------------------------------------------------------

    @property
    def severity(self) -> Severity:
        return Severity(self.ticket.severity)

    @property
    def severity_label(self) -> str:
        return str(self.definition.severity_label or _("Severidad"))

    @cached_property
    def clocks(self) -> dict[str, Clock]:
        return {clock.kind: clock for clock in self.ticket.clocks.all()}

    @property
    def first_response(self) -> ClockStatus | None:
        return self._status(ClockKind.FIRST_RESPONSE)

    @property
    def resolution(self) -> ClockStatus | None:
        return self._status(ClockKind.RESOLUTION)

    @property
    def next_reply(self) -> ClockStatus | None:
        """The status of the promised answer to the requester's latest message; None once it is answered."""
        return self._running(ClockKind.NEXT_REPLY)

    @property
    def progress(self) -> ClockStatus | None:
        """The status of the promised news about the progress (S0.21); None if the ticket is closed."""
        return self._running(ClockKind.PROGRESS)

    def _running(self, kind: ClockKind) -> ClockStatus | None:
        clock = self.clocks.get(kind)
        return clocks.status(clock, now=self.now) if clock and clock.stopped_at is None else None

    def _status(self, kind: ClockKind) -> ClockStatus | None:
        clock = self.clocks.get(kind)
        return clocks.status(clock, now=self.now) if clock else None

    @property
    def closing_date(self) -> datetime | None:
        """The due date as it is now: while a pause lasts, the date if it ended now."""
        clock = self.clocks.get(ClockKind.RESOLUTION)
        return clocks.current_due(clock, now=self.now) if clock else self.ticket.due_at

    @cached_property
    def answers(self) -> list[tuple[Any, str]]:
        """The process's own fields that have a value, with that value as text."""
        return displayed_answers(self.definition.fields, self.ticket.fields)

    @cached_property
    def overtakings(self) -> list[Overtaking]:
        """The latest cases in which the order of arrival was not kept with this ticket (S2.35)."""
        return arrivals.overtakings_of(self.ticket, user=self.user)

    # --- The requester ------------------------------------------------------------------------------------

    @property
    def is_inactive(self) -> bool:
        return bool(self.ticket.requester and self.ticket.requester.is_inactive_standing)

    @cached_property
    def other_tickets(self) -> int:
        """How many other tickets of the requester this person may see, counted up to `queues.MANY`."""
        if self.ticket.requester is None:
            return 0
        theirs = Ticket.objects.visible_to(self.user).requested_by(self.ticket.requester)
        return queues.count(theirs.exclude(pk=self.ticket.pk))

    @property
    def phone(self) -> str:
        """The phone given with the report, else the account's."""
        requester = self.ticket.requester
        return self.ticket.requester_phone or (requester.phone if requester else "")

    @property
    def must_check_standing(self) -> bool:
        return (
            self.definition.check_standing and self.ticket.standing_checked_at is None and self.ticket.is_open
        )

    @property
    def _inactive_response(self) -> Response | None:
        """The standard answer that the process has for an inactive requester (S2.10)."""
        for response in self.definition.responses:
            if any(when.name == "requester_inactive" and not when.negated for when in response.when):
                return response
        return None

    @cached_property
    def inactive_action(self) -> Action | None:
        """The action that sends the standard answer for an inactive requester, who may get no other answer."""
        response = self._inactive_response
        if response is None or not self.is_inactive:
            return None
        posts = Call("post_response", response.key)
        return next((action for action in self.actions if posts in action.effects), None)

    @property
    def inactive_text(self) -> str:
        """The text of the standard answer for an inactive requester, which staff insert into the composer.

        Empty if the process checks the standing, because it then refuses messages to an inactive requester.
        """
        response = self._inactive_response
        if response is None or self.definition.check_standing or not self.ticket.is_open:
            return ""
        with translation.override(self.ticket.requester_language):
            return fill_in(str(response.body), self.ticket, now=self.now)

    # --- Closing ------------------------------------------------------------------------------------------

    @cached_property
    def checklist(self) -> list[tuple[ChecklistItem, ChecklistEntry | None, bool]]:
        """The items of the closing checklist, each with its entry if it is ticked, and whether this person may tick."""
        items = self.definition.closing.checklist
        if not items:
            return []
        entries = ChecklistEntry.objects.filter(ticket=self.ticket).prefetch_related("done_by")
        done = {entry.item: entry for entry in entries}
        own = policies.items_to_tick(self.user, self.ticket)
        return [(item, done.get(item.key), item.key in own) for item in items]

    @property
    def may_tick(self) -> bool:
        """Whether this person may tick any item of the closing checklist."""
        return any(may_tick for _item, _entry, may_tick in self.checklist)

    @property
    def checklist_done(self) -> int:
        return sum(entry is not None for _item, entry, _may_tick in self.checklist)

    @cached_property
    def contacts(self) -> list[ContactEntry]:
        prefetch_related_objects(
            [self.ticket], Prefetch("contacts", ContactEntry.objects.prefetch_related("by"))
        )
        return list(self.ticket.contacts.all())

    @cached_property
    def side_tasks(self) -> list[ShownTask]:
        """The tasks of other departments on this ticket: the open ones, then those that ended last. Takes no query if
        none was ever asked for."""
        if self.ticket.open_tasks is None:
            return []
        tasks = self.ticket.side_tasks.select_related("department", "asked_by", "assignee", "ended_by")
        ended = tasks.filter(ended_at__isnull=False).order_by("-ended_at")[:ENDED_TASKS_SHOWN]
        rows = [*tasks.open(), *ended]
        for row in rows:
            row.ticket = self.ticket  # what it may be is asked of the ticket
        return [
            ShownTask(
                row,
                may_do=row.is_open and policies.can_do_side_task(self.user, row),
                may_withdraw=row.is_open and policies.can_withdraw_side_task(self.user, row),
            )
            for row in rows
        ]

    @property
    def own_tasks(self) -> list[ShownTask]:
        """The open tasks that this person took, or may take because they are of their department."""
        return [
            each
            for each in self.side_tasks
            if each.task.is_open
            and (each.task.department_id in self.user.department_ids or each.task.assignee_id == self.user.pk)
        ]

    @cached_property
    def nonconformities(self) -> list[Nonconformity]:
        return list(self.ticket.nonconformities.all())

    @cached_property
    def survey(self) -> Any:
        """The survey of a closed ticket. None for a reopened one, whose conversation shows the rating."""
        return None if self.ticket.is_open else getattr(self.ticket, "survey", None)

    @property
    def can_edit(self) -> bool:
        return self.ticket.is_open and policies.can_edit_properties(self.user, self.ticket)
