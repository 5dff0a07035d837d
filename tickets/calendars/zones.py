"""Time zones as tables of offsets: moments and local times as whole microseconds, so that sums are exact and quick.

A local time is counted in microseconds since 1970-01-01 00:00 on the clock on the wall of the zone.
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECOND = 1_000_000
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()
MICROSECOND = timedelta(microseconds=1)
FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Between these years changes of the offset are looked for; beyond them the nearest offset known holds."""
PROBE = 7 * DAY
"""How far apart offsets are compared: no zone changed its offset and changed it back within a week."""


class UnknownZone(ValueError):
    """No time zone has this name."""


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name. Raises UnknownZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(name) from error


def micros(moment: datetime) -> int:
    """Return the microseconds from 1970 to an aware moment."""
    return (moment - EPOCH) // MICROSECOND


def moment_at(micros: int) -> datetime:
    """Return the moment, in UTC, that many microseconds after 1970. The last that there is, if it would be later."""
    try:
        return EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


class Offsets:
    """The offsets of a zone from UTC. The stretch of time `n` ends with the change `changes[n]` and has the offset
    `offsets[n]`; the last one does not end."""

    def __init__(self, changes: list[int], offsets: list[int]) -> None:
        self.changes = changes
        self.offsets = offsets

    def stretch(self, moment: int) -> int:
        """Return the number of the stretch in which a moment lies; a change belongs to the stretch that it begins."""
        return bisect_right(self.changes, moment)

    def local(self, moment: int) -> int:
        return moment + self.offsets[self.stretch(moment)]

    def moment(self, local: int) -> int:
        """Return the moment of a local time: the first if there are two; after the change if it was skipped."""
        number = self.stretch(local - max(self.offsets))
        while number < len(self.changes) and local - self.offsets[number] >= self.changes[number]:
            number += 1
        begin = self.changes[number - 1] if number else local - self.offsets[0]
        return max(local - self.offsets[number], begin)


@lru_cache(maxsize=64)
def offsets_of(zone: ZoneInfo) -> Offsets:
    """Return the offsets of a zone. `zoneinfo` has no list of its changes, so they are found by comparing offsets."""

    def offset(moment: int) -> int:
        found = moment_at(moment).astimezone(zone).utcoffset()
        return (found or timedelta()) // MICROSECOND

    begin, end = (micros(datetime(year, 1, 1, tzinfo=UTC)) for year in (FIRST_YEAR, LAST_YEAR))
    changes: list[int] = []
    offsets = [offset(begin)]
    for probe in range(begin + PROBE, end, PROBE):
        if offset(probe) == offsets[-1]:
            continue
        before, after = probe - PROBE, probe
        while after - before > SECOND:
            middle = (before + after) // (2 * SECOND) * SECOND
            before, after = (middle, after) if offset(middle) == offsets[-1] else (before, middle)
        changes.append(after)
        offsets.append(offset(after))
    return Offsets(changes, offsets)
