"""Broken promises stay on record, and each counts once, whatever is changed later (S2.32)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tickets.definitions.targets import read_targets
from tickets.facts import counting
from tickets.facts.measures import MEASURES
from tickets.facts.totals import totals_by_day
from tickets.models import Breach, Ticket
from tickets.record.days import day_of
from tickets.schedules import applying, job, proposing
from tickets.tests.test_schedules import LONGER, MONDAY, SHORTER, Desk, at, on
from tickets.workflow import conversation, properties, sweeps

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S2.32")]
LATE = at(2026, 11, 24, 17, 30)


def elevated():
    return MEASURES["elevated"].rows(MONDAY - timedelta(days=30), MONDAY + timedelta(days=90)).count()


@pytest.fixture
def desk(db):
    return Desk()


@pytest.fixture
def answered(desk):
    """A ticket whose first response came in time and whose solution is due on Tuesday at 17:00."""
    ticket = desk.file(MONDAY)
    with on(MONDAY + timedelta(hours=1)):
        conversation.send_follow_up(ticket, actor=desk.agent, body="Lo vemos.")
    return ticket


@pytest.fixture
def late(desk, answered):
    with on(LATE):
        sweeps.breach_overdue()
    return answered


def retarget(desk, moment, **resolution):
    process = desk.process
    process.refresh_from_db()
    nine = {"problem": "9 working hours", "procedure": "9 working hours"}
    targets = {"calendar": "oficina", "first_response": nine, "resolution": nine | resolution}
    with on(moment):
        change = proposing.propose_targets(
            process, read_targets(targets), actor=desk.supervisor, base=process.policy_id
        )
        return job.go_on(applying.confirm(change, actor=desk.supervisor), seconds=5)


def test_corrected_breach_counts_no_longer_and_counts_again_when_the_correction_is_undone(desk, late):
    assert elevated() == 1
    change = desk.change(LATE, week=SHORTER)
    assert elevated() == 0
    with on(LATE + timedelta(minutes=5)):
        undo = proposing.propose_undo(change, actor=desk.supervisor)
        job.go_on(applying.confirm(undo, actor=desk.supervisor), seconds=5)
        sweeps.breach_overdue()
    late.refresh_from_db()
    assert (late.is_escalated, elevated()) == (True, 1)


def test_draft_that_would_correct_a_breach_changes_nothing(desk, late):
    draft = desk.propose(LATE, week=SHORTER)
    assert (draft.tally["cleared"], elevated()) == (1, 1)


def test_breach_that_other_hours_show_counts(desk, answered):
    desk.change(at(2026, 11, 24, 15, 0), week=LONGER)
    answered.refresh_from_db()
    assert (answered.is_escalated, elevated()) == (True, 1)


def test_correcting_one_promise_leaves_another_of_the_same_date(desk):
    retarget(desk, MONDAY - timedelta(days=1))
    ticket = desk.file(MONDAY)
    evening = at(2026, 11, 23, 17, 30)
    with on(evening):
        sweeps.breach_overdue()
    assert elevated() == 2
    retarget(desk, evening, problem="27 working hours")
    ticket.refresh_from_db()
    assert (ticket.is_escalated, elevated()) == (True, 1)


def test_breach_whose_date_moved_earlier_is_cleared_by_its_own_date(desk, late):
    desk.change(LATE, week=LONGER)
    desk.change(LATE, week=SHORTER)
    late.refresh_from_db()
    assert (late.is_escalated, elevated()) == (False, 0)


def test_severity_there_and_back_breaks_no_promise_twice(play):
    p = play("incidencia-tecnica").without_progress()
    p.do(p.agent, "clasificar", severity="medium", department=p.ticket.department, assignee=p.agent)
    p.do(p.agent, "informar_avance", message="En ello.").later(days=6)
    breached = [event.pk for event in p.events if event.kind == "breached"]
    for severity in ("low", "medium"):
        properties.change_properties(p.ticket, actor=p.supervisor, severity=severity)
        p.refresh()
        p.later(hours=1)
    assert [event.pk for event in p.events if event.kind == "breached"] == breached
    assert p.ticket.clocks.get(kind="resolution").breached_at is not None
    assert Breach.objects.filter(kind="resolution").count() == 1


def test_silence_about_the_progress_elevates_nothing(play):
    p = play("incidencia-tecnica")
    p.do(p.agent, "clasificar", severity="critical", department=p.ticket.department, assignee=p.agent)
    p.do(p.agent, "informar_avance", message="En ello.").later(hours=10)
    assert {breach.kind for breach in p.ticket.breaches.all()} == {"progress"}
    assert elevated() == 0


def counted():
    counting.count_dirty()
    first = day_of(timezone.now()) - timedelta(days=60)
    days = totals_by_day(first, day_of(timezone.now())).items()
    return {day: each.count("elevated") for day, each in days if each.count("elevated")}


def test_breach_of_yesterday_that_the_sweep_finds_today_is_counted_yesterday(play):
    p = play("solicitud-guiada")
    p.later(minutes=5).follow_up()
    p.later(hours=1).reply()
    due = p.ticket.clocks.get(kind="next_reply").due_at
    counted()
    p.clock.move_to(due + timedelta(days=2))
    counted()
    sweeps.breach_overdue()
    assert counted() == {day_of(due): 1}


def test_test_ticket_takes_its_breaches_of_earlier_days_out_of_the_count(play):
    p = play("soporte-con-aprobacion")
    p.later(days=7)
    properties.change_properties(p.ticket, actor=p.supervisor, due_at=timezone.now() + timedelta(days=9))
    p.refresh()
    assert sum(counted().values()) == 2
    p.do(p.supervisor, "cerrar_prueba")
    assert Ticket.objects.get(pk=p.ticket.pk).is_test
    assert counted() == {}
