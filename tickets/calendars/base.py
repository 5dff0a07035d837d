"""Defines the protocol of calendars, and elapsed time, the simplest calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class NoWorkingTime(ValueError):
    """A calendar was described in which no time ever counts, so that no due date could be reached."""


@dataclass(frozen=True)
class Part:
    """A part of a span of time, in which the calendar is either open or closed. `reason` names what closes it, such as
    a holiday; it is empty outside opening hours."""

    start: datetime
    end: datetime
    is_open: bool
    reason: str = ""


class Calendar(Protocol):
    def begins(self, start: datetime) -> datetime:
        """Return the moment from which a promise made at `start` counts: later where the first day is left out."""

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """Return the first moment at which `duration` of counting time has passed since `start`, in UTC.

        A duration that ends exactly when the calendar closes ends at that moment, not when it opens again. Without a
        duration the answer is `start`, open or not.
        """

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return how much time counts from `start` to `end`; never negative."""

    def next_open(self, moment: datetime) -> datetime:
        """Return the first moment from `moment` on at which time counts."""

    def parts(self, start: datetime, end: datetime) -> Iterator[Part]:
        """Cut the time from `start` to `end` into parts that are open and closed, in order and without gaps."""


class ElapsedTime:
    """Every second counts, day and night."""

    def begins(self, start: datetime) -> datetime:
        return start

    def add(self, start: datetime, duration: timedelta) -> datetime:
        return start + duration

    def between(self, start: datetime, end: datetime) -> timedelta:
        return max(end - start, timedelta())

    def next_open(self, moment: datetime) -> datetime:
        return moment

    def parts(self, start: datetime, end: datetime) -> Iterator[Part]:
        if start < end:
            yield Part(start, end, is_open=True)


ELAPSED = ElapsedTime()
