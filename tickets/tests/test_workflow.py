"""`perform` and `fire`: only they change a stage, they change all or nothing, and they do it once per key."""

import ast
import threading
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import ProtectedError

from accounts.tests.factories import make_agent, make_supervisor
from content.errors import InvalidData
from tickets.actors import SYSTEM, Guest
from tickets.closing import nonconformities
from tickets.closing.checklist import tick_checklist
from tickets.closing.contact_log import log_contact
from tickets.enums import (
    EARLY_KINDS,
    END_KINDS,
    REQUESTER_KINDS,
    ContactKind,
    ContactOutcome,
    EventKind,
    Purpose,
    Severity,
)
from tickets.exceptions import ActionUnavailable, GuardFailed, NotAllowed
from tickets.models import Message, Ticket
from tickets.record.events import already_recorded, event_recorded
from tickets.record.freshness import StaleTicket
from tickets.requesters.standing import check_standing
from tickets.tests.factories import make_ticket
from tickets.tests.playing import prepared
from tickets.workflow import conversation, properties
from tickets.workflow.effects import EFFECTS
from tickets.workflow.perform import fire, perform

S2 = "soporte-con-aprobacion"


def facts(ticket):
    """Return the ticket's row, the counts of its events, messages and contacts, and its clocks' rows."""
    row = Ticket.objects.filter(pk=ticket.pk).values().get()
    counts = [ticket.events.count(), ticket.messages.count(), ticket.contacts.count()]
    return row, counts, list(ticket.clocks.order_by("pk").values())


# --- Who assigns a stage --------------------------------------------------------------------------------------


def test_only_the_perform_module_assigns_a_stage():
    """No other module of these packages sets these columns, as an attribute or in an `update`."""
    guilty = []
    for folder in (
        "content",
        "accounts",
        "tickets",
        "web",
        "portal",
        "agents",
        "notifications",
        "demo",
        "helpdesk",
    ):
        for path in sorted((Path(settings.BASE_DIR) / folder).rglob("*.py")):
            name = str(path.relative_to(settings.BASE_DIR))
            if name == "tickets/workflow/perform.py" or "/tests/" in name or "/migrations/" in name:
                continue
            guilty += [f"{name}:{line}" for line in _assignments(ast.parse(path.read_text("utf-8")))]
    assert guilty == []


def _assignments(tree):
    columns = {"stage", "stage_kind", "public_state", "closed_at"}
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Attribute) and target.attr in columns for target in targets):
            yield node.lineno
        is_update = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "update"
        if is_update and columns & {keyword.arg for keyword in node.keywords}:
            yield node.lineno


def test_stage_assignment_detector_finds_assignments():
    assert list(
        _assignments(ast.parse("ticket.stage = 1\nTicket.objects.update(stage='x')\nx: int = 2"))
    ) == [1, 2]


# --- One event ------------------------------------------------------------------------------------------------


VERBS = {
    "perform": lambda p: perform(p.ticket, "cerrar_sin_solucion", actor=p.agent),
    "reply": lambda p: conversation.reply(p.ticket, actor=p.customer, body="Hola"),
    "follow_up": lambda p: conversation.send_follow_up(p.ticket, actor=p.agent, body="Seguimos"),
    "solution": lambda p: conversation.send_solution(p.ticket, actor=p.agent, done="Listo"),
    "note": lambda p: conversation.add_internal_note(p.ticket, actor=p.agent, body="Ojo"),
    "assign": lambda p: properties.assign(p.ticket, actor=p.agent, assignee=p.colleague),
    "properties": lambda p: properties.change_properties(p.ticket, actor=p.agent, severity="low", difficulty=5),
    "contribution": lambda p: properties.set_contribution(p.ticket, actor=p.agent, is_open=True),
    "notifications": lambda p: properties.set_notifications(p.ticket, actor=p.customer, on=False),
    "standing": lambda p: check_standing(p.ticket, actor=p.agent, standing="active"),
    "contact": lambda p: log_contact(
        p.ticket, actor=p.agent, kind=ContactKind.CALL, outcome=ContactOutcome.FAILED
    ),
    "checklist": lambda p: tick_checklist(p.ticket, actor=p.supervisor, item="respuesta"),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_verb_records_exactly_one_event(play, verb):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p))
    before, heard = p.ticket.version, []
    event_recorded.connect(lambda event, **_rest: heard.append(event.pk), weak=False, dispatch_uid="heard")
    try:
        VERBS[verb](p)
    finally:
        event_recorded.disconnect(dispatch_uid="heard")
    p.refresh()
    assert p.ticket.version == before + 1 == len(p.events)
    assert heard == [p.last.pk]
    assert p.last.version == p.ticket.version


