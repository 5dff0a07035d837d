"""Act on tickets as people do: take the actions that are offered, and do what helps when one is refused."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from content.errors import DeskError
from demo.replay.scene import World
from tickets import policies
from tickets.actors import Actor, Guest
from tickets.closing import surveys
from tickets.closing.checklist import tick_checklist
from tickets.closing.contact_log import log_contact
from tickets.definitions.definition import Action, FieldDefinition
from tickets.enums import ContactKind, ContactOutcome, Purpose, Severity
from tickets.models import Ticket
from tickets.requesters.standing import check_standing
from tickets.workflow import conversation, properties
from tickets.workflow.perform import perform

ONWARD = 0.75
"""How often people take an action of the main road, where one is offered."""
FOLLOW_UPS, DOUBLE_CLICKS, KILLED = 0.25, 0.03, 0.02
TEXTS = (
    "Ya lo revisamos y seguimos con tu caso.",
    "Encontramos la causa; te avisamos al terminar.",
    "¿Nos envías una captura de la pantalla?",
    "Quedó corregido. Cuéntanos si vuelve a pasar.",
)
REPLIES = ("Ya lo intenté y sigue igual.", "Gracias, adjunto lo que pidieron.", "Me pasa desde el lunes.")


def _tick(ticket: Ticket, item: str, who: User) -> None:
    tick_checklist(ticket, actor=who, item=item)


class Killed(Exception):
    """The process ended before it committed."""


class People:
    """Acts on tickets for everybody, drawing from `random`. `counts` says what was done."""

    def __init__(self, world: World, random: Random) -> None:
        self.random = random
        self.staff = [user for user in world.users.values() if user.is_desk_staff]
        self.counts = {"acts": 0, "refused": 0, "sent twice": 0, "killed": 0}

    def act(self, pk: int) -> None:
        """Let somebody do the next thing on the ticket."""
        ticket = Ticket.objects.select_related("requester", "assignee", "department").get(pk=pk)
        if not ticket.is_open:
            return self._afterwards(ticket)
        if ticket.awaits_requester and self.random.random() < 0.7:
            return self._speak_as_requester(ticket)
        if self.random.random() < FOLLOW_UPS:
            self._try(lambda actor: self._follow_up(ticket, actor), self._some_staff(ticket))
        if not self._advance(ticket):
            self._help(ticket)
        return None

    def _advance(self, ticket: Ticket) -> bool:
        """Take one of the actions that somebody is offered. Returns whether one was carried out."""
        who = [*self._some_staff(ticket), self.requester_of(ticket)]
        for actor in who:
            as_requester = actor == who[-1]
            offered = policies.available_actions(ticket, actor=actor, as_requester=as_requester)
            if offered:
                action = self._chosen(ticket, offered)
                return self._perform(ticket, action, actor)
        return False

    def _chosen(self, ticket: Ticket, offered: list[Action]) -> Action:
        road = {stage.key for stage in ticket.definition.main_road}
        onward = [action for action in offered if action.to in road and action.to != ticket.stage]
        if onward and self.random.random() < ONWARD:
            return onward[0]
        return self.random.choice(offered)

    def _perform(self, ticket: Ticket, action: Action, actor: Actor) -> bool:
        key, data = uuid.UUID(int=self.random.getrandbits(128)).hex, dict(self._answers(ticket, action))

        def carry_out() -> None:
            perform(ticket, action.key, actor=actor, data=data, key=key)

        chance = self.random.random()
        if chance < KILLED:
            with suppress(Killed, DeskError), transaction.atomic():
                carry_out()
                raise Killed
            self.counts["killed"] += 1
        done = self._counted(carry_out)
        if done and chance > 1 - DOUBLE_CLICKS:
            self._counted(carry_out)
            self.counts["sent twice"] += 1
        return done

    def _counted(self, act: Callable[[], Any]) -> bool:
        try:
            act()
        except DeskError:
            self.counts["refused"] += 1
            return False
        self.counts["acts"] += 1
        return True

    def _try(self, act: Callable[[User], Any], people: list[User]) -> bool:
        """Let the first of three people who may do it."""
        return any(self._counted(partial(act, person)) for person in people[:3])

    # --- What is said and answered ------------------------------------------------------------------------------------

    def requester_of(self, ticket: Ticket) -> Actor:
        if ticket.requester is not None:
            return ticket.requester
        return Guest(ticket.pk, ticket.requester_email, ticket.requester_name, Purpose.FOLLOW)

    def _some_staff(self, ticket: Ticket) -> list[User]:
        """Return those who may see the ticket: the assignee first, then others in any order."""
        others = [person for person in self.staff if person.pk != ticket.assignee_id]
        self.random.shuffle(others)
        first = [person for person in self.staff if person.pk == ticket.assignee_id]
        return [*first, *others]

    def _follow_up(self, ticket: Ticket, actor: User) -> None:
        asks = self.random.random() < 0.3
        conversation.send_follow_up(ticket, actor=actor, body=self.random.choice(TEXTS), asks=asks)

    def _speak_as_requester(self, ticket: Ticket) -> None:
        actor = self.requester_of(ticket)
        offered = policies.available_actions(ticket, actor=actor, as_requester=True)
        if offered and self.random.random() < 0.6:
            self._perform(ticket, self._chosen(ticket, offered), actor)
        else:
            self._counted(lambda: conversation.reply(ticket, actor=actor, body=self.random.choice(REPLIES)))

    def _afterwards(self, ticket: Ticket) -> None:
        """Rate the closed ticket, reopen it, or write after the end."""
        actor, chance = self.requester_of(ticket), self.random.random()
        if chance < 0.5 and surveys.is_open(ticket):
            score = self.random.choices((5, 4, 3, 2, 1), (50, 25, 10, 7, 8))[0]
            self._counted(lambda: surveys.rate(ticket, actor=actor, score=score))
        elif chance < 0.6:
            self._counted(lambda: conversation.reply(ticket, actor=actor, body=self.random.choice(REPLIES)))
        elif chance < 0.65:
            self._advance(ticket)

    def _help(self, ticket: Ticket) -> None:
        """Do what guards ask for: assign somebody, check the standing, send a solution, call, tick the checklist."""
        people = self._some_staff(ticket)
        if ticket.acting_assignee is None:
            self._try(lambda who: properties.assign(ticket, actor=who, assignee=who), people)
        self._try(lambda who: check_standing(ticket, actor=who, standing="active"), people)  # type: ignore[arg-type]
        self._try(lambda who: conversation.send_solution(ticket, actor=who, done=TEXTS[3]), people)
        for item in ticket.definition.closing.checklist:
            self._try(
                lambda who: log_contact(
                    ticket, actor=who, kind=ContactKind.CALL, outcome=ContactOutcome.SUCCESSFUL
                ),
                people,
            )
            self._try(partial(_tick, ticket, item.key), people)

    def _answers(self, ticket: Ticket, action: Action) -> Iterator[tuple[str, Any]]:
        for ask in action.asks:
            if ask.required or self.random.random() < 0.5:
                field = ticket.definition.field(ask.field)
                yield ask.field, self.answer(field) if field else self._standard_answer(ticket, ask.field)

    def answer(self, field: FieldDefinition) -> Any:
        """Return an answer to a field of the process."""
        match field.type:
            case "choice":
                return self.random.choice(field.options).key
            case "multi_choice":
                return [self.random.choice(field.options).key]
            case "yes_no":
                return True
            case "number":
                return str(max(1, int(field.minimum or 1)))
            case "date":
                return timezone.localdate().isoformat()
            case "phone":
                return "0212 555 0101"
        return "Como dice el reporte"

    def _standard_answer(self, ticket: Ticket, name: str) -> Any:
        here = [person for person in self.staff if ticket.department_id in person.department_ids]
        possible: dict[str, Callable[[], Any]] = {
            "assignee": lambda: self.random.choice(here or self.staff),
            "department": lambda: ticket.department,
            "severity": lambda: self.random.choice(Severity.values),
            "difficulty": lambda: self.random.randint(1, 5),
            "queue_position": lambda: self.random.randint(1, 9),
            "due_at": lambda: timezone.now() + timedelta(hours=self.random.randint(8, 200)),
            "standing": lambda: "active",
            "contribution_open": lambda: self.random.random() < 0.5,
            "call_outcome": lambda: ContactOutcome.SUCCESSFUL,
            "requester": lambda: "cliente@demo.test",
            "duplicate_of": lambda: ticket.folio,
        }
        return possible.get(name, lambda: self.random.choice(TEXTS))()
