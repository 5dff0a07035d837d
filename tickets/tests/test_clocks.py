"""The clocks of tickets, tested through the verbs that move them (LESSONS A1 to A12)."""

from datetime import timedelta
from importlib import import_module
from pkgutil import iter_modules

import pytest
from django.apps import apps
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content.errors import InvalidData
from tickets import clocks, migrations, sla
from tickets.definitions.loading import library
from tickets.enums import CaseKind, Severity
from tickets.exceptions import GuardFailed
from tickets.lists import queues
from tickets.models import Ticket
from tickets.record.locking import locked
from tickets.tests.factories import make_ticket, set_clock
from tickets.tests.playing import START, Play, prepared
from tickets.workflow import asks, properties, sweeps
from tickets.workflow.perform import fire, perform
from tickets.workflow.publishing import publish

S0, S2, S3 = "incidencia-tecnica", "soporte-con-aprobacion", "solicitud-guiada"
HOUR = timedelta(hours=1)


def clock(play: Play, kind: str = "resolution"):
    return play.ticket.clocks.get(kind=kind)


def waiting(play: Play) -> Play:
    return play.do(play.agent, "pedir_informacion", message="¿Qué versión tienes?")


def classified(play) -> Play:
    p = play(S0).without_progress()
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


# --- The nearest promise ------------------------------------------------------------------------------------------


def test_due_order_follows_the_nearest_promise(play):
    p = classified(play)
    first, resolution = (clock(p, kind).due_at for kind in ("first_response", "resolution"))
    assert p.ticket.due_order == first < resolution
    p.later(hours=30)
    assert p.ticket.due_order == first < timezone.now(), "a broken promise that is still open is the nearest"
    p.follow_up()
    assert p.ticket.due_order == resolution, "a first response that came late is history"
    waiting(p).later(hours=9)
    assert p.ticket.due_order == sla.PAUSED + (resolution - START - 30 * HOUR)
    p.reply()
    assert p.ticket.due_order == resolution + 9 * HOUR
    properties.change_properties(p.ticket, actor=p.agent, severity="critical")
    assert p.refresh().due_order == clock(p).due_at < resolution
    properties.change_properties(p.ticket, actor=p.agent, due_at=START + timedelta(days=8))
    assert p.refresh().due_order == START + timedelta(days=8)


def test_due_order_without_a_running_promise_is_last(play):
    p = play(S3)
    assert p.ticket.due_order == p.ticket.first_response_due_at
    p.follow_up()
    assert p.ticket.due_order == sla.FAR_FUTURE
    q = play(S2)
    q.do(q.supervisor, "cerrar_prueba")
    assert q.ticket.due_order == sla.FAR_FUTURE


def test_paused_tickets_are_ordered_by_the_time_they_have_left(play):
    p = waiting(classified(play)).later(days=2)  # five days left, and its due date in three days
    q = set_clock(make_ticket(p.process), paused_at=timezone.now(), due_at=timezone.now() + timedelta(days=2))
    for kind in ("first_response", "progress"):
        set_clock(q, kind, stopped_at=timezone.now())
    ordered = list(Ticket.objects.order_by(*queues.ORDERS["vence"].keys))
    assert ordered == [q, p.ticket]
    left = [clocks.status(clocks.nearest(t.clocks.all()), now=timezone.now()).left for t in ordered]
    assert left == [timedelta(days=2), timedelta(days=5)]


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


def test_change_during_a_pause_shows_the_time_left_at_once(play):
    """The waiting so far is no time left: neither for a new severity nor for a date that a person agrees on."""
    p = waiting(classified(play)).later(days=3)
    properties.change_properties(p.ticket, actor=p.agent, severity="high")
    p.refresh()
    assert clocks.status(clock(p), now=timezone.now()).left == timedelta(days=3)
    assert p.ticket.due_order == sla.PAUSED + timedelta(days=3)
    properties.change_properties(p.ticket, actor=p.agent, due_at=timezone.now() + timedelta(days=2))
    assert p.refresh().due_at == timezone.now() + timedelta(days=2)
    p.later(days=1)
    assert clocks.status(clock(p), now=timezone.now()).left == timedelta(days=2)
    assert clocks.closing_date(p.ticket, now=timezone.now()) == timezone.now() + timedelta(days=2)
    p.reply()
    assert p.ticket.due_at == timezone.now() + timedelta(days=2)
    stretches = clocks.explain(clock(p), now=timezone.now())
    assert [stretch.counts for stretch in stretches] == [False], "one pause, although it was saved in parts"


