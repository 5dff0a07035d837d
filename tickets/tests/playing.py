"""`Play`: one ticket, the people around it, and a short method for each thing they do."""

import uuid
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from content.errors import InvalidData
from tickets import clocks, policies
from tickets.actors import Actor, Guest
from tickets.closing.checklist import tick_checklist
from tickets.closing.contact_log import log_contact
from tickets.definitions.definition import Definition
from tickets.enums import ClockKind, ContactKind, ContactOutcome, Purpose
from tickets.exceptions import ActionUnavailable, NotAllowed
from tickets.facts.replay import DERIVED, CalendarHistory, replay
from tickets.models import Attachment, Message, StageVisit, Ticket, TicketEvent
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation, properties, sweeps
from tickets.workflow.intake import Requester, file_ticket
from tickets.workflow.perform import perform

START = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)  # a Monday, 9:00 in Caracas


class Play:
    """One ticket from its filing on. Time stands still, except that `later` moves it forward."""

    careful = True
    """Whether `do` also checks that the action is refused where it must be."""
    is_whole = True
    """Whether every change of the ticket was made by a verb, so that its events tell all of them."""

    def __init__(self, process: str, *, filed_by: str = "customer", **filing: Any) -> None:
        """File a ticket. `filed_by` is `customer`, `guest`, or `staff` (a supervisor, for a person without account)."""
        self.traveller = time_machine.travel(START, tick=False)
        self.clock = self.traveller.start()
        self.process = make_process(process)
        home = make_department(self.process.definition.department)
        self.home, self.agent, self.colleague = home, make_agent(home), make_agent(home)
        self.supervisor = make_supervisor()
        self.outsider = make_agent(make_department("otro"))
        self.stranger, self.customer = make_user(), make_user()
        if filed_by == "staff":
            self.ticket = file_ticket(
                self.process,
                actor=self.supervisor,
                requester=Requester(email="sin.cuenta@example.com", name="Sin Cuenta"),
                category=self.process.categories.first(),
                title="Llamó por teléfono",
                description="No puede entrar.",
            )
        elif filed_by == "guest":
            self.ticket = make_ticket(self.process, guest_email="invitada@example.com", **filing)
        else:
            self.ticket = make_ticket(self.process, requester=self.customer, **filing)

    def stop(self) -> None:
        self.traveller.stop()

    def without_progress(self) -> "Play":
        """Take away the clock for progress, for what is about the others. Returns the play."""
        self.ticket.clocks.filter(kind=ClockKind.PROGRESS).delete()
        clocks.copy_due_dates(self.ticket, self.ticket.clocks.all())
        self.ticket.save(update_fields=["due_order"])
        return self

    @cached_property
    def manager(self) -> User:
        person = make_agent(self.home)
        person.memberships.update(is_manager=True)
        return person

    @cached_property
    def reviewer(self) -> User:
        """A member of «atención al usuario» who also belongs to the ticket's department."""
        return make_agent(self.home, make_department("atencion-al-usuario"))

    @cached_property
    def user_service(self) -> User:
        """A member of «atención al usuario» only."""
        return make_agent(make_department("atencion-al-usuario"))

    @property
    def definition(self) -> Definition:
        return self.ticket.definition

    @property
    def requester(self) -> Actor:
        return self.guest(Purpose.FOLLOW) if self.ticket.requester_id is None else self.customer

    def guest(self, purpose: Purpose) -> Guest:
        return Guest(self.ticket.pk, self.ticket.requester_email, self.ticket.requester_name, purpose)

    def refresh(self) -> Ticket:
        self.ticket = Ticket.objects.get(pk=self.ticket.pk)
        return self.ticket

    # --- What people do -------------------------------------------------------------------------------------

    def do(self, actor: Actor, action: str, **data: Any) -> "Play":
        """Carry out an action.

        When `careful`, check first that it is refused to everybody else and refused without its answers, and afterwards
        that it is refused if the ticket has left its stage.
        """
        if self.careful:
            self._refused_to_others(action, data)
            self._refused_unanswered(actor, action)
        perform(self.ticket, action, actor=actor, data=data, key=str(uuid.uuid4()))
        self.refresh()
        if self.careful:
            self._refused_afterwards(actor, action, data)
        return self

    def _refused_to_others(self, action: str, data: dict[str, Any]) -> None:
        definition = self.definition.action(action)
        strangers = (
            self.stranger,
            self.outsider,
            self.guest(Purpose.SURVEY),
            Guest(0, "x@example.com", "X", Purpose.FOLLOW),
        )
        for actor in strangers:
            with pytest.raises(NotAllowed):
                perform(self.ticket, action, actor=actor, data=data)
        for actor in (self.agent, self.colleague, self.supervisor, self.customer):
            if not policies.may_perform(actor, self.ticket, definition):
                with pytest.raises(NotAllowed):
                    perform(self.ticket, action, actor=actor, data=data)

    def _refused_unanswered(self, actor: Actor, action: str) -> None:
        asks = self.definition.action(action).asks
        required = {ask.field for ask in asks if ask.required and not self._is_conditional(ask.field)}
        if required:
            with pytest.raises(InvalidData) as refused:
                perform(self.ticket, action, actor=actor, data={})
            assert refused.value.errors.keys() == required
            assert self.ticket.version == Ticket.objects.get(pk=self.ticket.pk).version

    def _is_conditional(self, field: str) -> bool:
        own = self.definition.field(field)
        return field == "contribution_open" or bool(own and own.shown_when)

    def _refused_afterwards(self, actor: Actor, action: str, data: dict[str, Any]) -> None:
        if self.ticket.stage not in self.definition.action(action).sources and policies.can_view(
            actor, self.ticket
        ):
            with pytest.raises(ActionUnavailable):
                perform(self.ticket, action, actor=actor, data=data)

    def follow_up(self, body: str = "Seguimos con tu caso.", actor: User | None = None) -> "Play":
        conversation.send_follow_up(self.ticket, actor=actor or self.agent, body=body)
        self.refresh()
        return self

    def solution(self, done: str = "Reiniciamos el servicio.", steps: str = "") -> "Play":
        conversation.send_solution(self.ticket, actor=self.agent, done=done, steps=steps)
        self.refresh()
        return self

    def reply(
        self, body: str = "Aquí van los datos.", actor: Actor | None = None, *, keep_closed: bool = False
    ) -> "Play":
        actor = actor or self.requester
        conversation.reply(self.ticket, actor=actor, body=body, keep_closed=keep_closed)
        self.refresh()
        return self

    def contribution(self, *, is_open: bool) -> "Play":
        properties.set_contribution(self.ticket, actor=self.agent, is_open=is_open)
        self.refresh()
        return self

    def contact(
        self,
        kind: ContactKind,
        outcome: ContactOutcome = ContactOutcome.SUCCESSFUL,
        by: User | None = None,
    ) -> "Play":
        url = "https://wa.me/chat/1" if kind == ContactKind.WHATSAPP else ""
        log_contact(self.ticket, actor=by or self.colleague, kind=kind, outcome=outcome, url=url)
        self.refresh()
        return self

    def tick(self, *items: str, by: User | None = None) -> "Play":
        for item in items:
            tick_checklist(self.ticket, actor=by or self.colleague, item=item)
        self.refresh()
        return self

    def picture(self) -> "Play":
        add_screenshot(self.ticket, by=self.agent)
        self.refresh()
        return self

    def review(self, by: User | None = None) -> "Play":
        review(self.ticket, by=by or self.supervisor)
        self.refresh()
        return self

    def later(self, **span: float) -> "Play":
        """Move the time forward by `span`, then run the sweeps."""
        self.clock.shift(timedelta(**span))
        sweeps.breach_overdue()
        sweeps.give_notice()
        sweeps.act_on_silence()
        self.refresh()
        return self

    def join_group(self, user: User, name: str) -> "Play":
        user.groups.add(Group.objects.get(name=name))
        user.__dict__.pop("group_names", None)
        return self

    # --- Results -------------------------------------------------------------------------------------------

    @property
    def events(self) -> list[TicketEvent]:
        return list(self.ticket.events.select_related("message").order_by("version"))

    @property
    def last(self) -> TicketEvent:
        return self.events[-1]

    @property
    def actions(self) -> set[str]:
        return {event.action for event in self.events} - {""}

    @property
    def told(self) -> list[tuple[str, str]]:
        """Return who is notified by the last event, each with the mail's template."""
        return [(entry["to"], entry["template"]) for entry in self.last.notify]

    @property
    def latest_message(self) -> Message:
        return self.ticket.messages.order_by("created_at", "id").last()


