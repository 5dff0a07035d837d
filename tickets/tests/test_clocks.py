"""The clocks of tickets, tested through the verbs that move them (LESSONS A1 to A12)."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content.errors import InvalidData
from tickets import clocks
from tickets.definitions.loading import library
from tickets.enums import CaseKind, Severity
from tickets.exceptions import GuardFailed
from tickets.record.locking import locked
from tickets.tests.factories import make_ticket
from tickets.tests.playing import START, Play, prepared
from tickets.workflow import properties
from tickets.workflow.perform import fire, perform
from tickets.workflow.publishing import publish

S0, S2, S3 = "incidencia-tecnica", "soporte-con-aprobacion", "solicitud-guiada"
HOUR = timedelta(hours=1)


def clock(play: Play, kind: str = "resolution"):
    return play.ticket.clocks.get(kind=kind)


def waiting(play: Play) -> Play:
    return play.do(play.agent, "pedir_informacion", message="¿Qué versión tienes?")


def classified(play) -> Play:
    p = play(S0)
    return p.do(p.agent, "clasificar", severity="medium", department=p.ticket.department, assignee=p.agent)


# --- Targets and due dates --------------------------------------------------------------------------------------


@pytest.mark.demand("S2.33", "S2.34", "S0.19")
def test_each_clock_runs_independently(play):
    """A1: each clock has its own target. Stopping or moving one does not change the other."""
    p = play(S2, category="acceso")
    assert (p.ticket.first_response_due_at - START, p.ticket.due_at - START) == (4 * HOUR, timedelta(days=5))
    p.do(p.supervisor, "preparar", **prepared(p, due_at=START + timedelta(days=2)))
    p.later(hours=1).follow_up()
    assert (clock(p, "first_response").stopped_at, clock(p).stopped_at) == (START + HOUR, None)
    assert p.ticket.first_response_at == START + HOUR
    p.later(hours=50)
    assert (clock(p, "first_response").breached_at, clock(p).breached_at) == (None, START + timedelta(days=2))


def test_note_or_private_action_is_no_first_response(play):
    p = classified(play)
    p.do(p.agent, "registrar_diagnostico", diagnostico="Aún no sé.")
    assert (p.ticket.first_response_at, clock(p, "first_response").stopped_at) == (None, None)
    p.do(p.agent, "informar_avance", message="Ya sé.")
    assert p.ticket.first_response_at == START


@pytest.mark.demand("S2.4")
def test_proposed_date_follows_the_case_kind(play):
    p = play(S2)
    for case_kind, days in ((CaseKind.PROBLEM, 5), (CaseKind.PROCEDURE, 30)):
        proposed = clocks.proposed_due(p.ticket, severity="low", case_kind=case_kind, now=timezone.now())
        assert proposed == START + timedelta(days=days)


@pytest.mark.demand("S2.4")
def test_proposed_date_is_whole_minutes_and_never_past(play):
    p, late = play(S2), START + timedelta(days=9, seconds=40)
    proposed = clocks.proposed_due(p.ticket, severity="low", case_kind=CaseKind.PROBLEM, now=late)
    assert proposed == START + timedelta(days=14)


@pytest.mark.demand("S2.3")
def test_agreed_date_ignores_severity_but_moves_with_pauses(play):
    p = play(S2)
    agreed = START + timedelta(days=3)
    p.do(p.supervisor, "preparar", **prepared(p, due_at=agreed, contribution_open=True))
    properties.change_properties(p.ticket, actor=p.agent, severity="critical", case_kind="procedure")
    assert p.refresh().due_at == agreed
    p.follow_up().later(hours=7).reply()
    assert p.ticket.due_at == agreed + 7 * HOUR


def test_past_or_distant_due_date_is_refused(play):
    p = play(S2)
    for due in (START - HOUR, START + timedelta(days=5 * 365)):
        with pytest.raises(InvalidData) as refused:
            properties.change_properties(p.ticket, actor=p.supervisor, due_at=due)
        assert refused.value.errors.keys() == {"due_at"}


def test_process_without_targets_takes_an_agreed_date(play):
    p = play(S3)
    assert p.ticket.due_at is None
    properties.change_properties(p.ticket, actor=p.agent, due_at=START + timedelta(days=2))
    assert (p.refresh().due_at, clock(p).is_agreed) == (START + timedelta(days=2), True)
    p.later(days=2)
    assert p.ticket.is_escalated


# --- Pauses -----------------------------------------------------------------------------------------------------


@pytest.mark.demand("S2.5")
def test_clock_pauses_while_waiting_for_the_requester(play):
    """A11, A12: waiting is a stage of its own, and the time left that pages show stands still."""
    p = waiting(classified(play))
    due = p.ticket.due_at
    p.later(days=3)
    shown = clocks.status(clock(p), now=timezone.now())
    assert (shown.state, shown.left, p.ticket.due_at) == ("paused", timedelta(days=5), due)
    p.reply()
    assert p.ticket.due_at == due + timedelta(days=3)
    pause = clock(p).pauses.get()
    assert (pause.started_at, pause.ended_at, pause.stage) == (START, START + timedelta(days=3), "esperando")


def test_first_response_during_a_pause_counts_the_pause(play):
    """A ticket may wait for the requester before staff have written anything. That time is no delay of the staff."""
    p = play(S2, category="acceso")
    p.do(p.supervisor, "preparar", **prepared(p, contribution_open=True))
    with transaction.atomic():
        fire(locked(p.ticket), "follow_up_sent")
    p.refresh()
    assert (p.ticket.is_paused, p.ticket.first_response_at) == (True, None)
    p.later(hours=30).follow_up()
    first = clock(p, "first_response")
    due = START + first.target + 30 * HOUR
    assert (first.due_at, p.ticket.first_response_due_at) == (due, due)
    assert (first.paused_at, first.stopped_at) == (None, START + 30 * HOUR)
    pause = first.pauses.get()
    assert (pause.started_at, pause.ended_at, pause.stage) == (START, START + 30 * HOUR, "aporte")
    p.later(hours=10)
    assert clock(p, "first_response").breached_at is None
    assert clocks.status(first, now=timezone.now()).state == "met"


def test_pauses_add_up_and_survive_severity_changes(play):
    """A6: pauses are stored as intervals and added up again, so none is lost."""
    p = classified(play)
    waiting(p).later(hours=10).reply()
    p.later(hours=1)
    waiting(p).later(hours=5).reply()
    properties.change_properties(p.ticket, actor=p.agent, severity="critical")
    assert p.refresh().due_at == START + 24 * HOUR + 15 * HOUR
    properties.change_properties(p.ticket, actor=p.agent, severity="medium")
    assert p.refresh().due_at == START + timedelta(days=5) + 15 * HOUR


def test_severity_change_during_a_pause_counts_the_pause(play):
    p = waiting(classified(play)).later(hours=10)
    properties.change_properties(p.ticket, actor=p.agent, severity="high")
    p.later(hours=2).reply()
    assert p.ticket.due_at == START + timedelta(days=3) + 12 * HOUR


def test_explain_lists_running_and_paused_stretches(play):
    """A4: staff must get an answer to «¿por qué esta fecha?»."""
    p = classified(play).later(hours=2)
    waiting(p).later(hours=3).reply().later(hours=1)
    told = [
        ((stretch.start - START) / HOUR, (stretch.end - START) / HOUR, stretch.counts)
        for stretch in clocks.explain(clock(p), now=timezone.now())
    ]
    assert told == [(0, 2, True), (2, 5, False), (5, 6, True)]


WORDS = st.lists(
    st.tuples(st.sampled_from(["pause", "resume", "critical", "high", "medium", "low"]), st.integers(0, 40)),
    max_size=7,
)


def test_due_date_equals_counting_every_hour(play):
    p = classified(play)
    days = {"critical": 1, "high": 3, "medium": 5, "low": 10}

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(words=WORDS)
    def lives(words):
        with transaction.atomic():
            p.clock.move_to(START)
            p.refresh()
            severity, hour, stopped = "medium", 0, []
            for word, hours in words:
                if word == "pause" and p.ticket.stage == "diagnostico":
                    waiting_now(p)
                elif word == "resume" and p.ticket.stage == "esperando":
                    p.reply()
                elif word in days:
                    severity = word
                    properties.change_properties(p.ticket, actor=p.agent, severity=word)
                    p.refresh()
                stopped += [p.ticket.is_paused] * hours
                hour += hours
                p.clock.move_to(START + hour * HOUR)
            if p.ticket.is_paused:
                p.reply()
            left, expected = days[severity] * 24, 0
            while left:
                left -= not (expected < len(stopped) and stopped[expected])
                expected += 1
            assert p.ticket.due_at == START + expected * HOUR
            assert clock(p).due_at == p.ticket.due_at
            transaction.set_rollback(True)

    def waiting_now(p):
        perform(p.ticket, "pedir_informacion", actor=p.agent, data={"message": "¿Versión?"})
        p.refresh()

    lives()


# --- Closing and reopening ----------------------------------------------------------------------------------------


def test_closing_stops_every_clock(play):
    """A5: a closed ticket does not escalate."""
    p = play(S2)
    p.do(p.supervisor, "cerrar_prueba").later(days=60)
    assert {c.stopped_at for c in p.ticket.clocks.all()} == {START}
    assert (p.ticket.is_escalated, p.last.kind) == (False, "stage_changed")


def test_closing_during_a_pause_counts_the_pause(play):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p, due_at=START + timedelta(days=4)))
    p.do(p.agent, "pedir_aprobacion", solution_done="Listo").later(days=3).do(p.customer, "aprobar")
    assert p.ticket.due_at == START + timedelta(days=7)
    assert clocks.status(clock(p), now=timezone.now()).state == "met"
    assert p.ticket.is_paused is False


def test_reopened_ticket_keeps_the_time_it_had_left(play):
    """A7: the time in which it was closed does not count, and an earlier first response is still valid."""
    p = play(S3)
    properties.change_properties(p.ticket, actor=p.agent, due_at=START + timedelta(days=4))
    p.refresh()
    p.follow_up().later(days=1).do(p.customer, "cerrar_mi_solicitud").later(days=10)
    p.do(p.customer, "reabrir", message="Volvió.")
    assert p.ticket.due_at == START + timedelta(days=14)
    assert (clock(p).stopped_at, clock(p, "first_response").stopped_at) == (None, START)
    p.later(days=3)
    assert p.last.kind == "breached"


def test_reopened_unanswered_ticket_still_needs_first_response(play):
    p = play(S3).later(hours=4)
    p.do(p.requester, "cerrar_mi_solicitud").later(hours=50)
    p.do(p.requester, "reabrir", message="Sigue.")
    assert p.ticket.first_response_due_at == START + 74 * HOUR
    assert clock(p, "first_response").stopped_at is None


def test_reopening_into_waiting_stage_keeps_clock_paused(play):
    source = library()[S3].replace(
        '[[actions]]\nkey = "empezar"',
        '[[stages]]\nkey = "espera"\nlabel = "Espera"\nkind = "waiting_customer"\n\n'
        '[[actions]]\nkey = "volver"\nlabel = "Volver"\nfrom = ["completado"]\nto = "espera"\nby = ["requester"]\n\n'
        '[[actions]]\nkey = "seguir"\nlabel = "Seguir"\nfrom = ["espera"]\nto = "en_curso"\nby = ["staff"]\n\n'
        '[[actions]]\nkey = "empezar"',
    )
    p = play(S3)
    p.ticket = make_ticket(publish(source).process, requester=p.customer)
    properties.change_properties(p.ticket, actor=p.agent, due_at=START + timedelta(days=4))
    p.refresh()
    p.follow_up().later(days=1).do(p.customer, "cerrar_mi_solicitud").later(days=2).do(p.customer, "volver")
    assert (clock(p).stopped_at, clock(p).paused_at, p.ticket.is_paused) == (
        None,
        START + timedelta(days=1),
        True,
    )
    p.later(days=3).do(p.agent, "seguir")
    assert p.ticket.due_at == START + timedelta(days=9)


def test_closed_ticket_refuses_property_changes(play):
    p = play(S2)
    p.do(p.supervisor, "cerrar_prueba")
    with pytest.raises(GuardFailed):
        properties.change_properties(p.ticket, actor=p.supervisor, severity=Severity.LOW)
    with pytest.raises(GuardFailed):
        properties.assign(p.ticket, actor=p.supervisor, assignee=p.agent)