def test_change_during_a_pause_does_not_revive_what_ran_out_before(play):
    """A12: the delay of a broken promise does not grow while the ticket waits, whatever changes meanwhile."""
    p = classified(play).later(days=6)
    waiting(p).later(days=3)
    properties.change_properties(p.ticket, actor=p.agent, severity="critical")
    assert p.refresh().due_at == START + timedelta(days=1)
    shown = clocks.status(clock(p), now=timezone.now())
    assert (shown.state, shown.left) == ("breached", timedelta(days=5))
    properties.change_properties(p.ticket, actor=p.agent, severity="low")
    p.refresh()
    shown = clocks.status(clock(p), now=timezone.now())
    assert (shown.state, shown.left, clock(p).breached_at) == ("paused", timedelta(days=4), None)


def test_end_of_a_pause_is_not_recorded_as_a_new_due_date(play):
    """The date moves by the pause; only what the person chose is a change."""
    action = '''[[actions]]
key = "seguir"
label = "Seguir"
from = ["esperando"]
to = "diagnostico"
by = ["staff"]
asks = ["due_at"]

[[actions]]
key = "clasificar"'''
    source = library()[S0].replace('[[actions]]\nkey = "clasificar"', action)
    p = play(S0)
    version = publish(source)
    Ticket.objects.filter(pk=p.ticket.pk).update(process_version=version)
    p.refresh()
    p.do(p.agent, "clasificar", severity="medium", department=p.ticket.department, assignee=p.agent)
    waiting(p).later(days=6)
    form = asks.fields_of(p.definition.action("seguir").asks, p.ticket)
    kept = form["due_at"].initial
    assert kept == timezone.now() + timedelta(days=5), (
        "the form shows the date as it is now, not one that has passed"
    )
    p.do(p.agent, "seguir", due_at=kept)
    assert p.ticket.due_at == kept
    assert "changes" not in p.last.data or "due_at" not in p.last.data["changes"]

    waiting(p).later(days=1)
    chosen = timezone.now() + timedelta(days=9)
    before = p.ticket.due_at
    p.do(p.agent, "seguir", due_at=chosen)
    assert p.ticket.due_at == chosen
    assert [parse_datetime(at) for at in p.last.data["changes"]["due_at"]] == [before, chosen]


@pytest.mark.parametrize("end", ["running", "paused_at", "stopped_at"])
@pytest.mark.parametrize(("late_by", "runs_out"), [(-1, False), (0, True), (1, True)])
def test_one_rule_says_whether_a_clock_has_run_out(play, end, late_by, runs_out):
    """The page, the verbs and the sweep's query agree, also at the very instant of the due date."""
    p = play(S2)
    due = clock(p).due_at
    at = due + timedelta(microseconds=late_by)
    if end == "running":
        p.clock.move_to(at)
    else:
        p.ticket.clocks.filter(kind="resolution").update(**{end: at})
        p.clock.move_to(due + HOUR)
    each, now = clock(p), timezone.now()
    assert each.has_run_out(now) is runs_out
    assert (clocks.status(each, now=now).state in ("breached", "missed")) is runs_out
    assert sweeps.overdue().filter(pk=each.pk).exists() is runs_out


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
    p.do(p.agent, "pedir_aprobacion", solution_done="Listo").review().later(days=3)
    p.do(p.customer, "aprobar")
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


# --- The migration ------------------------------------------------------------------------------------------------


def test_migration_computes_what_the_verbs_write(play):
    """Tickets filed before `due_order` followed the nearest promise get the value that they would have now."""
    answered, paused, closed = play(S0), play(S0), play(S2)
    answered.follow_up()
    paused.do(paused.agent, "clasificar", severity="low", department=paused.home, assignee=paused.agent)
    waiting(paused).later(hours=7)
    closed.do(closed.supervisor, "cerrar_prueba")
    written = dict(Ticket.objects.values_list("pk", "due_order"))
    assert len(set(written.values())) == 3
    Ticket.objects.update(due_order=sla.FAR_FUTURE)
    name = next(
        module.name for module in iter_modules(migrations.__path__) if "nearest_promise" in module.name
    )
    import_module(f"{migrations.__name__}.{name}").fill(apps, None)
    assert dict(Ticket.objects.values_list("pk", "due_order")) == written
