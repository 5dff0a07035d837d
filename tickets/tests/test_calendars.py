"""Working hours, compared with a count of every minute, in zones that change their offset (LESSONS A8–A10)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tickets.calendars import (
    ELAPSED,
    DayCount,
    NoWorkingTime,
    UnknownZone,
    WorkingHours,
    hours_between,
    zone_named,
)
from tickets.sla import Interval, due_at, elapsed, explain

MINUTE = timedelta(minutes=1)
WINDOW = 5 * 1440
NINE_TO_FIVE = hours_between(("09:00", "17:00"))
OFFICE_WEEK = [NINE_TO_FIVE] * 5 + [(), ()]
SPLIT = hours_between(("08:00", "12:00"), ("14:00", "18:00"))
NIGHT = hours_between(("22:00", "06:00"))

# Each zone with a day near a change of its offset, or near a leap day where it never changes.
PLACES = [
    ("America/Bogota", date(2028, 2, 27)),
    ("America/Caracas", date(2016, 4, 29)),  # half an hour forward
    ("America/Caracas", date(2007, 12, 7)),  # half an hour back
    ("Europe/Madrid", date(2026, 3, 27)),
    ("Europe/Madrid", date(2026, 10, 23)),
    ("America/Santiago", date(2026, 4, 3)),  # at midnight
    ("America/Santiago", date(2026, 9, 4)),
    ("Australia/Lord_Howe", date(2026, 4, 3)),  # DST of half an hour
    ("Asia/Kolkata", date(2028, 2, 27)),
    ("Asia/Kathmandu", date(2026, 12, 29)),
]

minutes_of_a_day = st.integers(0, 96).map(lambda quarter: quarter * 15)
day_hours = st.lists(st.tuples(minutes_of_a_day, st.integers(1, 80)), max_size=3).map(
    lambda pairs: tuple(
        sorted((begin * 60, min(begin * 60 + quarters * 900, 172_800)) for begin, quarters in pairs)
    )
)
weeks = st.lists(day_hours, min_size=7, max_size=7).filter(lambda week: any(week))
other_days = st.dictionaries(st.integers(-1, 6), day_hours, max_size=3)
closures = st.lists(st.tuples(st.integers(-600, WINDOW), st.integers(1, 2000)), max_size=2)
minutes = st.integers(0, WINDOW)


class Oracle:
    """Looks at every minute, with the clock on the wall that `zoneinfo` gives."""

    def __init__(self, zone, first, week, days, closures):
        self.zone, self.week, self.days, self.closures = zone, week, days, closures
        self.start = datetime(first.year, first.month, first.day, tzinfo=UTC)

    def at(self, minute):
        return self.start + minute * MINUTE

    def counts(self, minute):
        wall = self.at(minute).astimezone(self.zone).replace(tzinfo=None)
        if any(begin <= wall < end for begin, end, _name in self.closures):
            return False
        second = wall.hour * 3600 + wall.minute * 60
        today = wall.date()
        return any(begin <= second < end for begin, end in self._hours(today)) or any(
            begin <= second + 86_400 < end for begin, end in self._hours(today - timedelta(days=1))
        )

    def _hours(self, day):
        return self.days.get(day, self.week[day.weekday()])


def made(place, week, days, closed):
    name, first = place
    zone = ZoneInfo(name)
    own = {first + timedelta(days=number): hours for number, hours in days.items()}
    wall = datetime.combine(first, time())
    spans = [(wall + begin * MINUTE, wall + (begin + length) * MINUTE, "cierre") for begin, length in closed]
    return WorkingHours(zone, week, days=own, closures=spans), Oracle(zone, first, week, own, spans)


@given(st.sampled_from(PLACES), weeks, other_days, closures, minutes, minutes)
@example(PLACES[4], [NIGHT] * 7, {2: ()}, [], 0, WINDOW)
@example(PLACES[3], [SPLIT] * 7, {}, [(60, 300)], 0, WINDOW)
def test_between_equals_counting_every_minute(place, week, days, closed, begin, end):
    calendar, oracle = made(place, week, days, closed)
    expected = sum(oracle.counts(minute) for minute in range(begin, end))
    assert calendar.between(oracle.at(begin), oracle.at(end)) == expected * MINUTE


@given(st.sampled_from(PLACES), weeks, other_days, closures, minutes, st.integers(1, 3000))
def test_add_ends_with_the_minute_that_uses_up_the_duration(place, week, days, closed, begin, duration):
    calendar, oracle = made(place, week, days, closed)
    found = calendar.add(oracle.at(begin), duration * MINUTE)
    minute, left = begin, duration
    while left and minute < WINDOW:
        left -= oracle.counts(minute)
        minute += 1
    if left:  # the window is too short: then what is left is used up after it
        assert calendar.between(oracle.at(WINDOW), found) == left * MINUTE
    else:
        assert found == oracle.at(minute)


@given(st.sampled_from(PLACES), weeks, other_days, closures, minutes)
def test_next_open_is_the_first_minute_that_counts(place, week, days, closed, begin):
    calendar, oracle = made(place, week, days, closed)
    found = calendar.next_open(oracle.at(begin))
    first = next((minute for minute in range(begin, WINDOW) if oracle.counts(minute)), None)
    assert found == oracle.at(first) if first is not None else found >= oracle.at(WINDOW)
    assert calendar.is_open(found)


@given(st.sampled_from(PLACES), weeks, other_days, closures, minutes, minutes)
def test_parts_cover_every_minute_once(place, week, days, closed, begin, end):
    calendar, oracle = made(place, week, days, closed)
    cursor = oracle.at(begin)
    for part in calendar.parts(oracle.at(begin), oracle.at(end)):
        assert part.start == cursor < part.end
        for minute in range((part.start - oracle.start) // MINUTE, (part.end - oracle.start) // MINUTE):
            assert part.is_open is oracle.counts(minute)
        cursor = part.end
    assert cursor == max(oracle.at(begin), oracle.at(end)) or begin >= end


@given(
    st.sampled_from(PLACES), weeks, st.integers(0, 3000),
    st.lists(st.tuples(minutes, st.integers(0, 900)), max_size=3),
)  # fmt: skip
def test_pauses_and_hours_together_equal_counting_every_minute(place, week, target, stops):
    calendar, oracle = made(place, week, {}, [])
    pauses = [Interval(oracle.at(begin), oracle.at(begin + length)) for begin, length in stops]

    def counts(minute):
        return oracle.counts(minute) and not any(begin <= minute < begin + length for begin, length in stops)

    end = oracle.at(WINDOW)
    used = sum(counts(minute) for minute in range(WINDOW))
    assert elapsed(start=oracle.start, pauses=pauses, now=end, calendar=calendar) == used * MINUTE
    due = due_at(start=oracle.start, target=target * MINUTE, pauses=pauses, now=end, calendar=calendar)
    minute, left = 0, target
    while left and minute < WINDOW:
        left -= counts(minute)
        minute += 1
    assert due == oracle.at(minute) if not left else due > end or stops
    told = explain(start=oracle.start, pauses=pauses, now=end, calendar=calendar)
    assert sum((s.end - s.start for s in told if s.counts), timedelta()) == used * MINUTE


@given(st.sampled_from(PLACES), weeks, other_days, st.integers(0, 20_000))
def test_a_long_duration_takes_as_long_as_it_says(place, week, days, hours):
    calendar, oracle = made(place, week, days, [])
    found = calendar.add(oracle.start, timedelta(hours=hours))
    assert calendar.between(oracle.start, found) == timedelta(hours=hours)


def test_friday_afternoon_goes_on_on_monday():
    calendar = WorkingHours(ZoneInfo("America/Bogota"), OFFICE_WEEK)
    friday = datetime(2026, 11, 27, 16, 30, tzinfo=calendar.zone)
    assert calendar.add(friday, timedelta(hours=1)) == datetime(2026, 11, 30, 9, 30, tzinfo=calendar.zone)


def test_time_that_ends_at_closing_is_due_at_closing():
    calendar = WorkingHours(ZoneInfo("America/Bogota"), OFFICE_WEEK)
    start = datetime(2026, 11, 27, 15, 0, tzinfo=calendar.zone)
    due = calendar.add(start, timedelta(hours=2))
    assert due == datetime(2026, 11, 27, 17, 0, tzinfo=calendar.zone)
    assert calendar.next_open(due) == datetime(2026, 11, 30, 9, 0, tzinfo=calendar.zone)


@pytest.mark.parametrize(("month", "day"), [(3, 27), (10, 23)])
def test_time_that_ends_at_closing_is_due_then_also_before_the_clocks_change(month, day):
    calendar = WorkingHours(ZoneInfo("Europe/Madrid"), OFFICE_WEEK)
    friday = datetime(2026, month, day, 15, 0, tzinfo=calendar.zone)
    due = calendar.add(friday, timedelta(hours=2))
    assert due == datetime(2026, month, day, 17, 0, tzinfo=calendar.zone)


def test_a_day_of_25_hours_has_25_hours():
    calendar = WorkingHours(ZoneInfo("Europe/Madrid"), [hours_between(("00:00", "24:00"))] * 7)
    sunday, monday = (datetime(2026, 10, day, tzinfo=calendar.zone) for day in (25, 26))
    assert calendar.between(sunday, monday) == timedelta(hours=25)


def test_a_holiday_closes_the_shift_that_begins_on_it_and_not_the_one_before():
    day = date(2026, 11, 25)
    calendar = WorkingHours(ZoneInfo("America/Bogota"), [NIGHT] * 7, days={day: ()}, names={day: "Fiesta"})
    noon = datetime(2026, 11, 24, 12, tzinfo=calendar.zone)
    assert calendar.between(noon, noon + timedelta(days=1)) == timedelta(hours=8)
    assert calendar.between(noon + timedelta(days=1), noon + timedelta(days=2)) == timedelta(0)
    assert "Fiesta" in {part.reason for part in calendar.parts(noon, noon + timedelta(days=2))}


def test_a_closure_ends_the_shift_that_began_the_day_before_and_is_named():
    zone = ZoneInfo("America/Bogota")
    day = date(2026, 11, 25)
    closure = (datetime.combine(day, time(2)), datetime.combine(day, time(23)), "Corte de luz")
    calendar = WorkingHours(zone, [NIGHT] * 7, closures=[closure])
    begin, end = (datetime(2026, 11, day, 12, tzinfo=zone) for day in (24, 26))
    parts = [
        (part.start.astimezone(zone).hour, part.is_open, part.reason) for part in calendar.parts(begin, end)
    ]
    assert parts == [
        (12, False, ""),
        (22, True, ""),
        (2, False, "Corte de luz"),
        (23, True, ""),
        (6, False, ""),
    ]


@pytest.mark.parametrize("week", [[()] * 7, [((32_400, 32_400),), *[()] * 6]])
def test_a_week_without_hours_is_refused(week):
    with pytest.raises(NoWorkingTime):
        WorkingHours(ZoneInfo("UTC"), week)


@pytest.mark.parametrize("text", ["25:00", "9", "09:60", "24:01", "nueve", "-1:00", "09:00:60"])
def test_hours_that_no_clock_shows_are_refused(text):
    with pytest.raises(ValueError, match=r"invalid literal|unpack|^-?\d|^$"):
        hours_between((text, "23:00"))


@pytest.mark.parametrize("name", ["", "Europe/Macondo", "../etc/passwd", "\0"])
def test_unknown_zones_are_refused(name):
    with pytest.raises(UnknownZone):
        zone_named(name)


def test_elapsed_time_always_counts():
    start = datetime(2026, 11, 28, 3, tzinfo=UTC)
    assert ELAPSED.between(start, ELAPSED.add(start, timedelta(hours=7))) == timedelta(hours=7)
    assert ELAPSED.next_open(start) == start
    assert [part.is_open for part in ELAPSED.parts(start, start + MINUTE)] == [True]


holidays = st.frozensets(
    st.integers(0, 90).map(lambda days: date(2028, 1, 20) + timedelta(days=days)), max_size=25
)


@given(holidays, st.integers(0, 60), st.integers(0, 40), st.booleans(), st.booleans())
def test_deadlines_in_days_equal_counting_every_day(holidays, begin, days, only_working, rolls):
    event = date(2028, 1, 20) + timedelta(days=begin)
    count = DayCount(ZoneInfo("Europe/Madrid"), holidays=holidays, only_working=only_working, rolls=rolls)

    def works(day):
        return day.weekday() < 5 and day not in holidays

    expected, left = event, days
    while left:
        expected += timedelta(days=1)
        left -= works(expected) or not only_working
    while rolls and not only_working and not works(expected):
        expected += timedelta(days=1)
    assert count.last_day(event, days) == expected


def test_months_end_on_the_same_day_or_the_last_of_the_month():
    count = DayCount(ZoneInfo("Europe/Madrid"))
    assert count.last_day_of_months(date(2027, 1, 31), 1) == date(2027, 2, 28)
    assert count.last_day_of_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
    assert count.last_day_of_months(date(2026, 11, 30), 14) == date(2028, 1, 30)


def test_a_last_day_ends_one_second_before_the_next_one():
    madrid = DayCount(ZoneInfo("Europe/Madrid"))
    assert madrid.due(date(2026, 7, 1)) == datetime(2026, 7, 1, 21, 59, 59, tzinfo=UTC)
    # In Santiago the clock goes back at midnight, so that 23:59:59 comes twice: the second one counts.
    santiago = DayCount(ZoneInfo("America/Santiago"))
    assert santiago.due(date(2026, 4, 4)) == datetime(2026, 4, 5, 3, 59, 59, tzinfo=UTC)
