"""Calendars: they decide which time counts towards a due date.

There is one calendar so far, elapsed time. Calendars with working hours and holidays can implement the same protocol
without a change in `sla`.
"""

from datetime import datetime, timedelta
from typing import Protocol


class Calendar(Protocol):
    def add(self, start: datetime, duration: timedelta) -> datetime:
        """Return the moment at which `duration` of counting time has passed since `start`."""

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return how much time counts from `start` to `end`; never negative."""


class ElapsedTime:
    """Every minute counts, day and night."""

    def add(self, start: datetime, duration: timedelta) -> datetime:
        return start + duration

    def between(self, start: datetime, end: datetime) -> timedelta:
        return max(end - start, timedelta())


ELAPSED = ElapsedTime()