def review(ticket: Ticket, *, by: User) -> None:
    """Complete the closing checklist of S2 with its evidence: a successful call, a WhatsApp conversation and its
    screenshots."""
    done = ContactOutcome.SUCCESSFUL
    log_contact(ticket, actor=by, kind=ContactKind.CALL, outcome=done, item="llamada")
    log_contact(
        ticket, actor=by, kind=ContactKind.WHATSAPP, outcome=done, url="https://wa.me/chat/1", item="whatsapp"
    )
    add_screenshot(ticket, by=by)
    tick_checklist(ticket, actor=by, item="respuesta")


def add_screenshot(ticket: Ticket, *, by: User) -> None:
    """Add an internal note with a screenshot."""
    note = conversation.add_internal_note(ticket, actor=by, body="Capturas de la conversación.")
    Attachment.objects.create(
        ticket=ticket, message=note, name="chat.png", kind="image", content_type="image/png",
        size=1, sha256="0" * 64, uploader=by,
    )  # fmt: skip


def left_unplayed(plays: list[Play]) -> tuple[set[str], set[str]]:
    """Return the actions that no play carried out and the end stages that none is in."""
    definition = plays[0].definition
    actions = {action.key for action in definition.actions}
    ends = {stage.key for stage in definition.stages if stage.is_end}
    for play in plays:
        actions -= play.actions
        ends -= {play.ticket.stage}
    return actions, ends


