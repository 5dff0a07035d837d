"""Deadlines in whole days, as laws and contracts count them."""

from calendar import monthrange
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .base import Part
from .weeks import DailyAmounts
from .zones import micros, moment_at

MONDAY_TO_FRIDAY = frozenset(range(5))
LAST_SECOND = time(23, 59, 59)


class DayCount:
    """Counts days from the day after the event; the deadline is 23:59:59 of the last day, in the zone.

    `only_working`: non-working days are not counted. `rolls`: a deadline on a non-working day moves to the next
    working one. With neither, every day counts. Spanish law has all three (Ley 39/2015 art. 30.2 and 30.5; Código
    Civil art. 5; Regulation (EEC) 1182/71 art. 3).
    """

    def __init__(
        self,
        zone: ZoneInfo,
        *,
        holidays: Collection[date] = (),
        working: Collection[int] = MONDAY_TO_FRIDAY,
        only_working: bool = False,
        rolls: bool = False,
    ) -> None:
        """`working` has the weekdays that are worked, Monday is 0. Raises NoWorkingTime if there are none."""
        self.zone = zone
        self.only_working = only_working
        self.rolls = rolls
        self._working = DailyAmounts(
            [int(weekday in working) for weekday in range(7)], {day.toordinal(): 0 for day in holidays}
        )

    def last_day(self, event: date, days: int) -> date:
        """Return the day on which a deadline of `days` days ends that begins with `event`."""
        if self.only_working:
            return self._nth_working_day_after(event, days)
        return self._rolled(event + timedelta(days=days))

    def last_day_of_months(self, event: date, months: int) -> date:
        """Return the day with the number of the event's, `months` months later; the last of the month if it has none
        (Ley 39/2015 art. 30.4)."""
        year, month = divmod(event.year * 12 + event.month - 1 + months, 12)
        last = monthrange(year, month + 1)[1]
        return self._rolled(date(year, month + 1, min(event.day, last)))

    def counts(self, day: date) -> bool:
        """Whether a day is counted."""
        return not self.only_working or self.counted(day - timedelta(days=1), day) == 1

    def counted(self, after: date, until: date) -> int:
        """Return how many days are counted after one day, up to and including another."""
        if not self.only_working:
            return (until - after).days
        return self._working.before(until.toordinal() + 1) - self._working.before(after.toordinal() + 1)

    def due(self, last_day: date) -> datetime:
        """Return the last second of a day, in UTC."""
        end = datetime.combine(last_day, LAST_SECOND, tzinfo=self.zone)
        return moment_at(micros(end.replace(fold=1)))

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def _rolled(self, day: date) -> date:
        return self._nth_working_day_after(day - timedelta(days=1), 1) if self.rolls else day

    def _nth_working_day_after(self, day: date, number: int) -> date:
        if number <= 0:
            return day
        total = self._working.before(day.toordinal() + 1) + number
        return date.fromordinal(self._working.reaching(total))


class CountedDays:
    """The calendar of a clock that counts days: each day that counts adds one day at its last second.

    So a pause leaves out the days at whose end the clock is paused, and a pause within a day changes nothing. The day
    on which a promise begins is not counted.
    """

    def __init__(self, count: DayCount, names: Mapping[date, str] | None = None) -> None:
        """`names` says why a day is not counted, for explanations."""
        self._count = count
        self._names = names or {}

    def begins(self, start: datetime) -> datetime:
        return max(start, self._count.due(self._count.day_of(start)))

    def add(self, start: datetime, duration: timedelta) -> datetime:
        if duration <= timedelta():
            return start
        return self._count.due(self._count.last_day(self._ended(start), duration.days))

    def between(self, start: datetime, end: datetime) -> timedelta:
        if end <= start:
            return timedelta()
        return timedelta(days=self._count.counted(self._ended(start), self._ended(end)))

    def next_open(self, moment: datetime) -> datetime:
        """Return the first moment of a day that counts."""
        day = self._count.day_of(moment)
        if self._count.counts(day):
            return moment
        while not self._count.counts(day):
            day += timedelta(days=1)
        return self._count.due(day - timedelta(days=1)) + timedelta(seconds=1)

    def parts(self, start: datetime, end: datetime) -> Iterator[Part]:
        part: Part | None = None
        while start < end:
            day = self._count.day_of(start)
            until = min(end, self._count.due(day) + timedelta(seconds=1))
            is_open = self._count.counts(day)
            reason = "" if is_open else self._names.get(day, "")
            if part and (part.is_open, part.reason) == (is_open, reason):
                part = Part(part.start, until, is_open, reason)
            else:
                if part:
                    yield part
                part = Part(start, until, is_open, reason)
            start = until
        if part:
            yield part

    def _ended(self, moment: datetime) -> date:
        """Return the last day that has ended at `moment`."""
        day = self._count.day_of(moment)
        return day if self._count.due(day) <= moment else day - timedelta(days=1)
