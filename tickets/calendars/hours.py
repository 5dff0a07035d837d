"""Opening hours of a week in a time zone, with other hours on single days and closures."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from .base import Part
from .weeks import DailyAmounts
from .zones import DAY, EPOCH_ORDINAL, MICROSECOND, SECOND, micros, moment_at, offsets_of

Hours = tuple[tuple[int, int], ...]
"""The opening hours of one day: (begin, end) in seconds since its midnight. An end after 86 400 lies on the next day,
and its time belongs to the day on which it began."""

Closure = tuple[datetime, datetime, str]
"""From, until, and what it is called. Naive datetimes: what the clock on the wall of the zone shows."""

FULL_DAY: Hours = ((0, 86_400),)


def hours_between(*times: tuple[str, str]) -> Hours:
    """Return opening hours from pairs such as ("09:00", "17:30"). "24:00" is the midnight after; an end that is not
    after its beginning lies on the next day. Raises ValueError for other texts."""
    result = []
    for begin, end in times:
        first, last = _seconds(begin), _seconds(end)
        result.append((first, last if last > first else last + 86_400))
    return tuple(sorted(result))


def _seconds(text: str) -> int:
    hour, minute, *second = (int(part) for part in text.split(":"))
    total = hour * 3600 + minute * 60 + sum(second[:1])
    valid = len(second) <= 1 and hour >= 0 and 0 <= minute < 60 and 0 <= sum(second) < 60 and total <= 86_400
    if not valid:
        raise ValueError(text)
    return total


class WorkingHours:
    """Time counts during opening hours only. It is real time: a skipped hour does not exist, a repeated one counts
    twice.

    `week` has the hours of Monday to Sunday. `days` replaces those of single days: none on a holiday, others on an
    extra day. `closures` take out what lies within them, also of hours that began the day before. `names` says why a
    day is closed, for explanations. Raises NoWorkingTime if the week has no hours.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        week: Sequence[Hours],
        *,
        days: Mapping[date, Hours] | None = None,
        closures: Iterable[Closure] = (),
        names: Mapping[date, str] | None = None,
    ) -> None:
        self.zone = zone
        self._offsets = offsets_of(zone)
        own = {day.toordinal(): hours for day, hours in (days or {}).items()}
        self._names = {day.toordinal(): name for day, name in (names or {}).items()}
        self._opens = [bool(hours) for hours in week]
        self._opens_on = {day: bool(hours) for day, hours in own.items()}

        def starting_on(day: int) -> Hours:
            return own.get(day, week[(day - 1) % 7])

        self._week = [_within_a_day(week[day], week[day - 1]) for day in range(7)]
        self._days = {
            day: _within_a_day(starting_on(day), starting_on(day - 1))
            for begin in own
            for day in (begin, begin + 1)
        }
        self._closures: list[tuple[int, int, str]] = []  # in local time
        for start, end, name in sorted(closures):
            self._close(start, end, name)
        self._amounts = DailyAmounts(
            [_length(hours) for hours in self._week],
            {day: _length(hours) for day, hours in self._days.items()},
        )

    def _close(self, start: datetime, end: datetime, name: str) -> None:
        begin, finish = _wall(start), _wall(end)
        self._closures.append((begin, finish, name))
        day = start.toordinal()
        while (midnight := (day - EPOCH_ORDINAL) * DAY) < finish:
            self._days[day] = _without(self._hours_on(day), begin - midnight, finish - midnight)
            day += 1

    def _hours_on(self, day: int) -> list[tuple[int, int]]:
        """Return the open pieces between the two midnights of a day, in microseconds."""
        found = self._days.get(day)
        return self._week[(day - 1) % 7] if found is None else found

    def _total(self, local: int) -> int:
        """Return how much the clock on the wall has shown of opening hours until a local time."""
        day, time = divmod(local, DAY)
        day += EPOCH_ORDINAL
        return self._amounts.before(day) + sum(
            min(end, time) - begin for begin, end in self._hours_on(day) if begin < time
        )

    def _reaching(self, total: int) -> int:
        """Return the first local time at which `_total` is reached."""
        day = self._amounts.reaching(total)
        left = total - self._amounts.before(day)
        midnight = (day - EPOCH_ORDINAL) * DAY
        for begin, end in self._hours_on(day):
            if left <= end - begin:
                return midnight + begin + left
            left -= end - begin
        raise AssertionError(day)  # the day is long enough, or it would not have been found

    def begins(self, start: datetime) -> datetime:
        return start

    def add(self, start: datetime, duration: timedelta) -> datetime:
        moment, left = micros(start), duration // MICROSECOND
        if left <= 0:
            return moment_at(moment)
        offsets = self._offsets
        number = offsets.stretch(moment)
        total = self._total(moment + offsets.offsets[number])
        while number < len(offsets.changes):  # what the clock shows is real time until the offset changes
            change = offsets.changes[number]
            there = self._total(change + offsets.offsets[number])
            if there - total >= left:
                break
            left -= there - total
            number += 1
            total = self._total(change + offsets.offsets[number])
        return moment_at(self._reaching(total + left) - offsets.offsets[number])

    def between(self, start: datetime, end: datetime) -> timedelta:
        begin, finish = micros(start), micros(end)
        if finish <= begin:
            return timedelta()
        offsets = self._offsets
        number, last = offsets.stretch(begin), offsets.stretch(finish)
        counted = -self._total(begin + offsets.offsets[number])
        for change in offsets.changes[number:last]:
            counted += self._total(change + offsets.offsets[number])
            number += 1
            counted -= self._total(change + offsets.offsets[number])
        return timedelta(microseconds=counted + self._total(finish + offsets.offsets[last]))

    def is_open(self, moment: datetime) -> bool:
        day, time = divmod(self._offsets.local(micros(moment)), DAY)
        return any(begin <= time < end for begin, end in self._hours_on(day + EPOCH_ORDINAL))

    def next_open(self, moment: datetime) -> datetime:
        # A microsecond of opening hours later, one microsecond back: the beginning of those hours.
        return self.add(moment, MICROSECOND) - MICROSECOND

    def opens_on(self, day: date) -> bool:
        """Whether opening hours begin on a day; those that began the day before do not count."""
        found = self._opens_on.get(day.toordinal())
        return self._opens[day.weekday()] if found is None else found

    def working_days_later(self, start: datetime, days: int) -> datetime:
        """Return the moment `days` days with opening hours after that of `start`, at the same local time."""
        amounts = DailyAmounts(self._opens, {day: int(opens) for day, opens in self._opens_on.items()})
        day, time = divmod(self._offsets.local(micros(start)), DAY)
        last = amounts.reaching(amounts.before(day + EPOCH_ORDINAL + 1) + days)
        return moment_at(self._offsets.moment((last - EPOCH_ORDINAL) * DAY + time))

    def parts(self, start: datetime, end: datetime) -> Iterator[Part]:
        begin, finish = micros(start), micros(end)
        if begin >= finish:
            return
        part: Part | None = None
        for first, last, is_open, reason in self._pieces(begin, finish):
            if part and part.is_open is is_open and part.reason == reason:
                part = Part(part.start, moment_at(last), is_open, reason)
                continue
            if part:
                yield part
            part = Part(moment_at(first), moment_at(last), is_open, reason)
        if part:
            yield part

    def _pieces(self, begin: int, finish: int) -> Iterator[tuple[int, int, bool, str]]:
        """Cut the time between two moments at every midnight, opening, closing and change of the offset."""
        offsets = self._offsets
        while begin < finish:
            number = offsets.stretch(begin)
            until = min([finish, *offsets.changes[number : number + 1]])
            offset = offsets.offsets[number]
            day, time = divmod(begin + offset, DAY)
            midnight = day * DAY
            until = min(until, midnight + DAY - offset)
            hours = self._hours_on(day + EPOCH_ORDINAL)
            edges = [edge for pair in hours for edge in pair] + [
                edge - midnight for edge in self._edges(midnight)
            ]
            later = [midnight + edge - offset for edge in edges if edge > time]
            until = min([until, *later])
            is_open = any(first <= time < last for first, last in hours)
            yield begin, until, is_open, "" if is_open else self._reason(day + EPOCH_ORDINAL, begin + offset)
            begin = until

    def _edges(self, midnight: int) -> list[int]:
        """Return where closures begin and end on the day that begins at a local midnight."""
        return [
            edge
            for first, last, _name in self._closures
            for edge in (first, last)
            if midnight <= edge < midnight + DAY
        ]

    def _reason(self, day: int, local: int) -> str:
        number = bisect_right(self._closures, (local, 1 << 62, ""))
        for first, last, name in reversed(self._closures[:number]):
            if first <= local < last:
                return name
        return self._names.get(day, "")


def _wall(local: datetime) -> int:
    return (local.replace(tzinfo=None) - datetime(1970, 1, 1)) // MICROSECOND  # noqa: DTZ001 — time on a wall


def _length(pieces: Iterable[tuple[int, int]]) -> int:
    return sum(end - begin for begin, end in pieces)


def _within_a_day(own: Hours, before: Hours) -> list[tuple[int, int]]:
    """Return the open pieces of a day in microseconds: its own hours until midnight, and what the day before left.
    Pieces that touch or overlap become one, so that no time counts twice."""
    pieces = [(begin, min(end, 86_400)) for begin, end in own]
    pieces += [(max(begin - 86_400, 0), end - 86_400) for begin, end in before if end > 86_400]
    result: list[tuple[int, int]] = []
    for begin, end in sorted(pieces):
        if end <= begin:
            continue
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((begin, end))
    return [(begin * SECOND, end * SECOND) for begin, end in result]


def _without(pieces: Iterable[tuple[int, int]], begin: int, end: int) -> list[tuple[int, int]]:
    result = []
    for first, last in pieces:
        result += [(first, min(last, begin)), (max(first, end), last)]
    return [(first, last) for first, last in result if first < last]