def reopen_both_ways(play: Play, action: str, **data: Any) -> None:
    """Reopen the ticket of `play`, closed just now, by a message and, set back to its end, by the supervisor's
    `action`."""
    play.is_whole = False
    end = {"stage": play.ticket.stage, "stage_kind": play.ticket.stage_kind, "closed_at": timezone.now()}
    Ticket.objects.filter(pk=play.ticket.pk).update(**end)
    play.refresh()
    play.reply("Volvió a pasar.")
    Ticket.objects.filter(pk=play.ticket.pk).update(**end)
    play.refresh()
    play.do(play.supervisor, action, **data)
    Ticket.objects.filter(pk=play.ticket.pk).update(**end)
    play.refresh()


PREPARED = {"severity": "medium", "difficulty": 2, "standing": "active"}


def prepared(play: Play, **data: Any) -> dict[str, Any]:
    """Return answers for «Preparar» of S2, changed by `data`."""
    return {
        **PREPARED,
        "department": play.ticket.department,
        "assignee": play.agent,
        "due_at": timezone.now() + timedelta(days=4),
        **data,
    }


def stays_of(ticket: Ticket) -> tuple[Any, ...]:
    """Return the finished stays of the ticket as they are stored, without their ids, and what follows from them."""
    ticket.refresh_from_db()
    visits = [_plain(visit) for visit in ticket.visits.order_by("left_at", "id")]
    return visits, *(getattr(ticket, name) for name in DERIVED)


def told_stays_of(ticket: Ticket) -> tuple[Any, ...]:
    """Return the same as its events tell it."""
    told = replay(ticket, ticket.events.order_by("version"), CalendarHistory())
    assert told is not None
    return [_plain(visit) for visit in told.visits], *(getattr(told, name) for name in DERIVED)


def _plain(visit: StageVisit) -> dict[str, Any]:
    return {
        field.attname: getattr(visit, field.attname)
        for field in StageVisit._meta.concrete_fields
        if not field.primary_key
    }


def forget_stays(ticket: Ticket) -> None:
    """Leave the ticket as it was before stays were recorded."""
    ticket.visits.all().delete()
    Ticket.objects.filter(pk=ticket.pk).update(first_response_seconds=None, resolution_seconds=None, path="")
