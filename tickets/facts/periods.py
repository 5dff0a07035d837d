"""Ranges of days that reports compare."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

LONGEST = 366


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    @classmethod
    def ending(cls, last: date, *, days: int) -> "Period":
        return cls(last - timedelta(days=days - 1), last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """The period of as many days that ends the day before this one begins."""
        return Period.ending(self.first - timedelta(days=1), days=self.days)

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def steps(self, size: int) -> Iterator["Period"]:
        """Yield the parts of `size` days, the earliest first. The last one ends on the last day; the first may be
        shorter."""
        count = -(-self.days // size)
        for back in range(count - 1, -1, -1):
            last = self.last - timedelta(days=back * size)
            yield Period(max(self.first, last - timedelta(days=size - 1)), last)
