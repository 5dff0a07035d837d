"""How long comparable tickets took: what people are told apart from what is promised.

The range goes from the time in which half of them ended to that in which 9 of 10 did. It is time on the wall, because
whoever asks wants to know the day.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from ..enums import Scope
from ..record.days import day_of
from .histogram import quantile, seconds_of
from .periods import Period
from .totals import Parts, count_parts

DAYS = 90
ENOUGH = 30
"""Fewer tickets say nothing."""
KEPT_SECONDS = 3600
KEY = "experience"
Place = tuple[str, str]
"""A scope, and the value that its tickets have."""


@dataclass(frozen=True)
class Experience:
    """Says that half of `count` tickets ended within `low` seconds, 9 of 10 within `high`."""

    low: float
    high: float
    count: int


def of_category(category: int | None, *, process: int) -> Experience | None:
    """Return what the tickets of a category took or, without one, those of the process; None if they are too few. One
    query in an hour, for all of them."""
    found: dict[Place, Experience] | None = cache.get(KEY)
    if found is None:
        found = _until_now()
        cache.set(KEY, found, KEPT_SECONDS)
    return found.get((Scope.CATEGORY, f"{category}") if category else (Scope.PROCESS, f"{process}"))


def in_period(
    period: Period, *, scopes: Collection[str] = (Scope.CATEGORY, Scope.PROCESS)
) -> dict[Place, Experience]:
    """Return what the tickets took that ended in the period, for each category and each process that has enough. One
    query."""
    found = {}
    for place, parts in count_parts("lasted", period.first, period.last, scopes=scopes).items():
        low, high, count = quantile(parts, 0.5), quantile(parts, 0.9), sum(parts.values())
        if count >= ENOUGH and low is not None and high is not None:
            found[place] = Experience(low, high, count)
    return found


def share_within(period: Period) -> float | None:
    """Return which share of the tickets that ended in the period took no longer than `high` of their category in the
    90 days before it. None if no category had enough tickets. Two queries."""
    scopes = (Scope.CATEGORY,)
    told = in_period(Period.ending(period.first - timedelta(days=1), days=DAYS), scopes=scopes)
    within, total = 0, 0
    for place, parts in count_parts("lasted", period.first, period.last, scopes=scopes).items():
        if experience := told.get(place):
            total += sum(parts.values())
            within += _up_to(parts, experience.high)
    return within / total if total else None


def _up_to(parts: Parts, seconds: float) -> int:
    return sum(count for part, count in parts.items() if seconds_of(int(part)) <= seconds)


def _until_now() -> dict[Place, Experience]:
    return in_period(Period.ending(day_of(timezone.now()), days=DAYS))
