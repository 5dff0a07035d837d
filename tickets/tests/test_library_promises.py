"""Every action of the shipped processes: in which stages who may take it, which answers it needs, and what it does.

`library_promises.toml` says what must happen. It repeats the process files by hand, so one that was changed by mistake
disagrees with it.
"""

import tomllib
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import User
from accounts.tests.factories import (
    make_administrator,
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from content.errors import InvalidData
from tickets import policies
from tickets.actors import SYSTEM
from tickets.closing.checklist import tick_checklist
from tickets.closing.contact_log import log_contact
from tickets.definitions.loading import library
from tickets.enums import ContactKind, EventKind
from tickets.exceptions import GuardFailed
from tickets.models import Attachment, Message, Nonconformity, Ticket, TicketEvent
from tickets.record.events import record
from tickets.record.locking import locked
from tickets.tests.factories import make_process, make_ticket, set_clock
from tickets.workflow import conversation, properties, sweeps
from tickets.workflow.checking import load
from tickets.workflow.perform import perform

pytestmark = pytest.mark.django_db
PROMISES: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parent / "library_promises.toml").read_text("utf-8")
)
STARTS = [
    (process, action, stage)
    for process, actions in PROMISES.items()
    for action, promise in actions.items()
    for stage in promise["from"]
]
CLICKED = [start for start in STARTS if "on" not in PROMISES[start[0]][start[1]]]
STAGES = sorted({(process, stage) for process, _action, stage in STARTS})
NOW = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
FILED: dict[str, Any] = {
    "reparacion-de-dispositivo": {"phone": "+58 212 555 0101", "fields": {"marca": "Samsung"}},
    "reporte-de-incidentes": {"fields": {"tipo": "tarea", "sistema": "Nómina", "prioridad": "low"}},
}
FILLED = {
    "diagnostico": "Un certificado vencido.", "equipo": "desarrollo", "trabajo": "reparacion",
    "evaluacion": "Se acepta.", "motivo_rechazo": "ya_conocido", "mismo_caso": False,
}  # fmt: skip