def test_event_has_actor_action_stages_and_changes(play):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p, severity="high"))
    event = p.last
    assert (event.kind, event.action, event.actor, event.actor_name) == (
        EventKind.STAGE_CHANGED, "preparar", p.supervisor, p.supervisor.name,
    )  # fmt: skip
    assert (event.data["from"], event.data["to"]) == ("recibido", "procesar")
    assert event.data["changes"]["severity"] == ["medium", "high"]
    assert event.data["changes"]["assignee_id"] == [None, p.agent.pk]


def test_saved_events_and_used_versions_are_protected(play):
    p = play(S2)
    with pytest.raises(TypeError):
        p.last.save()
    with pytest.raises(ProtectedError):
        p.process.versions.get().delete()


# --- Repeated keys --------------------------------------------------------------------------------------------


def test_repeated_key_changes_nothing(play):
    p = play(S2)
    data, key = prepared(p, note="Una nota"), str(uuid.uuid4())
    first = perform(p.ticket, "preparar", actor=p.supervisor, data=data, key=key)
    before = facts(first)
    again = perform(p.ticket, "preparar", actor=p.supervisor, data=data, key=key)
    assert (again.pk, facts(again)) == (first.pk, before)


@pytest.mark.parametrize("verb", ["reply", "follow_up", "solution", "note"])
def test_message_with_repeated_key_is_written_once(play, verb):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p))
    send = {
        "reply": lambda: conversation.reply(p.ticket, actor=p.customer, body="Hola", key="k"),
        "follow_up": lambda: conversation.send_follow_up(p.ticket, actor=p.agent, body="Hola", key="k"),
        "solution": lambda: conversation.send_solution(p.ticket, actor=p.agent, done="Hola", key="k"),
        "note": lambda: conversation.add_internal_note(p.ticket, actor=p.agent, body="Hola", key="k"),
    }[verb]
    assert send() == send()
    assert Message.objects.filter(ticket=p.ticket, body="Hola").count() == 1


def test_another_persons_key_is_refused(play):
    p = play(S2)
    perform(p.ticket, "preparar", actor=p.supervisor, data=prepared(p), key="k")
    other = make_ticket(p.process)
    for actor in (
        p.agent,
        make_supervisor(),
        other.requester,
        Guest(p.ticket.pk, "x@y.es", "X", Purpose.FOLLOW),
    ):
        with pytest.raises(NotAllowed):
            perform(p.ticket, "preparar", actor=actor, data=prepared(p), key="k")
    assert p.ticket.events.filter(action="preparar").count() == 1


# --- Stale forms ----------------------------------------------------------------------------------------------


def test_stale_staff_form_lists_what_changed(play):
    p = play(S2)
    seen = p.ticket.version
    conversation.add_internal_note(p.ticket, actor=p.agent, body="Ojo: es urgente")
    conversation.reply(p.ticket, actor=p.customer, body="¿Hola?")
    with pytest.raises(StaleTicket) as refused:
        perform(p.ticket, "preparar", actor=p.supervisor, data=prepared(p), version=seen)
    assert [event.kind for event in refused.value.changes] == ["note", "message"]
    assert (
        perform(p.ticket, "preparar", actor=p.supervisor, data=prepared(p), version=seen + 2).stage
        == "procesar"
    )


def test_internal_note_does_not_make_requesters_form_stale(play):
    p = play(S2)
    seen = p.ticket.public_version
    conversation.add_internal_note(p.ticket, actor=p.agent, body="La clave es kiwi")
    conversation.reply(p.ticket, actor=p.customer, body="¿Hola?", version=seen)
    with pytest.raises(StaleTicket) as refused:
        conversation.reply(p.ticket, actor=p.customer, body="¿Hay alguien?", version=seen)
    assert [event.message.body for event in refused.value.changes] == ["¿Hola?"]


