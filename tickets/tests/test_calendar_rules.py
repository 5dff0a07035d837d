"""Calendars as people describe them: read, stored, and every mistake told at its place."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.errors import InvalidData
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
