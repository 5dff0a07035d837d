"""Count the days whose tickets changed, for the whole desk and for each department, process, person and so on.

A day is always counted anew from the tickets, never added to: so it does not matter how often it is counted, or what
was changed meanwhile.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from ..enums import Scope
from ..models import CountingMark, DailyCounts, DirtyDay, Ticket
from ..record.days import bounds, day_of
from .measures import ALL, COLUMNS, Measure

Counts = dict[str, dict[str, int]]
"""Maps each measure to the count of each of its parts."""
Place = tuple[str, str]
"""A scope, and the value that its tickets have."""

MARK = "daily counts"
SECONDS = 20
AT_ONCE = 28
"""How many days are counted together when all are: each measure then takes one query for four weeks."""


def count_dirty(*, seconds: float = SECONDS) -> int:
    """Count the days that are marked now, the latest first, until `seconds` are over; the next run goes on. Returns how
    many days were counted. Does nothing while another process counts.

    Marks that come meanwhile are left to the next run: on a busy desk today is marked all the time, and earlier days
    would never have their turn.
    """
    until, now, count = monotonic() + seconds, timezone.now(), 0
    CountingMark.objects.get_or_create(name=MARK)
    days = _dirty_days()
    for day in days:
        if (count and monotonic() >= until) or not _count_if_free([day]):
            return count
        count += 1
    CountingMark.objects.filter(name=MARK).update(at=now)
    return count


def up_to_date_at() -> datetime | None:
    """Return when all counts were last up to date. One query."""
    return CountingMark.objects.filter(name=MARK).values_list("at", flat=True).first()


def count_all() -> Iterator[date]:
    """Count every day again, since the first ticket and wherever something is stored. Yields each day when it is
    counted."""
    now = timezone.now()
    CountingMark.objects.get_or_create(name=MARK)
    days = all_days()[::-1]
    for number in range(0, len(days), AT_ONCE):
        some = days[number : number + AT_ONCE]
        _count_if_free(some, waits=True)
        yield from some
    CountingMark.objects.filter(name=MARK).update(at=now)


def all_days() -> list[date]:
    """Return the days from that of the first ticket until today, and those of which counts are stored, in order."""
    days = set(DailyCounts.objects.order_by().values_list("day", flat=True).distinct())
    first = Ticket.objects.aggregate(first=Min("created_at"))["first"]
    if first is not None:
        begin, today = day_of(first), day_of(timezone.now())
        days.update(begin + timedelta(days=n) for n in range((today - begin).days + 1))
    return sorted(days)


def counts_of(day: date) -> dict[Place, Counts]:
    """Count the day from the tickets, whatever is stored. One query for each measure."""
    return counts_between(day, day).get(day, {})


def counts_between(first: date, last: date) -> dict[date, dict[Place, Counts]]:
    """Count each of these days that has anything to count. One query for each measure, however many days they are."""
    found: dict[date, dict[Place, Counts]] = {}
    for measure in ALL:
        for (day, place, part), count in _counted(measure, bounds(first)[0], bounds(last)[1]).items():
            found.setdefault(day, {}).setdefault(place, {}).setdefault(measure.key, {})[part] = count
    return found


def _counted(measure: Measure, start: datetime, end: datetime) -> Counter[tuple[date, Place, str]]:
    """Count the rows of the measure by their day, by each place that counts them, and by their part."""
    found: Counter[tuple[date, Place, str]] = Counter()
    columns = {
        scope: measure.to_ticket + column for scope, column in COLUMNS.items() if scope in measure.scopes
    }
    rows = measure.rows(start, end).values_list(measure.moment, *columns.values(), *measure.reads)
    is_of_desk = Scope.DESK in measure.scopes
    for moment, *row in rows.iterator(chunk_size=2000):
        day, part = day_of(moment), measure.part_of(*row[len(columns) :])
        if is_of_desk:
            found[day, (Scope.DESK, ""), part] += 1
        for scope, value in zip(columns, row, strict=False):
            found[day, (scope, "" if value is None else str(value)), part] += 1
    return found


def _dirty_days() -> list[date]:
    return list(DirtyDay.objects.order_by("-day").values_list("day", flat=True).distinct())


@transaction.atomic
def _count_if_free(days: Collection[date], *, waits: bool = False) -> bool:
    """Count the days and store the counts, under the lock of the mark. Returns whether this process got the lock, for
    which it `waits` or not. Days between these are counted, too, but not stored.

    The marks are deleted before the tickets are read: a change that is committed meanwhile has a mark of its own.
    """
    rows = CountingMark.objects.select_for_update(
        skip_locked=not waits and connection.features.has_select_for_update_skip_locked
    )
    if not rows.filter(name=MARK):
        return False
    DirtyDay.objects.filter(day__in=days).delete()
    counts = counts_between(min(days), max(days))
    stored = DailyCounts.objects.filter(day__in=days)
    frozen = set(stored.filter(is_frozen=True).values_list("day", flat=True))
    stored.exclude(day__in=frozen).delete()
    DailyCounts.objects.bulk_create(
        DailyCounts(day=day, scope=scope, value=value, zone=settings.DESK_TIME_ZONE, counts=each)
        for day in days
        if day not in frozen
        for (scope, value), each in counts.get(day, {}).items()
    )
    return True
