"""Read the daily counts of a range of days, and add them up."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import QuerySet

from ..enums import Scope
from ..models import DailyCounts
from ..record.days import bounds, day_of
from ..sla import FAR_FUTURE
from .histogram import quantile
from .measures import COLUMNS, MEASURES, OF_THE_DESK, Measure

Parts = Mapping[str, int]
EVER = (datetime(2000, 1, 1, tzinfo=UTC), FAR_FUTURE)


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


def totals_by_value(
    first: date, last: date, *, scope: str, chosen: Mapping[str, Any] | None = None
) -> dict[str, Totals]:
    """Return the totals of each value of a scope that has any: of each department, of each person.

    One query. With `chosen` values of other scopes it costs what `totals_by_day` does for two.
    """
    if chosen:
        column = COLUMNS[scope]
        counted = _counted(first, last, chosen, OF_THE_DESK, column=column)
        return {"" if value is None else str(value): added([each]) for value, each in counted.items()}
    found: dict[str, list[Mapping[str, Parts]]] = {}
    for value, counts in _rows(first, last, scope).values_list("value", "counts"):
        found.setdefault(value, []).append(counts)
    return {value: added(each) for value, each in found.items()}


def count_by_value(measure: str, first: date, last: date, *, scope: str) -> Counter[str]:
    """Return how often the measure was counted for each value of a scope. One query, which reads no other measure."""
    found: Counter[str] = Counter()
    for value, parts in _rows(first, last, scope).values_list("value", f"counts__{measure}"):
        found[value] += sum((parts or {}).values())
    return found


def count_parts(
    measure: str, first: date, last: date, *, scopes: Collection[str]
) -> dict[tuple[str, str], Counter[str]]:
    """Return how often each part of the measure was counted, for each value of these scopes. One query, which reads no
    other measure."""
    days = DailyCounts.objects.filter(scope__in=scopes, day__range=(first, last)).order_by()
    found: dict[tuple[str, str], Counter[str]] = {}
    for scope, value, parts in days.values_list("scope", "value", f"counts__{measure}"):
        found.setdefault((scope, value), Counter()).update(parts or {})
    return found


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
    total: dict[str, Counter[str]] = {}
    for each in counts:
        for measure, parts in each.items():
            total.setdefault(measure, Counter()).update(parts)
    return Totals(total)


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
