"""Sums over days that repeat every week, except on some days. Days are proleptic Gregorian ordinals."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate

from .base import NoWorkingTime


class DailyAmounts:
    """How much each day adds: `week` says it from Monday to Sunday, and `exceptions` for single days instead.

    Both questions are answered by whole weeks and a search among the exceptions, so that they cost the same for a day
    and for a century. Totals count from a Monday long ago.
    """

    def __init__(self, week: Sequence[int], exceptions: Mapping[int, int]) -> None:
        """Raises NoWorkingTime if the week adds nothing: then no total could be reached."""
        self._until = list(accumulate(week, initial=0))  # the total before each day of the week
        self._week = self._until[7]
        if self._week <= 0:
            raise NoWorkingTime
        self._exceptions = sorted(exceptions)
        differences = (exceptions[day] - week[(day - 1) % 7] for day in self._exceptions)
        self._shift = list(accumulate(differences, initial=0))  # what the exceptions before each one change
        self._after = [
            self._regular(day + 1) + shift
            for day, shift in zip(self._exceptions, self._shift[1:], strict=True)
        ]

    def _regular(self, day: int) -> int:
        weeks, weekday = divmod(day - 1, 7)
        return weeks * self._week + self._until[weekday]

    def before(self, day: int) -> int:
        """Return what all days before `day` add up to."""
        return self._regular(day) + self._shift[bisect_left(self._exceptions, day)]

    def reaching(self, total: int) -> int:
        """Return the first day by whose end the total is reached."""
        number = bisect_left(self._after, total)
        weeks, rest = divmod(total - self._shift[number] - 1, self._week)
        day = weeks * 7 + bisect_left(self._until, rest + 1)
        if number < len(self._exceptions):  # it is reached by the end of this exception, or before it
            return min(day, self._exceptions[number])
        return day