class World:
    """A ticket in a stage, on which everything is done that a guard may ask for, and the people around it.

    The assignee is of another department than the ticket, so nothing but being assigned lets them act. `condition`
    is what some actions wait for: `unassigned`, `inactive` (the requester), `without_account`, `unreached` (a call to
    the requester failed) or `call_due`.
    """

    def __init__(self, process: str, stage: str, condition: str = "") -> None:
        filing = FILED.get(process, {})
        self.ticket = make_ticket(make_process(process), requester=make_user(), **filing)
        self.other = make_ticket(
            self.ticket.process_version.process, requester=self.ticket.requester, **filing
        )
        definition, home = self.ticket.definition, self.ticket.department
        self.requester, self.given = self.ticket.requester, make_agent(home)
        self.people: dict[str, User] = {
            "member": make_agent(home),
            "manager": make_agent(home),
            "assignee": make_agent(make_department("otro")),
            "supervisor": make_supervisor(),
            "requester": self.requester,
            "service": make_agent(make_department("atencion-al-usuario")),
            "team": make_agent(make_department("desarrollo" if home.key != "desarrollo" else "vecino")),
        }
        self.people["manager"].memberships.update(is_manager=True)
        for group in definition.groups:
            self.people[group.key] = make_agent(home)
            self.people[group.key].groups.add(Group.objects.get(name=group.key))
        end = definition.stage(stage).is_end
        Ticket.objects.filter(pk=self.ticket.pk).update(
            stage=stage,
            stage_kind=definition.stage(stage).kind,
            assignee=None if condition == "unassigned" else self.people["assignee"],
            difficulty=3,
            standing_checked_at=BEFORE,
            solution_done="Una solución anterior.",
            solution_sent_at=BEFORE,
            closure_asked_at=BEFORE,
            closed_at=NOW if end else None,
            call_due_since=NOW if condition == "call_due" else None,
            is_test=end,
            duplicate_of=self.other if end else None,
            contribution_open=True,
            fields=self.ticket.fields
            | {field.key: FILLED[field.key] for field in definition.fields if field.key in FILLED},
        )
        self.call = "failed" if condition == "unreached" else "successful"
        if condition == "unreached":
            log_contact(
                self.ticket, actor=self.people["supervisor"], kind=ContactKind.CALL, outcome=self.call
            )
        if condition == "inactive":
            User.objects.filter(pk=self.ticket.requester_id).update(standing="inactive")
        if condition == "without_account":
            Ticket.objects.filter(pk=self.ticket.pk).update(requester=None)
        with transaction.atomic():  # the events also write whose turn it is
            for action, name in (("aceptar", "evaluador"), ("solicitar_informacion", "tecnico"), ("", "")):
                actor = self.people.get(name, SYSTEM)
                self.ticket = locked(self.ticket)
                record(self.ticket, EventKind.ACTION, actor=actor, action=action, public=False)

    def meet_guards(self, *, call: bool) -> None:
        """Do what guards ask for: screenshots, R3, a WhatsApp contact, the call if wanted, and the checklist."""
        ticket, boss = self.ticket, self.people["supervisor"]
        note = Message.objects.create(
            ticket=ticket, kind="note", author=boss, author_name="A", body="Capturas"
        )
        Attachment.objects.create(ticket=ticket, message=note, name="chat.png", kind="image", size=1)
        if response := ticket.definition.response("R3"):
            Message.objects.create(
                ticket=ticket, kind="follow_up", author=boss, author_name="A", body=response.body.es
            )
        for kind in (ContactKind.CALL, ContactKind.WHATSAPP) if call else (ContactKind.WHATSAPP,):
            log_contact(self.ticket, actor=boss, kind=kind, outcome=self.call, url="https://wa.me/1")
        if ticket.is_open and call:
            for item in ticket.definition.closing.checklist:
                tick_checklist(self.ticket, actor=boss, item=item.key)
        self.refresh()

    def refresh(self) -> Ticket:
        self.ticket = Ticket.objects.get(pk=self.ticket.pk)
        return self.ticket

    def offered(self) -> dict[str, set[str]]:
        """Return who is offered each action now."""
        found: dict[str, set[str]] = {}
        for name, person in self.people.items():
            if policies.can_view(person, self.ticket):
                for action in policies.available_actions(self.ticket, actor=person):
                    found.setdefault(action.key, set()).add(name)
        return found

    def answers(self) -> dict[str, Any]:
        return {
            "assignee": self.given,
            "call_outcome": "successful",
            "case_kind": "procedure",
            "contribution_open": False,
            "department": make_department("academico"),
            "diagnostico": "Otro diagnóstico.",
            "difficulty": 5,
            "due_at": NOW + timedelta(days=9),
            "duplicate_of": self.other.folio,
            "en_garantia": True,
            "equipo": "infraestructura",
            "evaluacion": "Otra evaluación.",
            "message": "Un mensaje.",
            "mismo_caso": True,
            "motivo_rechazo": "otro",
            "note": "Una nota.",
            "otro_motivo": "Otro más.",
            "queue_position": 7,
            "requester": self.requester.email,
            "severity": "critical",
            "solution_done": "Una solución.",
            "solution_steps": "Unos pasos.",
            "standing": "active",
            "trabajo": "averia",
        }

    def actor_for(self, action: str) -> User:
        """Return an administrator, who may do everything that staff may, or else the requester."""
        administrator = make_administrator()
        keys = {each.key for each in policies.available_actions(self.ticket, actor=administrator)}
        return administrator if action in keys else self.requester

    def trigger(self, on: str) -> None:
        """Let happen what the action waits for."""
        match on:
            case "requester_message":
                conversation.reply(self.ticket, actor=self.requester, body="Volvió a pasar.")
            case "follow_up_sent":
                conversation.send_follow_up(self.ticket, actor=self.people["supervisor"], body="Lo vemos.")
            case "solution_sent":
                conversation.send_solution(self.ticket, actor=self.people["supervisor"], done="Listo.")
            case "contribution_closed":
                properties.set_contribution(self.ticket, actor=self.people["supervisor"], is_open=False)
            case "deadline_passed":
                set_clock(self.ticket, "first_response", due_at=BEFORE)
                sweeps.breach_overdue()
            case "stage_entered":
                Ticket.objects.filter(pk=self.ticket.pk).update(
                    stage="aprobacion", stage_kind="closure_approval"
                )
                perform(self.ticket, "aprobar", actor=self.requester)
            case "silence":
                Ticket.objects.filter(pk=self.ticket.pk).update(silence_due_at=BEFORE, silence_since=BEFORE)


