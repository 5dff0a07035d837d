"""Random actions of random people keep the invariants of a ticket, in every process of the library."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from content.errors import DeskError
from tickets import policies
from tickets.closing import surveys
from tickets.closing.checklist import tick_checklist
from tickets.definitions.loading import library
from tickets.enums import ContactKind, ContactOutcome, Purpose, Severity
from tickets.models import Ticket
from tickets.requesters.standing import check_standing
from tickets.sla import FAR_FUTURE, PAUSED
from tickets.tests.factories import make_ticket
from tickets.tests.playing import START, Play, stays_of, told_stays_of
from tickets.workflow import conversation, properties
from tickets.workflow.asks import STANDARD_ASKS
from tickets.workflow.perform import perform

FILING = {
    "reporte-de-incidentes": {"fields": {"tipo": "tarea", "sistema": "Nómina", "prioridad": "high"}},
    "reparacion-de-dispositivo": {"fields": {"marca": "LG"}, "phone": "0212 555 0101"},
}
SECRET = "kiwi-verde"
PEOPLE = ("agent", "colleague", "manager", "reviewer", "supervisor", "customer", "stranger", "outsider")
WORDS = st.sampled_from(["Hola", "Ya está", "¿Seguro?"])
MOVES = {
    "requester_message": lambda p: conversation.reply(p.ticket, actor=p.requester, body="Datos"),
    "follow_up": lambda p: conversation.send_follow_up(p.ticket, actor=p.agent, body="Seguimos"),
    "solution": lambda p: conversation.send_solution(p.ticket, actor=p.agent, done="Listo"),
    "note": lambda p: conversation.add_internal_note(p.ticket, actor=p.agent, body=SECRET),
    "open": lambda p: properties.set_contribution(p.ticket, actor=p.agent, is_open=True),
    "close": lambda p: properties.set_contribution(p.ticket, actor=p.agent, is_open=False),
    "take": lambda p: properties.assign(p.ticket, actor=p.agent, assignee=p.agent),
    "leave": lambda p: properties.assign(p.ticket, actor=p.agent, assignee=None),
    "active": lambda p: check_standing(p.ticket, actor=p.agent, standing="active"),
    "inactive": lambda p: check_standing(p.ticket, actor=p.agent, standing="inactive"),
    "tick": lambda p: tick_checklist(p.ticket, actor=p.reviewer, item="respuesta"),
    "rate": lambda p: surveys.rate(p.ticket, actor=p.requester, score=3),
    "guest": lambda p: conversation.reply(
        p.ticket, actor=p.guest(Purpose.CONTRIBUTE), body="Desde el enlace"
    ),
}


def answers(draw, play, action):
    """Return an accepted answer to each ask of the action; optional ones are left out now and then."""
    given = {}
    for ask in action.asks:
        if ask.required or draw(st.booleans()):
            given[ask.field] = answer(draw, play, ask.field)
    return given


def answer(draw, play, name):
    own = play.definition.field(name)
    if own is not None:
        options = [option.key for option in own.options]
        return draw(st.sampled_from(options)) if options else True if own.type == "yes_no" else draw(WORDS)
    chosen = {
        "assignee": st.sampled_from([play.agent, play.colleague]),
        "department": st.just(play.ticket.department),
        "severity": st.sampled_from(Severity.values),
        "difficulty": st.integers(1, 5),
        "queue_position": st.integers(1, 9),
        "due_at": st.integers(1, 200).map(lambda hours: timezone.now() + timedelta(hours=hours)),
        "standing": st.sampled_from(["active", "inactive"]),
        "contribution_open": st.booleans(),
        "requester": st.just(play.customer.email),
        "duplicate_of": st.just(play.twin.folio),
        "call_outcome": st.sampled_from(ContactOutcome.values),
    }
    assert name in chosen or name in ("message", "note", "solution_done", "solution_steps"), STANDARD_ASKS[
        name
    ]
    return draw(chosen.get(name, WORDS if name != "note" else st.just(SECRET)))


class Life(RuleBasedStateMachine):
    """Acts at random on one ticket. Each run files a ticket of its own and rolls it back at the end."""

    play: Play

    def __init__(self):
        super().__init__()
        self.saved = transaction.atomic()
        self.saved.__enter__()
        self.play.clock.move_to(START)
        self.play.ticket = make_ticket(
            self.play.process, requester=self.play.customer, **FILING.get(self.play.process.key, {})
        )

    def teardown(self):
        transaction.set_rollback(True)
        self.saved.__exit__(None, None, None)

    def attempt(self, act):
        """Call a verb. If it refuses, check that it has recorded nothing."""
        before = self.play.ticket.version
        try:
            act()
        except DeskError:
            assert Ticket.objects.get(pk=self.play.ticket.pk).version == before
        self.play.refresh()

    @rule(data=st.data(), name=st.sampled_from(PEOPLE))
    def do_what_is_offered(self, data, name):
        actor = getattr(self.play, name)
        offered = policies.available_actions(self.play.ticket, actor=actor)
        if offered:
            action = data.draw(st.sampled_from(offered), label="action")
            given = answers(data.draw, self.play, action)
            self.attempt(lambda: perform(self.play.ticket, action.key, actor=actor, data=given))

    @rule(data=st.data(), name=st.sampled_from(PEOPLE))
    def try_anything(self, data, name):
        action = data.draw(st.sampled_from(self.play.definition.actions), label="action")
        self.attempt(lambda: perform(self.play.ticket, action.key, actor=getattr(self.play, name), data={}))

    @rule(move=st.sampled_from(sorted(MOVES)))
    def say_or_change_something(self, move):
        self.attempt(lambda: MOVES[move](self.play))

    @rule(severity=st.sampled_from(Severity.values))
    def change_severity(self, severity):
        self.attempt(
            lambda: properties.change_properties(self.play.ticket, actor=self.play.agent, severity=severity)
        )

    @rule(kind=st.sampled_from(ContactKind), outcome=st.sampled_from(ContactOutcome))
    def contact(self, kind, outcome):
        self.attempt(lambda: self.play.contact(kind, outcome))

    @rule(hours=st.sampled_from([1, 5, 30, 130]))
    def time_passes(self, hours):
        self.play.later(hours=hours)

    @invariant()
    def ticket_agrees_with_its_stage(self):
        """Kind, public state, progress, closing, pause and silence of the ticket are those of its stage."""
        ticket, stage = self.play.ticket, self.play.ticket.stage_definition
        assert (ticket.stage_kind, ticket.public_state, ticket.progress) == (
            stage.kind, stage.kind.meta.public_state, stage.progress,
        )  # fmt: skip
        assert (ticket.closed_at is not None) is stage.is_end
        assert ticket.is_paused is (stage.kind.meta.clock == "pauses")
        assert ticket.silence_due_at is None or ticket.definition.next_silence(ticket.stage)

    @invariant()
    def every_change_is_one_event(self):
        events = list(self.play.ticket.events.order_by("version").values_list("version", "is_public", "kind"))
        assert [version for version, _public, _kind in events] == list(range(1, self.play.ticket.version + 1))
        assert sum(public for _version, public, _kind in events) == self.play.ticket.public_version

    @invariant()
    def events_tell_the_stays_that_are_stored(self):
        assert stays_of(self.play.ticket) == told_stays_of(self.play.ticket)

    @invariant()
    def clocks_obey_the_stage(self):
        clock = self.play.ticket.stage_definition.kind.meta.clock
        going = [each for each in self.play.ticket.clocks.all() if each.stopped_at is None]
        if clock == "runs":
            assert self.play.ticket.due_order == min((c.due_at for c in going), default=FAR_FUTURE)
        else:
            left = min((c.due_at - c.paused_at for c in going), default=FAR_FUTURE - PAUSED)
            assert self.play.ticket.due_order == PAUSED + left
        for each in self.play.ticket.clocks.all():
            if clock == "stops":
                assert each.stopped_at is not None
            if each.stopped_at is None:
                assert (each.paused_at is not None) is (clock == "pauses")
            if each.kind == "resolution":
                assert each.due_at == self.play.ticket.due_at
                assert each.breached_at is None or self.play.ticket.is_escalated
            elif each.kind == "first_response":
                assert (self.play.ticket.first_response_at is None) or each.stopped_at is not None

    @invariant()
    def no_note_is_public(self):
        shown = conversation.public_conversation(self.play.ticket)
        assert SECRET not in str([message.body for message in shown["messages"]])
        assert not [event for event in shown["events"] if event.kind == "note"]


@pytest.mark.parametrize("key", library())
def test_random_acts_keep_every_invariant(play, key):
    p = play(key, **FILING.get(key, {}))
    p.twin, p.is_whole = p.ticket, False  # each run files a ticket of its own, and undoes it
    for name in PEOPLE:
        getattr(p, name)  # made now: whom a run makes is gone after it
    run_state_machine_as_test(
        type("Life", (Life,), {"play": p}),
        settings=settings(
            max_examples=5,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
