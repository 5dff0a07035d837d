"""Clock arithmetic, compared with a minute-by-minute count. `test_sla_vectors` has the vectors of other projects."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.calendars import WorkingHours, hours_between
from tickets.sla import Interval, due_at, elapsed, explain, merged, status, target_for

START = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

minutes = st.integers(-60, 600)
pauses = st.lists(st.tuples(minutes, st.one_of(st.none(), st.integers(0, 240))), max_size=6)


def at(minute):
    return START + minute * MINUTE


def intervals(pairs):
    return [Interval(at(begin), None if length is None else at(begin + length)) for begin, length in pairs]


def paused(minute, pairs, now):
    return any(
        begin <= minute < (now if length is None else min(begin + length, now)) for begin, length in pairs
    )


def counted(target, pairs, now):
    """Return the minute at whose end `target` minutes have counted, by looking at every minute."""
    minute, left = 0, target
    while left:
        left -= not paused(minute, pairs, now)
        minute += 1
    return minute


@given(target=st.integers(0, 500), pairs=pauses, now=st.integers(0, 700))
def test_due_at_equals_counting_every_minute(target, pairs, now):
    due = due_at(start=START, target=target * MINUTE, pauses=intervals(pairs), now=at(now))
    assert due == at(counted(target, pairs, now))


@given(pairs=pauses, now=st.integers(0, 700))
def test_elapsed_equals_the_minutes_not_paused(pairs, now):
    expected = sum(not paused(minute, pairs, now) for minute in range(now))
    assert elapsed(start=START, pauses=intervals(pairs), now=at(now)) == expected * MINUTE


@given(pairs=pauses, now=st.integers(0, 700))
def test_explain_covers_every_minute_once(pairs, now):
    stretches = explain(start=START, pauses=intervals(pairs), now=at(now))
    assert sum((s.end - s.start for s in stretches), timedelta()) == now * MINUTE
    for before, after in pairwise(stretches):
        assert before.end == after.start
        assert (before.kind == "counted") != (after.kind == "counted")
    for stretch in stretches:
        minute = (stretch.start - START) // MINUTE
        assert stretch.counts is not paused(minute, pairs, now)


@given(pairs=pauses, now=st.integers(0, 700), ahead=st.integers(1, 900))
def test_target_for_gives_back_the_agreed_date(pairs, now, ahead):
    due = at(now + ahead)
    target = target_for(start=START, due=due, pauses=intervals(pairs), now=at(now))
    assert due_at(start=START, target=target, pauses=intervals(pairs), now=at(now)) == due


@given(pairs=pauses)
def test_merged_pauses_neither_touch_nor_overlap(pairs):
    found = merged(intervals(pairs), start=START, now=at(600))
    assert all(one.end < two.start for one, two in pairwise(found))
    assert all(START <= pause.start < pause.end <= at(600) for pause in found)


def test_pause_after_the_due_date_changes_nothing():
    late = [Interval(at(90), at(200))]
    assert due_at(start=START, target=60 * MINUTE, pauses=late, now=at(300)) == at(60)


OFFICE = WorkingHours(ZoneInfo("UTC"), [hours_between(("09:00", "17:00"))] * 5 + [(), ()])


def test_calendar_replaces_elapsed_time():
    """Friday 16:30 plus one hour is Monday 9:30 (LESSONS A8); a pause outside office hours does not move it."""
    friday, monday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC), datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
    office, later = OFFICE, datetime(2026, 3, 20, tzinfo=UTC)
    assert due_at(start=friday, target=timedelta(hours=1), now=later, calendar=office) == monday
    weekend = [Interval(friday + timedelta(hours=2), monday - timedelta(hours=1))]
    found = due_at(start=friday, target=timedelta(hours=1), pauses=weekend, now=later, calendar=office)
    assert found == monday


@pytest.mark.parametrize(
    ("now", "paused_at", "stopped_at", "state", "left"),
    [
        (10, None, None, "ok", 90),
        (80, None, None, "risk", 20),
        (100, None, None, "breached", 0),
        (150, None, None, "breached", 50),
        (500, 20, None, "paused", 80),
        (500, 120, None, "breached", 20),
        (500, None, 90, "met", 10),
        (500, None, 130, "missed", 30),
    ],
)
def test_status_is_frozen_while_paused_or_stopped(now, paused_at, stopped_at, state, left):
    """LESSONS A12: «vencido hace» does not grow during a pause."""
    shown = status(
        due=at(100),
        target=100 * MINUTE,
        now=at(now),
        paused_at=None if paused_at is None else at(paused_at),
        stopped_at=None if stopped_at is None else at(stopped_at),
    )
    assert (shown.state, shown.left) == (state, left * MINUTE)
