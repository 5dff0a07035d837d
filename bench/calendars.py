"""Measure calendars: `python -m bench.calendars` prints microseconds per call of `add` and `between`.

The limits of the requirements are 20 µs for 40 working hours and 60 µs for 10 000.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from timeit import repeat

from tickets.calendars import WorkingHours, hours_between, zone_named

ZONES = ("America/Bogota", "Europe/Madrid", "Australia/Lord_Howe")
HOURS = (40, 10_000)
CALLS = 2000
START = datetime(2026, 11, 27, 15, 3, tzinfo=UTC)
FIXED_HOLIDAYS = ((1, 1), (1, 6), (5, 1), (8, 15), (10, 12), (11, 1), (12, 6), (12, 8), (12, 25))


def office(zone: str) -> WorkingHours:
    """Return a calendar of 40 hours a week with a lunch break, and nine holidays a year."""
    day = hours_between(("08:00", "12:00"), ("13:00", "17:00"))
    years = range(START.year - 5, START.year + 15)
    holidays = {date(year, month, number): () for year in years for month, number in FIXED_HOLIDAYS}
    return WorkingHours(zone_named(zone), [day] * 5 + [(), ()], days=holidays)


def microseconds(call: Callable[[], object]) -> float:
    """Return what one call takes, in the best of seven rounds."""
    return min(repeat(call, number=CALLS, repeat=7)) / CALLS * 1e6


def main() -> None:
    print(f"{'zone':22}{'working hours':>15}{'add µs':>10}{'between µs':>12}")
    for zone in ZONES:
        calendar = office(zone)
        for hours in HOURS:
            duration = timedelta(hours=hours)
            end = calendar.add(START, duration)
            add = microseconds(partial(calendar.add, START, duration))
            between = microseconds(partial(calendar.between, START, end))
            print(f"{zone:22}{hours:15}{add:10.1f}{between:12.1f}")


if __name__ == "__main__":
    main()