# --- Refusals change nothing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda p: perform(p.ticket, "preparar", actor=p.stranger, data=prepared(p)), NotAllowed),
        (lambda p: perform(p.ticket, "preparar", actor=p.outsider, data=prepared(p)), NotAllowed),
        (lambda p: perform(p.ticket, "preparar", actor=p.customer, data=prepared(p)), NotAllowed),
        (lambda p: perform(p.ticket, "aprobar", actor=p.customer), ActionUnavailable),
        (lambda p: perform(p.ticket, "no_existe", actor=p.supervisor), ActionUnavailable),
        (lambda p: perform(p.ticket, "recibir_aporte", actor=p.supervisor), ActionUnavailable),
        (lambda p: perform(p.ticket, "preparar", actor=p.supervisor, data={"severity": "huge"}), InvalidData),
        (
            lambda p: perform(
                p.ticket, "preparar", actor=p.supervisor, data=prepared(p, standing="inactive", due_at="ayer")
            ),
            InvalidData,
        ),
    ],
)
def test_refused_action_changes_nothing(play, act, error):
    p = play(S2)
    before = facts(p.ticket)
    with pytest.raises(error):
        act(p)
    assert facts(p.ticket) == before
    assert p.customer.__class__.objects.get(pk=p.customer.pk).standing == "active"


def test_failed_guard_rolls_back_applied_answers(play):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p, standing="inactive"))
    before = facts(p.ticket)
    with pytest.raises(GuardFailed):
        perform(p.ticket, "pedir_aprobacion", actor=p.agent, data={"solution_done": "Listo."})
    assert facts(p.ticket) == before


def test_failing_effect_rolls_back_everything(play, monkeypatch):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p, contribution_open=True))
    before = facts(p.ticket)

    def explode(step, argument):
        assert step.ticket.stage == "aprobacion"  # the stage is set and the solution posted
        raise RuntimeError("boom")

    monkeypatch.setitem(EFFECTS, "ask_closure_approval", explode)
    with pytest.raises(RuntimeError, match="boom"), transaction.atomic():
        perform(p.ticket, "pedir_aprobacion", actor=p.agent, data={"solution_done": "Listo."}, key="k")
    assert facts(p.ticket) == before
    assert already_recorded("k", actor=p.agent, act="pedir_aprobacion", ticket=p.ticket) is None


def test_failing_receiver_rolls_back_everything(play):
    p = play(S2)
    before = facts(p.ticket)

    def explode(**_rest):
        raise RuntimeError("boom")

    event_recorded.connect(explode, weak=False, dispatch_uid="explode")
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            perform(p.ticket, "preparar", actor=p.supervisor, data=prepared(p))
    finally:
        event_recorded.disconnect(dispatch_uid="explode")
    assert facts(p.ticket) == before


# --- What a stage sets ----------------------------------------------------------------------------------------


def test_stage_sets_public_state_progress_and_closed_at(play):
    p = play(S2)
    seen = [(p.ticket.public_state, p.ticket.progress, p.ticket.closed_at is None)]
    p.do(p.supervisor, "preparar", **prepared(p, contribution_open=True))
    seen.append((p.ticket.public_state, p.ticket.progress, p.ticket.closed_at is None))
    p.follow_up()
    assert p.ticket.public_label == "Esperamos tu respuesta"
    p.reply()
    p.do(p.agent, "pedir_aprobacion", solution_done="Listo").review().do(p.customer, "aprobar")
    seen.append((p.ticket.public_state, p.ticket.progress, p.ticket.closed_at is None))
    assert seen == [("waiting", 10, True), ("in_progress", 40, True), ("completed", 100, False)]


def test_early_and_requester_kinds_exclude_end_kinds():
    assert set(EARLY_KINDS) == {"new", "evaluation", "preparation"}
    assert set(REQUESTER_KINDS) == {"waiting_customer", "closure_approval"}
    assert not {*EARLY_KINDS, *REQUESTER_KINDS} & {*END_KINDS}


def test_trigger_without_an_action_does_nothing(play):
    p = play(S2)
    before = p.ticket.version
    assert fire(p.ticket, "silence") is None
    assert fire(p.ticket, "follow_up_sent", actor=SYSTEM) is None
    assert p.refresh().version == before


