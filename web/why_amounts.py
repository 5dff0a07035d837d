"""Write the amounts of «¿Por qué esta fecha?»: as its clock counts them, and so rounded that they add up."""

from datetime import datetime, timedelta

from django.utils.translation import ngettext

from content.dates import short_date
from tickets.enums import TargetUnit
from tickets.explanation import Explanation
from tickets.models import Clock

from .wording import MINUTE, days_and_minutes, hours_and_minutes

KINDS = {"counted": "count", "paused": "pause", "left": "next", "unused": "unused", "closed": "skip"}
"""The kind of a box for each kind of `Told`."""
DAY = timedelta(days=1)


def amount_in_words(found: Explanation, amount: timedelta) -> str:
    return counted(found.clock, amount)


def left_in_words(found: Explanation) -> str:
    """Return the time that is left, in minutes rounded up: with the time used, rounded down, it makes the target."""
    return amount_in_words(found, rounded_up(found.left))


def rounded_up(amount: timedelta) -> timedelta:
    return -(-amount // MINUTE) * MINUTE


class Minutes:
    """Rounds the amounts of one stretch after another to minutes, so that they add up to the rounded sums: what counted
    is rounded down, what is left or unused up, as in `left_in_words`. `kind` is one of `KINDS`."""

    def __init__(self, before: timedelta = timedelta()) -> None:
        """`before` is what had counted before the first stretch."""
        self._sums = {"count": before}

    def of(self, kind: str, amount: timedelta) -> timedelta:
        before = self._sums.get(kind, timedelta())
        after = self._sums[kind] = before + amount
        if kind in ("next", "unused"):
            return rounded_up(after) - rounded_up(before)
        return (after // MINUTE - before // MINUTE) * MINUTE


def counted(clock: Clock, amount: timedelta) -> str:
    """Format counting time as the clock counts it and as its target is written: in hours, in days and hours, or in
    whole days."""
    if clock.unit == TargetUnit.ELAPSED and not clock.target % DAY:
        return days_and_minutes(amount)
    if clock.unit in (TargetUnit.ELAPSED, TargetUnit.WORKING):
        return hours_and_minutes(amount)
    return ngettext("%(n)d día", "%(n)d días", amount.days) % {"n": amount.days}


def is_in_days(found: Explanation) -> bool:
    return found.clock.unit not in (TargetUnit.ELAPSED, TargetUnit.WORKING)


def range_in_words(start: datetime, end: datetime) -> str:
    """Return from when until when: «hoy, 9:00 – mié 25 nov, 10:00»."""
    return f"{short_date(start)} – {short_date(end)}"
