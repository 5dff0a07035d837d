"""Read the daily counts of a range of days, and add them up."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from django.db.models import Aggregate, IntegerField, JSONField, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from ..enums import Scope
from ..models import DailyCounts
from ..record.days import bounds, day_of
from ..sla import FAR_FUTURE
from .histogram import quantile
from .measures import COLUMNS, MEASURES, OF_THE_DESK, Measure

Parts = Mapping[str, int]
EVER = (datetime(2000, 1, 1, tzinfo=UTC), FAR_FUTURE)


class Collected(Aggregate):
    """All values of a JSON expression as one list, which costs much less to read than as many rows."""

    function = "JSONB_AGG"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:
        return super().as_sql(
            compiler, connection, template="JSON_GROUP_ARRAY(JSON(%(expressions)s))", **extra
        )


@dataclass(frozen=True)
class Totals:
    """Holds what was counted in a range of days: `counts` maps each measure to the count of each of its parts."""

    counts: Mapping[str, Parts]

    def parts(self, measure: str) -> Parts:
        return self.counts.get(measure, {})

    def count(self, measure: str) -> int:
        return sum(self.parts(measure).values())

    def share(self, part: str, *rest: str) -> float | None:
        """Return which share of the counts of all these measures the first one has, from 0 to 1; None if nothing was
        counted."""
        total = sum(self.count(measure) for measure in (part, *rest))
        return self.count(part) / total if total else None

    def quantile(self, measure: str, share: float) -> float | None:
        """Return the seconds that this share of the measure's durations do not exceed, None without any."""
        return quantile({part: n for part, n in self.parts(measure).items() if part}, share)

    def mean(self, measure: str) -> float | None:
        """Return the mean of a measure whose parts are numbers, such as scores."""
        count = self.count(measure)
        return sum(int(part) * n for part, n in self.parts(measure).items()) / count if count else None


def totals(first: date, last: date, *, scope: str = Scope.DESK, value: str = "") -> Totals:
    """Return the totals of the days from `first` to `last`, of the whole desk or of one value of a scope. One query."""
    return added(_rows(first, last, scope).filter(value=value).values_list("counts", flat=True))


def totals_by_day(
    first: date,
    last: date,
    *,
    chosen: Mapping[str, Any] | None = None,
    measures: Collection[Measure] = OF_THE_DESK,
) -> dict[date, Totals]:
    """Return the totals of each day that has any, of the tickets that have the `chosen` value of each scope.

    One query. Two scopes or more are counted from the tickets of the days, with a query for each of the `measures`:
    there may be very many, so call it inside `time_limit`.
    """
    chosen = chosen or {}
    if len(chosen) > 1:
        return {day: added([each]) for day, each in _counted(first, last, chosen, measures).items()}
    scope, value = next(iter(chosen.items()), (Scope.DESK, None))
    rows = _rows(first, last, scope).filter(value="" if value is None else str(value))
    return {day: Totals(counts) for day, counts in rows.values_list("day", "counts")}


def counts_by_value(
    first: date,
    last: date,
    *,
    scope: str,
    measures: Collection[Measure],
    chosen: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, int]]:
    """Return how often each of the `measures` was counted, for each value of a scope that has any.

    One query, in which the database adds up: a range may have thousands of rows. With `chosen` values of other scopes
    it costs what `totals_by_day` does for two.
    """
    keys = [measure.key for measure in measures]
    if chosen:
        counted = _counted(first, last, chosen, measures, column=COLUMNS[scope])
        return {
            "" if value is None else str(value): {key: sum(each.get(key, {}).values()) for key in keys}
            for value, each in counted.items()
        }
    rows = _rows(first, last, scope).values("value").annotate(**{each.key: _all(each) for each in measures})
    return {
        value: {key: _count(each) for key, each in zip(keys, found, strict=True)}
        for value, *found in rows.values_list("value", *keys)
    }


def _all(measure: Measure) -> Aggregate:
    """Return the aggregate of the counts of all days: their sum for a measure that reads nothing and so has one part,
    whose name is empty; else a list of them. SQLite before 3.38 refuses a path with an empty name."""
    parts = KeyTransform(measure.key, "counts")
    if measure.reads or connection.vendor == "sqlite":
        return Collected(parts)
    return Sum(Cast(KeyTextTransform("", parts), IntegerField()))


def _count(found: int | list[Parts | None] | None) -> int:
    if isinstance(found, list):
        return sum(sum(parts.values()) for parts in found if parts)
    return found or 0


def count_parts(
    measure: str, first: date, last: date, *, scopes: Collection[str]
) -> dict[tuple[str, str], Parts]:
    """Return how often each part of the measure was counted, for each value of these scopes. One query, which reads no
    other measure."""
    days = DailyCounts.objects.filter(scope__in=scopes, day__range=(first, last)).order_by()
    rows = days.values("scope", "value").annotate(all=Collected(KeyTransform(measure, "counts")))
    return {
        (scope, value): _sum(filter(None, each))
        for scope, value, each in rows.values_list("scope", "value", "all")
    }


def open_by_day(*, chosen: Mapping[str, Any] | None = None) -> dict[date, Parts]:
    """Return how many tickets that arrived on each day are open now, by their stage, of the days that have any. One
    query."""
    chosen = chosen or {}
    if len(chosen) > 1:
        found: dict[date, Counter[str]] = {}
        rows = MEASURES["open"].chosen_rows(*EVER, chosen).values_list("created_at", "stage")
        for moment, stage in rows:
            found.setdefault(day_of(moment), Counter())[stage] += 1
        return dict(found)
    scope, value = next(iter(chosen.items()), (Scope.DESK, None))
    days = DailyCounts.objects.filter(scope=scope, value="" if value is None else str(value))
    return dict(days.filter(counts__has_key="open").values_list("day", "counts__open"))


def added(counts: Iterable[Mapping[str, Parts]]) -> Totals:
    """Add up counts part by part."""
    by_measure: dict[str, list[Parts]] = defaultdict(list)
    for each in counts:
        for measure, parts in each.items():
            by_measure[measure].append(parts)
    return Totals({measure: _sum(each) for measure, each in by_measure.items()})


def _sum(counts: Iterable[Parts]) -> Parts:
    """Add up the counts of each part."""
    total: dict[str, int] = defaultdict(int)
    for parts in counts:
        for part, count in parts.items():
            total[part] += count
    return dict(total)


def _counted(
    first: date, last: date, chosen: Mapping[str, Any], measures: Collection[Measure], *, column: str = ""
) -> dict[Any, dict[str, Counter[str]]]:
    """Count the tickets themselves, by the day or, if a `column` of the ticket is given, by its values."""
    found: dict[Any, dict[str, Counter[str]]] = {}
    start, end = bounds(first)[0], bounds(last)[1]
    for measure in measures:
        by = measure.to_ticket + column if column else measure.moment
        rows = measure.chosen_rows(start, end, chosen).values_list(by, *measure.reads)
        for value, *values in rows.iterator(chunk_size=2000):
            place = value if column else day_of(value)
            counts = found.setdefault(place, {}).setdefault(measure.key, Counter())
            counts[measure.part_of(*values)] += 1
    return found


def _rows(first: date, last: date, scope: str) -> "QuerySet[DailyCounts]":
    return DailyCounts.objects.filter(scope=scope, day__range=(first, last)).order_by()
