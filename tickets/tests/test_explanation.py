"""«¿Por qué esta fecha?» as data: what counted, what did not, and how the date moved (A4)."""

from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tickets.calendars.rules import OwnDay
from tickets.explanation import SHOWN, explanations
from tickets.schedules import job, proposing
from tickets.tests.test_schedules import LONGER, MONDAY, SHORTER, Desk, at, clock, on, wall
from tickets.workflow import properties

HOUR = timedelta(hours=1)


@pytest.fixture
def desk(db):
    return Desk()


def explained(ticket, now, kind="resolution"):
    ticket.refresh_from_db()
    with on(now):
        [found] = explanations(ticket, now=now, kinds=[kind])
    return found


def told(found, *kinds):
    return [(each.kind, each.start, each.end, each.amount) for each in found.stretches if each.kind in kinds]


def test_working_time_used_and_left_are_both_told_with_the_wall_clock(desk):
    ticket = desk.file(MONDAY)
    found = explained(ticket, at(2026, 11, 23, 18, 0))
    assert (found.used, found.left, found.before) == (9 * HOUR, 9 * HOUR, timedelta())
    assert (found.due, found.status.left) == (at(2026, 11, 24, 17, 0), 23 * HOUR)
    assert told(found, "counted", "left") == [
        ("counted", MONDAY, at(2026, 11, 23, 17, 0), 9 * HOUR),
        ("left", at(2026, 11, 24, 8, 0), at(2026, 11, 24, 17, 0), 9 * HOUR),
    ]
    assert found.total("counted") + found.total("left") == clock(ticket).target


def test_pauses_name_the_stage_and_holidays_and_closures_their_names(desk):
    desk.change(MONDAY, days=(OwnDay(wall(2026, 11, 24).date(), "Día cívico"),))
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "preguntar")
    desk.do(at(2026, 11, 23, 12, 0), ticket, "seguir")
    with on(at(2026, 11, 25, 9, 0)):
        closure = proposing.propose_closure(
            desk.calendar,
            actor=desk.supervisor,
            start=wall(2026, 11, 25, 15, 0),
            end=None,
            name="Corte de luz",
        )
    desk.apply(at(2026, 11, 25, 9, 0), closure)
    found = explained(ticket, at(2026, 11, 26, 7, 0))
    [pause] = [each for each in found.stretches if each.kind == "paused"]
    assert (pause.stage.key, pause.amount) == ("espera", 2 * HOUR)
    assert {each.reason for each in found.stretches if each.kind == "closed"} == {
        "",
        "Día cívico",
        "Corte de luz",
    }


def test_how_the_date_moved_names_who_moved_it_and_to_when(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "preguntar")
    desk.do(at(2026, 11, 23, 12, 0), ticket, "seguir")
    draft = desk.propose(at(2026, 11, 23, 13, 0), week=SHORTER)
    draft.reason = "Turno corto"
    draft.save()
    desk.apply(at(2026, 11, 23, 13, 0), draft)
    with on(at(2026, 11, 23, 13, 30)):
        properties.change_properties(ticket, actor=desk.agent, due_at=at(2026, 12, 1, 10, 0))
    desk.do(at(2026, 11, 23, 13, 30), ticket, "preguntar")
    desk.do(at(2026, 11, 24, 9, 0), ticket, "seguir")
    moves = explained(ticket, at(2026, 11, 24, 10, 0)).moves
    assert [(move.kind, move.due, move.actor, move.reason) for move in moves] == [
        ("promised", at(2026, 11, 24, 17, 0), "", ""),
        ("paused", at(2026, 11, 25, 10, 0), "", ""),
        ("recomputed", at(2026, 11, 26, 10, 0), str(desk.supervisor), "Turno corto"),
        ("agreed", at(2026, 12, 1, 10, 0), desk.agent.name, ""),
        ("paused", at(2026, 12, 1, 11, 30), "", ""),
    ]
    assert moves[1].amount == 2 * HOUR


def test_another_severity_is_told_with_its_target(desk):
    ticket = desk.file(MONDAY)
    with on(MONDAY + HOUR):
        properties.change_properties(ticket, actor=desk.agent, case_kind="procedure")
    promised, retargeted = explained(ticket, MONDAY + HOUR).moves
    assert (promised.kind, promised.case_kind, promised.target.amount) == ("promised", "problem", 18 * HOUR)
    assert (retargeted.kind, retargeted.case_kind, retargeted.target.amount) == (
        "retargeted",
        "procedure",
        27 * HOUR,
    )
    assert (retargeted.actor, retargeted.due) == (desk.agent.name, at(2026, 11, 25, 17, 0))