def test_answers_may_be_objects_or_form_values(play):
    p, q = play(S2), play(S2)
    p.do(p.supervisor, "preparar", **prepared(p))
    posted = {
        "severity": "medium", "difficulty": "2", "standing": "active", "assignee": str(q.agent.pk),
        "department": str(q.ticket.department_id), "due_at": "2026-03-06T13:00", "queue_position": "",
        "contribution_open": "", "note": "",
    }  # fmt: skip
    q.do(q.supervisor, "preparar", **posted)
    for name in ("severity", "difficulty", "department_id", "queue_position", "contribution_open"):
        assert getattr(p.ticket, name) == getattr(q.ticket, name)
    assert q.ticket.assignee == q.agent


def test_perform_costs_few_queries(play, django_assert_max_num_queries):
    p = play(S2)
    data = prepared(p)
    with django_assert_max_num_queries(20):
        perform(p.ticket, "preparar", actor=p.supervisor, data=data, key="k")
    with django_assert_max_num_queries(28):
        perform(p.ticket, "pedir_aprobacion", actor=p.agent, data={"solution_done": "Listo"}, key="k2")


# --- Simultaneous calls ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_simultaneous_actions_succeeds():
    """The row is locked: the second person finds the stage that the first left, and nothing is written twice."""
    ticket, supervisors = make_ticket(), [make_supervisor(), make_supervisor()]
    agent = make_agent()
    data = {
        "severity": Severity.HIGH, "department": ticket.department, "difficulty": 1, "assignee": agent,
        "due_at": ticket.due_at, "standing": "active",
    }  # fmt: skip
    outcomes = []
    together = threading.Barrier(2)

    def act(actor):
        together.wait()
        try:
            outcomes.append(perform(ticket, "preparar", actor=actor, data=data).stage)
        except ActionUnavailable:
            outcomes.append("late")
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=[actor]) for actor in supervisors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["late", "procesar"]
    assert ticket.events.filter(action="preparar").count() == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_double_click_writes_one_message():
    ticket = make_ticket()
    messages, together = [], threading.Barrier(3)

    def click():
        together.wait()
        try:
            messages.append(conversation.reply(ticket, actor=ticket.requester, body="Hola", key="k").pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(messages)) == 1
    assert len(messages) == 3


@pytest.mark.demand("S2.40")
@pytest.mark.django_db(transaction=True)
def test_two_tickets_are_not_cancelled_as_duplicates_of_each_other():
    first = make_ticket()
    tickets = [first, make_ticket(first.process_version.process, requester=first.requester)]
    agent, supervisor = make_agent(), make_supervisor()
    Ticket.objects.update(stage="procesar", stage_kind="work", assignee=agent, difficulty=2)
    together = threading.Barrier(2)

    def cancel(ticket, survivor):
        together.wait()
        try:
            data = {"duplicate_of": survivor.folio, "mismo_caso": True}
            perform(ticket, "cancelar", actor=supervisor, data=data)
        except (GuardFailed, InvalidData):
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=cancel, args=pair) for pair in (tickets, tickets[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Ticket.objects.filter(closed_at=None).exists()


# --- Nonconformities ------------------------------------------------------------------------------------------


@pytest.mark.demand("S2.30")
def test_nonconformity_is_reviewed_once_by_a_supervisor(play):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p)).do(p.agent, "pedir_aprobacion", solution_done="Listo")
    p.do(p.customer, "rechazar", message="No entro todavía.")
    report = p.ticket.nonconformities.get()
    for person in (p.agent, p.customer):
        with pytest.raises(NotAllowed):
            nonconformities.review(report, actor=person, conclusion="Nada")
    for wrong in (" ", "x" * 20_001):
        with pytest.raises(InvalidData) as refused:
            nonconformities.review(report, actor=p.supervisor, conclusion=wrong)
        assert refused.value.errors.keys() == {"review"}
    count = len(p.events)
    for _click in range(2):
        nonconformities.review(report, actor=p.supervisor, conclusion="Faltó probar de noche.", key="k")
    again = nonconformities.review(report, actor=make_supervisor(), conclusion="Otra cosa")
    assert (again.review, again.reviewed_by) == ("Faltó probar de noche.", p.supervisor)
    assert len(p.events) == count + 1
    assert (p.last.kind, p.last.actor, p.last.is_public, p.last.data) == (
        EventKind.NONCONFORMITY, p.supervisor, False, {"nonconformity": report.pk},
    )  # fmt: skip