def state(ticket: Ticket) -> dict[str, Any]:
    """Return what an action may change besides the stage, by name."""
    return {
        "assignee": ticket.assignee_id,
        "account": ticket.requester_id,
        "approval": ticket.closure_asked_at,
        "case kind": ticket.case_kind,
        "call due": ticket.call_due_since,
        "calls": ticket.contacts.filter(kind=ContactKind.CALL).count(),
        "contribution": ticket.contribution_open,
        "date": ticket.due_at if ticket.due_at == NOW + timedelta(days=9) else None,
        "department": ticket.department_id,
        "difficulty": ticket.difficulty,
        "duplicate": ticket.duplicate_of_id,
        "escalated": ticket.is_escalated,
        "position": ticket.queue_position,
        "review": ticket.checklist_entries.exists(),
        "severity": ticket.severity,
        "solution": ticket.solution_sent_at,
        "standing": ticket.standing_checked_at,
        "steps": ticket.solution_steps,
        "test": ticket.is_test,
        **{f"field {key}": value for key, value in ticket.fields.items()},
    }


def changes(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the names of what changed; what was cleared is «undone»."""
    found = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    undone = {name for name in found if after.get(name) in (None, False)}
    return (found - undone) | {f"{name} undone" for name in undone}


def outcome(world: World, event: TicketEvent, before: dict[str, Any], actor: User | None) -> dict[str, Any]:
    """Return where the ticket went («» if it stayed), whom the event tells with which mail, and what changed."""
    ticket = world.refresh()
    done = changes(before, state(ticket))
    if "assignee" in done and ticket.assignee == actor:
        done = done - {"assignee"} | {"assignee is the actor"}
    if event.message:
        done.add(f"{event.message.kind} written")
    if response := event.data.get("response"):
        done.add(f"{response} sent")
    if Nonconformity.objects.filter(ticket=ticket).exists():
        done.add("nonconformity")
    return {
        "to": event.data.get("to", ""),
        "told": sorted(f"{entry['to']} {entry['template']}" for entry in event.notify),
        "does": sorted(done),
    }


def condition_of(process: str, action: str) -> str:
    return PROMISES[process][action].get("while", "")


@pytest.mark.parametrize("process", library())
def test_every_action_of_the_library_is_promised(process: str):
    assert [action.key for action in load(library()[process]).actions] == list(PROMISES[process])


@pytest.mark.parametrize(("process", "stage"), STAGES)
def test_stage_offers_each_action_to_these_people(process: str, stage: str):
    promised = {
        action: (promise.get("while", ""), set(promise["from"][stage].split()))
        for action, promise in PROMISES[process].items()
        if stage in promise["from"] and "on" not in promise
    }
    for condition in {"", *(each for each, _people in promised.values())}:
        offered = World(process, stage, condition).offered()
        for action in offered.keys() | promised.keys():
            needed, people = promised.get(action, ("", set()))
            if needed == condition:
                assert offered.get(action, set()) == people, action
            elif needed:
                assert action not in offered, f"{action} waits for {needed}"


@pytest.mark.parametrize(("process", "action", "stage"), CLICKED)
def test_action_needs_these_answers(process: str, action: str, stage: str):
    world = World(process, stage, condition_of(process, action))
    missing: set[str] = set()
    try:
        perform(world.ticket, action, actor=world.actor_for(action), data={})
    except InvalidData as refused:
        missing = set(refused.errors)
    except GuardFailed:
        pass  # no answer was missing
    assert missing == set(PROMISES[process][action].get("needs", "").split())


@pytest.mark.parametrize(("process", "action", "stage"), STARTS)
def test_action_does_what_is_promised(process: str, action: str, stage: str):
    promise = PROMISES[process][action]
    on = promise.get("on", "")
    with time_machine.travel(NOW, tick=False) as clock:
        world = World(process, stage, promise.get("while", ""))
        opens = "contribution" in promise["does"]
        Ticket.objects.filter(pk=world.ticket.pk).update(contribution_open=not opens)
        if on:  # a message on a duplicate goes to the ticket that stays
            Ticket.objects.filter(pk=world.ticket.pk).update(duplicate_of=None)
        if not on or on == "stage_entered":
            world.refresh()
            world.meet_guards(call="call_outcome" not in promise.get("needs", ""))
        actor, before = None, state(world.refresh())
        if on == "silence":
            days = promise["after_days"]
            Ticket.objects.filter(pk=world.ticket.pk).update(
                silence_since=NOW, silence_due_at=NOW + timedelta(days=days)
            )
            clock.shift(timedelta(days=days))
            sweeps.act_on_silence()
        elif on:
            world.trigger(on)
        else:
            actor = world.actor_for(action)
            perform(world.ticket, action, actor=actor, data=world.answers(), key=str(uuid.uuid4()))
    event = world.ticket.events.filter(action=action).latest("version")
    given = {"to": promise["to"], "told": sorted(promise["told"]), "does": sorted(promise["does"])}
    assert outcome(world, event, before, actor) == given


HOURS: dict[str, dict[tuple[str, str], tuple[int | None, int | None]]] = {
    "incidencia-tecnica": {
        ("critical", "problem"): (1, 24),
        ("high", "problem"): (4, 3 * 24),
        ("medium", "problem"): (24, 5 * 24),
        ("low", "problem"): (48, 10 * 24),
    },
    "reparacion-de-dispositivo": {
        ("high", "problem"): (24, 10 * 24),
        ("low", "procedure"): (24, 10 * 24),
    },
    "reporte-de-incidentes": {
        ("critical", "problem"): (None, 2 * 24),
        ("high", "problem"): (None, 5 * 24),
        ("medium", "problem"): (None, 15 * 24),
        ("low", "problem"): (None, 30 * 24),
    },
    "solicitud-guiada": {
        ("critical", "problem"): (24, None),
        ("high", "problem"): (24, None),
        ("medium", "problem"): (24, None),
        ("low", "problem"): (24, None),
    },
    "soporte-con-aprobacion": {
        ("critical", "problem"): (1, 5 * 24),
        ("high", "problem"): (4, 5 * 24),
        ("medium", "procedure"): (24, 30 * 24),
        ("low", "procedure"): (48, 30 * 24),
    },
}
"""By severity and kind of case: the hours to the first response and to the resolution."""


@pytest.mark.parametrize("process", HOURS)
def test_each_kind_of_case_is_due_as_promised(process: str):
    found = {}
    for severity, case_kind in HOURS[process]:
        ticket = make_ticket(make_process(process), **FILED.get(process, {}))
        boss = make_supervisor()
        ticket = properties.change_properties(ticket, actor=boss, severity=severity, case_kind=case_kind)
        due = (ticket.first_response_due_at, ticket.due_at)
        hours = [at and round((at - ticket.created_at) / timedelta(hours=1)) for at in due]
        found[severity, case_kind] = tuple(hours)
    assert found == HOURS[process]
