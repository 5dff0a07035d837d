"""Replays of a period under other conditions: what they promise, and that they agree with what was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tickets.calendars import ELAPSED
from tickets.enums import ClockKind, StageKind
from tickets.facts.what_if import (
    NOTHING,
    Case,
    Scenario,
    calibrated,
    cases,
    quantile_of,
    replayed,
    share_kept,
    with_targets,
)
from tickets.models import Clock, Ticket
from tickets.tests.factories import make_process, make_ticket

MONDAY = datetime(2026, 11, 2, 13, tzinfo=UTC)


def case(
    number, *, arrived=0.0, worked=5.0, target=8.0, was_kept=True, department=1, severity="high", person=7
):
    """A ticket that arrived so many hours after Monday and took so many."""
    begin = MONDAY + timedelta(hours=arrived)
    took = timedelta(hours=worked)
    return Case(
        number, f"MA-{number}", "Algo", department, severity, begin, begin + took, took,
        timedelta(hours=target), False, was_kept, person,
    )  # fmt: skip


cases_of = st.lists(
    st.builds(
        lambda arrived, worked, target: (arrived, worked, target),
        st.floats(0, 200),
        st.floats(0.1, 40),
        st.floats(1, 40),
    ),
    min_size=1,
    max_size=30,
).map(
    lambda rows: [
        case(number, arrived=arrived, worked=worked, target=target, was_kept=worked <= target)
        for number, (arrived, worked, target) in enumerate(sorted(rows))
    ]
)


@given(cases_of, st.floats(0.01, 1))
def test_more_people_make_nobody_wait_longer(found, part):
    alone = replayed(found, NOTHING, ELAPSED, part)
    helped = replayed(found, Scenario({1: 2}, {}), ELAPSED, part)
    assert all(more.took <= one.took for one, more in zip(alone, helped, strict=True))
    assert sum(each.is_kept for each in helped) >= sum(each.is_kept for each in alone)


@given(cases_of)
def test_replay_without_changes_has_about_as_many_on_time_as_there_were(found):
    part = calibrated(found, ELAPSED)
    really = sum(each.was_kept for each in found)
    again = sum(each.is_kept for each in replayed(found, NOTHING, ELAPSED, part))
    least = sum(each.is_kept for each in replayed(found, NOTHING, ELAPSED, 1.0))
    assert again >= really or least <= really or part > 0.99
    assert 0 < part <= 1


def test_two_people_share_a_queue_that_one_cannot_serve():
    found = [case(number, arrived=0, worked=6, target=7, was_kept=number < 1) for number in range(4)]
    alone = replayed(found, NOTHING, ELAPSED, 1.0)
    assert [each.took for each in alone] == [timedelta(hours=hours) for hours in (6, 12, 18, 24)]
    helped = replayed(found, Scenario({1: 1}, {}), ELAPSED, 1.0)
    assert [each.took for each in helped] == [timedelta(hours=hours) for hours in (6, 6, 12, 12)]
    elsewhere = replayed(found, Scenario({2: 5}, {}), ELAPSED, 1.0)
    assert elsewhere == alone
    assert share_kept(alone) == 0.25
    assert share_kept(helped) == 0.5
    assert quantile_of(helped, 0.5) == timedelta(hours=6)


def test_other_target_is_compared_with_what_was_and_moves_only_its_severity():
    found = [
        case(1, worked=10, target=8, was_kept=False),
        case(2, worked=30, target=8, was_kept=False),
        case(3, worked=10, target=8, was_kept=False, severity="low"),
    ]
    assert [each.is_kept for each in with_targets(found, {"high": timedelta(hours=12)})] == [
        True,
        False,
        False,
    ]
    on_the_wall = replace(found[0], is_elapsed=True, ended=found[0].arrived + timedelta(hours=20))
    assert not with_targets([on_the_wall], {"high": timedelta(hours=12)})[0].is_kept


def test_nothing_to_replay_has_no_share():
    assert share_kept([]) is None
    assert quantile_of([], 0.5) is None
    assert replayed([], NOTHING, ELAPSED, 0.5) == []


@pytest.mark.django_db
def test_cases_are_the_resolved_tickets_of_the_period_with_a_promise():
    process = make_process("incidencia-tecnica")
    now = timezone.now()
    done, test, earlier, still_open = (make_ticket(process) for _n in range(4))
    for ticket, days, is_test in ((done, 3, False), (test, 3, True), (earlier, 40, False)):
        Ticket.objects.filter(pk=ticket.pk).update(
            stage_kind=StageKind.DONE,
            closed_at=now - timedelta(days=days),
            resolution_seconds=7200,
            is_test=is_test,
        )
    Clock.objects.filter(ticket=done, kind=ClockKind.RESOLUTION).update(breached_at=now)
    [found] = cases(now - timedelta(days=28), now)
    assert (found.ticket, found.worked, found.was_kept) == (done.pk, timedelta(hours=2), False)
    assert still_open.pk != found.ticket
