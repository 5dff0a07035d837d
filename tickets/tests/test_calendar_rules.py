"""Calendars as people describe them: read, stored, and every mistake told at its place."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.errors import InvalidData
from content.tests.hostile_text import seconds
from tickets.calendars import ELAPSED, CalendarRules
from tickets.calendars.rules import Closure, OwnDay
from tickets.enums import TargetUnit

OFFICE = {
    "zone": "America/Bogota",
    "week": {day: [["08:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "days": [
        {"date": "2026-12-25", "name": "Navidad", "name_en": "Christmas"},
        {"date": "2026-12-24", "name": "Nochebuena", "hours": [["08:00", "12:00"]]},
        {"date": "2026-12-26", "name": "Inventario", "hours": [["08:00", "10:00"]]},
    ],
    "closures": [{"from": "2026-11-27T11:00", "until": "2026-11-27T18:00", "name": "Corte de luz"}],
}


def bogota(*parts):
    return datetime(*parts, tzinfo=ZoneInfo("America/Bogota"))


def errors(**changes):
    with pytest.raises(InvalidData) as refused:
        CalendarRules.read({**OFFICE, **changes})
    return refused.value.errors


def test_hours_holidays_extra_days_and_closures_decide_what_counts():
    calendar = CalendarRules.read(OFFICE).counting(TargetUnit.WORKING)
    assert calendar.add(bogota(2026, 11, 27, 10), timedelta(hours=2)) == bogota(2026, 11, 30, 9)
    assert calendar.between(bogota(2026, 12, 24), bogota(2026, 12, 28)) == timedelta(hours=6)
    reasons = [
        part.reason for part in calendar.parts(bogota(2026, 11, 27), bogota(2026, 11, 28)) if part.reason
    ]
    assert set(reasons) == {"Corte de luz"}


def test_an_extra_day_is_worked_and_a_holiday_is_not():
    rules = CalendarRules.read(OFFICE)
    count = rules.day_count(only_working=True)
    assert count.last_day(date(2026, 12, 23), 2) == date(2026, 12, 28)  # the 24th, not Christmas, then Monday
    assert rules.day_count(rolls=True).last_day(date(2026, 12, 20), 5) == date(2026, 12, 28)


def test_always_open_counts_every_second():
    rules = CalendarRules.read({"zone": "America/Caracas", "always": True})
    assert rules.counting(TargetUnit.WORKING) is ELAPSED
    assert rules.day_count(only_working=True).last_day(date(2026, 11, 27), 2) == date(2026, 11, 29)


def test_what_is_stored_is_read_back():
    rules = CalendarRules.read(OFFICE)
    assert CalendarRules.read(json.loads(json.dumps(rules.as_json()))) == rules


times = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")


@given(st.dictionaries(st.sampled_from(["mon", "wed", "sun"]), st.tuples(times, times), min_size=1))
def test_any_hours_of_a_week_are_stored_and_read_back(week):
    rules = CalendarRules.read({"zone": "Europe/Madrid", "week": {day: [pair] for day, pair in week.items()}})
    again = CalendarRules.read(rules.as_json())
    start = datetime(2026, 3, 27, tzinfo=UTC)
    assert again == rules
    one, other = (each.counting(TargetUnit.WORKING) for each in (rules, again))
    assert one.add(start, timedelta(hours=30)) == other.add(start, timedelta(hours=30))


def test_own_days_and_closures_stand_in_order():
    rules = CalendarRules.read(OFFICE)
    assert [own.day.day for own in rules.days] == [24, 25, 26]
    assert rules.days[1] == OwnDay(date(2026, 12, 25), "Navidad", (), "Christmas")
    [closure] = rules.closures
    assert isinstance(closure, Closure)
    assert (closure.end - closure.start, closure.name) == (timedelta(hours=7), "Corte de luz")


@pytest.mark.parametrize("week", [{}, {"mon": []}])
def test_a_calendar_without_hours_is_refused(week):
    assert errors(week=week).keys() == {"week"}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"zone": "America/Macondo"}, "zone"),
        ({"zone": None}, "zone"),
        ({"always": "yes"}, "always"),
        ({"week": []}, "week"),
        ({"week": {"lun": [["08:00", "17:00"]]}}, "week.lun"),
        ({"week": {"mon": [["8", "17"]]}}, "week.mon"),
        ({"week": {"mon": [["08:00"]]}}, "week.mon"),
        ({"week": {"mon": [[8, 17]]}}, "week.mon"),
        ({"week": {"mon": "08:00-17:00"}}, "week.mon"),
        ({"week": {"mon": [["08:00", "12:00"], ["11:00", "17:00"]]}}, "week.mon"),
        ({"week": {"mon": [["08:00", "17:00"], ["20:00", "09:00"]]}}, "week.mon"),
        ({"week": {"mon": [["08:00", "08:01"]] * 11}}, "week.mon"),
        ({"days": {}}, "days"),
        ({"days": [0]}, "days.0"),
        ({"days": [{"date": "2026-12-25", "name": "x"}] * 2001}, "days"),
        ({"days": [{"date": "25/12/2026", "name": "Navidad"}]}, "days.0.date"),
        ({"days": [{"date": 20261225, "name": "Navidad"}]}, "days.0.date"),
        ({"days": [{"date": "2026-12-25", "name": "a"}, {"date": "2026-12-25", "name": "b"}]}, "days.1.date"),
        ({"days": [{"date": "2026-12-25", "name": " "}]}, "days.0.name"),
        ({"days": [{"date": "2026-12-25", "name": "x" * 121}]}, "days.0.name"),
        ({"days": [{"date": "2026-12-25", "name": "x", "name_en": 5}]}, "days.0.name_en"),
        ({"days": [{"date": "2026-12-25", "name": "x", "hours": [["1"]]}]}, "days.0.hours"),
        ({"closures": [{"from": "hoy", "until": "2026-11-27T18:00", "name": "x"}]}, "closures.0.from"),
        ({"closures": [{"from": "2026-11-27T11:00Z", "until": "2026-11-27T18:00", "name": "x"}]}, "closures.0.from"),
        ({"closures": [{"from": "2026-11-27T18:00", "until": "2026-11-27T18:00", "name": "x"}]}, "closures.0.until"),
        ({"closures": [{"from": "2026-11-27T18:00", "until": "2028-11-27T18:00", "name": "x"}]}, "closures.0.until"),
        ({"hollidays": []}, "hollidays"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_at_its_place(changes, path):
    assert errors(**changes).keys() == {path}


def test_all_mistakes_are_told_at_once():
    found = errors(zone="x", week={"mon": [["a", "b"]]}, days=[{"date": "x", "name": "y"}])
    assert found.keys() == {"zone", "week.mon", "days.0.date"}


def closed(*spans):
    """Return the days that closures from one time to another take away whole from the office."""
    rows = [{"from": start, "until": end, "name": "Paro"} for start, end in spans]
    return CalendarRules.read({**OFFICE, "closures": rows}).days_closed_whole()


@pytest.mark.parametrize(
    ("spans", "days"),
    [
        ([("2026-11-30T08:00", "2026-11-30T17:00")], [30]),
        ([("2026-11-30T09:00", "2026-12-01T00:00")], []),
        ([("2026-11-30T08:00", "2026-11-30T16:59")], []),
        ([("2026-11-30T07:00", "2026-11-30T12:30"), ("2026-11-30T13:00", "2026-11-30T18:00")], [30]),
        ([("2026-11-30T08:00", "2026-11-30T15:00"), ("2026-11-30T10:00", "2026-11-30T17:00")], [30]),
        ([("2026-11-26T13:00", "2026-11-30T12:30")], [27]),
        ([("2026-11-28T00:00", "2026-11-30T00:00")], []),
    ],
)
def test_a_day_is_closed_whole_if_closures_leave_none_of_its_hours(spans, days):
    assert sorted(day.day for day in closed(*spans)) == days


def test_targets_in_working_days_pass_over_a_day_that_closures_take_away_whole():
    rows = [{"from": "2026-11-30T07:00", "until": "2026-12-01T00:00", "name": "Paro"}]
    rules = CalendarRules.read({**OFFICE, "closures": rows})
    friday, tuesday = date(2026, 11, 27), date(2026, 12, 1)
    assert rules.day_count(only_working=True).last_day(friday, 1) == tuesday
    assert rules.day_count(rolls=True).last_day(friday, 3) == tuesday
    assert rules.day_count().last_day(friday, 3) == date(2026, 11, 30)


MINUTES = st.integers(0, 4 * 24 * 60)


@given(st.lists(st.tuples(MINUTES, st.integers(1, 3000)), max_size=4))
def test_no_hour_of_a_day_closed_whole_counts_and_some_of_every_other_day_does(spans):
    monday = datetime.fromisoformat("2026-11-30T00:00")
    rows = tuple(
        Closure(monday + timedelta(minutes=begin), monday + timedelta(minutes=begin + length), "Paro")
        for begin, length in spans
    )
    rules = replace(CalendarRules.read(OFFICE), closures=rows)
    hours, found = rules.working_hours(), rules.days_closed_whole()
    for number in range(5):
        start = bogota(2026, 11, 30) + timedelta(days=number)
        is_closed = hours.between(start, start + timedelta(days=1)) == timedelta()
        assert (start.date() in found) == is_closed


def test_closures_without_end_take_no_time():
    """A century of closures that overlap one another is walked day by day once."""
    year = (datetime.fromisoformat(f"2026-{day}T00:00") for day in ("01-01", "12-31"))
    closures = (Closure(*year, "Paro"),) * 2000
    rules = replace(CalendarRules.read(OFFICE), closures=closures)
    assert seconds(rules.days_closed_whole) < 20 * seconds(
        replace(rules, closures=closures[:1]).days_closed_whole
    )