def test_a_stopped_clock_is_explained_up_to_its_end(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "terminar")
    found = explained(ticket, at(2026, 11, 30, 10, 0))
    assert (found.used, found.left, found.status.state) == (2 * HOUR, timedelta(), "met")
    assert told(found, "left") == []
    assert found.stretches[-1].end == at(2026, 11, 23, 10, 0)
    assert (found.unused, sum((each.amount for each in found.rest), timedelta())) == (16 * HOUR, 16 * HOUR)
    assert [(each.kind, each.start, each.end) for each in found.rest] == [
        ("unused", at(2026, 11, 23, 10, 0), at(2026, 11, 23, 17, 0)),
        ("closed", at(2026, 11, 23, 17, 0), at(2026, 11, 24, 8, 0)),
        ("unused", at(2026, 11, 24, 8, 0), at(2026, 11, 24, 17, 0)),
    ]


def test_a_clock_that_stopped_late_or_runs_has_nothing_unused(desk):
    ticket = desk.file(MONDAY)
    running = explained(ticket, at(2026, 11, 25, 10, 0))
    assert (running.unused, running.rest) == (timedelta(), ())
    desk.do(at(2026, 11, 25, 10, 0), ticket, "terminar")
    late = explained(ticket, at(2026, 11, 30, 10, 0))
    assert (late.status.state, late.unused, late.rest) == ("missed", timedelta(), ())


def test_a_long_history_is_told_from_its_last_two_months(desk):
    ticket = desk.file(MONDAY)
    now = MONDAY + timedelta(days=900)
    found = explained(ticket, now)
    assert found.stretches[0].start >= now - SHOWN
    assert found.before + found.total("counted") == found.used
    assert len(found.stretches) < 200


def test_explaining_takes_as_many_queries_however_much_happened(desk, django_assert_num_queries):
    ticket = desk.file(MONDAY)
    for number in range(6):
        desk.do(at(2026, 11, 23, 9 + number, 0), ticket, "seguir" if number % 2 else "preguntar")
    desk.change(at(2026, 11, 23, 15, 0), week=LONGER)
    ticket.refresh_from_db()
    assert ticket.definition
    explained(ticket, at(2026, 11, 23, 16, 0))
    with django_assert_num_queries(5):
        explanations(ticket, now=at(2026, 11, 23, 16, 0))


class TestReplay(TestCase):
    """Whatever happened to a clock, its history told from the beginning ends at its due date."""

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(1, 30), st.sampled_from(["move", "move", "hours", "agree", "kind"])),
            min_size=1,
            max_size=7,
        )
    )
    @example(
        [(1, "move"), (1, "move"), (1, "move"), (11, "kind"), (30, "agree")]
    )  # confirms the date that it had
    def test_the_last_move_is_the_present_date(self, steps):
        desk = Desk()
        ticket, moment, waits, weeks = desk.file(MONDAY), MONDAY, False, [SHORTER, LONGER]
        for number, (gap, step) in enumerate(steps):
            moment += timedelta(hours=gap)
            if step == "move":
                desk.do(moment, ticket, "seguir" if waits else "preguntar")
                waits = not waits
            elif step == "hours" and desk.rules.week != weeks[number % 2]:
                desk.change(moment, week=weeks[number % 2])
            elif step == "agree":
                with on(moment):
                    properties.change_properties(
                        ticket, actor=desk.agent, due_at=moment + timedelta(hours=5 + gap)
                    )
            elif step == "kind":
                ticket.refresh_from_db()
                other = "problem" if ticket.case_kind == "procedure" else "procedure"
                with on(moment):
                    properties.change_properties(ticket, actor=desk.agent, case_kind=other)
        if waits:
            moment += HOUR
            desk.do(moment, ticket, "seguir")
        found = explained(ticket, moment)
        assert found.moves[-1].due == found.due == clock(ticket).due_at, [
            (move.kind, str(move.due)) for move in found.moves
        ]
        assert "other" not in {move.kind for move in found.moves}
        assert found.before + found.total("counted") == found.used
        assert job.go_on_with_all() == 0
