"""The panel of supervisors as data for its templates: figures with what they were before, charts, and tables.

Every number carries the address of its list, which reads the same `Measure`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Department, User
from content.dates import short_day
from content.sorting import sort_key
from tickets.enums import Scope
from tickets.facts import experience
from tickets.facts.measures import MEASURES, OF_THE_DESK
from tickets.facts.periods import Period
from tickets.facts.totals import Totals, counts_by_value, open_by_day
from tickets.models import Process
from web import charts

from .report import Report, arrow, decimal, good, percent, whole, working_time

GOAL = 0.95
"""The share of promises that the desk wants to keep: the dashed line."""
PROMISES = ("resolution_kept", "resolution_broken")
MOST_PEOPLE = 12
MOST_REASONS = 8
FEW_A_DAY = 4
AGES: tuple[tuple[Promise, int, int | None, str], ...] = (
    (gettext_lazy("Hoy"), 0, 0, "f1"),
    (gettext_lazy("1 a 2 días"), 1, 2, "f1"),
    (gettext_lazy("3 a 5 días"), 3, 5, "f1"),
    (gettext_lazy("6 a 15 días"), 6, 15, "fwarn"),
    (gettext_lazy("16 a 30 días"), 16, 30, "fwarn"),
    (gettext_lazy("Más de 30"), 31, None, "fbad"),
)
SCORES = {
    5: (gettext_lazy("Muy buena"), "bar--ok"),
    4: (gettext_lazy("Buena"), "bar--ok"),
    3: (gettext_lazy("Regular"), "bar--warn"),
    2: (gettext_lazy("Mala"), "bar--bad"),
    1: (gettext_lazy("Muy mala"), "bar--bad"),
}
LINES = charts.Frame(40, 12, 660, 184, 0, 1)
COLUMNS = charts.Frame(34, 12, 440, 176, 0, 1)


@dataclass(frozen=True)
class Figure:
    """Holds a figure: its value, what it was before, the small line of its days, and the address of its list."""

    label: str
    formula: str
    value: str
    unit: str = ""
    change: str = ""
    arrow: str = ""
    good: str = ""
    """Whether the change is good: "yes", "no", or empty where it is neither."""
    note: str = ""
    spark: charts.Line | None = None
    url: str = ""


class Panel(Report):
    """Reads, beside the counts of the range, what is open and what the tables show: three queries more."""

    measures = OF_THE_DESK

    @cached_property
    def steps(self) -> list[tuple[Period, Totals]]:
        """The parts of the range that charts show: days, or weeks if there are many days or little on each."""
        is_sparse = self.period.days >= 14 and self.now.count("filed") < FEW_A_DAY * self.period.days
        size = 7 if is_sparse or self.period.days > 31 else 1
        return [(step, self.sum(step)) for step in self.period.steps(size)]

    @property
    def is_empty(self) -> bool:
        return not any(self.now.count(measure.key) for measure in OF_THE_DESK) and not self.open_days

    @cached_property
    def open_days(self) -> Mapping[date, int]:
        found = open_by_day(chosen=self.chosen)
        return {day: sum(stages.values()) for day, stages in found.items()}

    # --- Figures --------------------------------------------------------------------------------------------

    def figures(self, *, elevated: int | None = None) -> list[Figure]:
        """Return the figures of the range. `elevated` is how many open tickets are elevated now, if it is known."""
        now = "" if elevated is None else _("meta 0; abiertos ahora: %(n)s") % {"n": elevated}
        return [
            self._counted("filed"),
            self._counted("resolved", more_is="yes"),
            self._rejected(),
            self._time("answered"),
            self._time("resolved", label=_("Tiempo de resolución")),
            self._kept("response", _("Primera respuesta a tiempo")),
            self._kept("resolution", _("Resolución a tiempo")),
            self._satisfaction(),
            self._counted("reopened", more_is="no"),
            self._counted("nonconformities", more_is="no"),
            self._counted("elevated", more_is="no", note=now),
        ]

    def _counted(self, key: str, *, more_is: str = "", note: str = "") -> Figure:
        count, was = self.now.count(key), self.before.count(key)
        change = _times_or_percent(count, was) if was else ""
        measure = MEASURES[key]
        return Figure(
            str(measure.label),
            str(measure.formula),
            whole(count),
            change=change if count != was else "",
            arrow=arrow(count - was),
            good=good(count - was, more_is) if was else "",
            note=note or _("antes %(n)s") % {"n": whole(was)},
            spark=charts.spark([each.count(key) for _step, each in self.steps]),
            url=self.list_of(key),
        )

    def _rejected(self) -> Figure:
        share, was = (each.share("rejected", "resolved") for each in (self.now, self.before))
        measure = MEASURES["rejected"]
        return Figure(
            str(measure.label),
            str(measure.formula),
            whole(self.now.count("rejected")),
            unit=percent(share) if share is not None else "",
            **_points(share, was, more_is="no"),
            note=_("antes %(n)s") % {"n": percent(was)},
            spark=charts.spark([each.count("rejected") for _step, each in self.steps]),
            url=self.list_of("rejected"),
        )

    def _time(self, key: str, *, label: str = "") -> Figure:
        middle, was = (each.quantile(key, 0.5) for each in (self.now, self.before))
        slow, measure = self.now.quantile(key, 0.9), MEASURES[key]
        moved = middle - was if middle is not None and was is not None else 0
        return Figure(
            label or str(measure.label),
            str(measure.formula),
            working_time(middle),
            change=working_time(abs(moved)) if abs(moved) >= 60 else "",
            arrow=arrow(moved),
            good=good(moved, "no"),
            note=_("mediana; 9 de 10 en %(time)s") % {"time": working_time(slow)} if slow is not None else "",
            spark=charts.spark([each.quantile(key, 0.5) for _step, each in self.steps]),
            url=self.list_of(key),
        )

    def _kept(self, promise: str, label: str) -> Figure:
        names = (f"{promise}_kept", f"{promise}_broken")
        share, was = (each.share(*names) for each in (self.now, self.before))
        broken = self.now.count(names[1])
        return Figure(
            label,
            _("Plazos cumplidos, entre los que se cumplieron y los que vencieron en el período. ")
            + str(MEASURES[names[1]].formula),
            percent(share),
            **_points(share, was, more_is="yes"),
            note=ngettext("%(n)s vencido; meta %(goal)s", "%(n)s vencidos; meta %(goal)s", broken)
            % {"n": whole(broken), "goal": percent(GOAL, digits=0)},
            spark=charts.spark([each.share(*names) for _step, each in self.steps]),
            url=self.list_of(names[1]),
        )

    def usual(self) -> dict[str, str]:
        """Return how often tickets took no longer than was told from experience: of the whole desk, whatever is
        chosen. Empty if too few tickets tell."""
        share = experience.share_within(self.period)
        if share is None:
            return {}
        return {
            "share": percent(share),
            "formula": _(
                "Tickets resueltos en el tiempo que se dice de su categoría: aquel en que terminaron 9 de 10 en los 90 "
                "días anteriores al período. Solo categorías con 30 casos o más, de toda la mesa."
            ),
        }

    def _satisfaction(self) -> Figure:
        mean, was = (each.mean("surveys") for each in (self.now, self.before))
        moved = mean - was if mean is not None and was is not None else 0
        measure = MEASURES["surveys"]
        return Figure(
            str(measure.label),
            str(measure.formula),
            "–" if mean is None else decimal(mean),
            unit=_("de 5") if mean is not None else "",
            change=decimal(abs(moved)) if abs(moved) >= 0.05 else "",
            arrow=arrow(moved),
            good=good(moved, "yes"),
            note=ngettext("%(n)s respuesta", "%(n)s respuestas", self.now.count("surveys"))
            % {"n": whole(self.now.count("surveys"))},
            spark=charts.spark([each.mean("surveys") for _step, each in self.steps]),
            url=self.list_of("surveys"),
        )

    # --- Charts ---------------------------------------------------------------------------------------------

    def compliance(self) -> dict[str, Any]:
        """Return the two lines of kept promises with their goal, and the table behind them."""
        shares = {
            promise: [each.share(f"{promise}_kept", f"{promise}_broken") for _step, each in self.steps]
            for promise in ("response", "resolution")
        }
        known = [value for values in shares.values() for value in values if value is not None]
        low = min([0.9, *(int(value * 20) / 20 for value in known)])
        frame = charts.Frame(LINES.left, LINES.top, LINES.width, LINES.height, low, 1)
        names = (("response", _("Primera respuesta"), "1"), ("resolution", _("Resolución"), "3"))
        lines = [
            {
                "label": label,
                "stroke": f"s{color}",
                "fill": f"f{color}",
                "line": charts.line(shares[key], frame),
                "marks": [
                    {
                        "point": point,
                        "text": f"{label}, {self._step_name(self.steps[point.index][0])}: "
                        f"{percent(shares[key][point.index])}",
                        "url": self.list_of(f"{key}_broken", self.steps[point.index][0]),
                    }
                    for point in charts.line(shares[key], frame).points
                ],
                "last": percent(next((v for v in reversed(shares[key]) if v is not None), None)),
            }
            for key, label, color in names
        ]
        rows = [
            {
                "name": self._step_name(step),
                "cells": [
                    {"text": percent(each.share(f"{key}_kept", f"{key}_broken")),
                     "url": self.list_of(f"{key}_broken", step) if each.count(f"{key}_broken") else ""}
                    for key in ("response", "resolution")
                ],
            }
            for step, each in self.steps
        ]  # fmt: skip
        return {
            "lines": lines,
            "headings": [label for _key, label, _color in names],
            "goal": {
                "y": charts.number(frame.y(GOAL)),
                "text": _("Meta %(n)s") % {"n": percent(GOAL, digits=0)},
            },
            "grid": [
                {"y": charts.number(frame.y(value)), "text": percent(value, digits=0)}
                for value in (low, (low + 1) / 2, 1.0)
            ],
            "names": self._axis(frame),
            "rows": rows,
            "is_empty": not known,
        }

    def flow(self) -> dict[str, Any]:
        """Return the columns of reported, resolved and rejected tickets, and the table behind them."""
        keys = (("filed", "f2"), ("resolved", "f1"), ("rejected", "f3"))
        most = max([1, *(each.count(key) for _step, each in self.steps for key, _color in keys)])
        ticks = charts.ticks(most)
        frame = charts.Frame(COLUMNS.left, COLUMNS.top, COLUMNS.width, COLUMNS.height, 0, ticks[-1])
        room = frame.width / len(self.steps)
        width = room * 0.8 / len(keys)
        columns, rows = [], []
        for number, (step, each) in enumerate(self.steps):
            cells = []
            for place, (key, color) in enumerate(keys):
                count = each.count(key)
                url = self.list_of(key, step) if count else ""
                cells.append({"text": count, "url": url})
                if count:
                    top = frame.y(count)
                    columns.append(
                        {
                            "x": charts.number(frame.left + number * room + room * 0.1 + place * width),
                            "y": charts.number(top),
                            "width": charts.number(max(width - 1, 1)),
                            "height": charts.number(frame.top + frame.height - top),
                            "color": color,
                            "url": url,
                            "text": f"{MEASURES[key].label}, {self._step_name(step)}: {count}",
                        }
                    )
            rows.append({"name": self._step_name(step), "cells": cells})
        return {
            "columns": columns,
            "headings": [MEASURES[key].label for key, _color in keys],
            "grid": [{"y": charts.number(frame.y(value)), "text": value} for value in ticks],
            "names": self._axis(frame, middle=room / 2),
            "rows": rows,
            "is_empty": not columns,
        }

    def _axis(self, frame: charts.Frame, *, middle: float = 0) -> list[dict[str, str]]:
        """Return up to five names of days below a chart, evenly spaced so that none overlap, the last among them."""
        count = len(self.steps)
        apart = max(1, -(-(count - 1) // 4))
        chosen = reversed(range(count - 1, -1, -apart))
        room = frame.width / count
        return [
            {
                "x": charts.number(frame.left + n * room + middle if middle else frame.x(n, count)),
                "text": short_day(self.steps[n][0].first),
            }
            for n in chosen
        ]

    def _step_name(self, step: Period) -> str:
        if step.days == 1:
            return short_day(step.first)
        return f"{short_day(step.first)} – {short_day(step.last)}"

    def ages(self) -> dict[str, Any]:
        """Return what is open now, by how long ago it arrived."""
        today, total = self.filters.today, sum(self.open_days.values())
        bars = []
        for label, least, most, color in AGES:
            last = today - timedelta(days=least)
            first = today - timedelta(days=most) if most is not None else date.min
            count = sum(n for day, n in self.open_days.items() if first <= day <= last)
            start = max(first, min(self.open_days, default=first))
            url = self.list_of("open", Period(start, last)) if count else ""
            bars.append({"label": str(label), "count": count, "color": color, "url": url})
        everything = Period(min(self.open_days), today) if self.open_days else None
        return {
            "total": total,
            "url": self.list_of("open", everything) if everything else "",
            "bars": _bars(bars, total),
            "formula": MEASURES["open"].formula,
        }

    @staticmethod
    def table_of(bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows of the table behind bars."""
        return [
            {
                "name": bar["label"],
                "cells": [{"text": bar["count"], "url": bar["url"]}, {"text": bar["share"]}],
            }
            for bar in bars
        ]

    def reasons(self) -> list[dict[str, Any]]:
        """Return the ends of the rejected tickets, the most frequent first."""
        parts = self.now.parts("rejected")
        definitions = Process.objects.select_related("current").in_bulk(
            {part.split(":")[0] for part in parts}
        )
        found = []
        for part, count in sorted(parts.items(), key=lambda each: -each[1])[:MOST_REASONS]:
            pk, _colon, key = part.partition(":")
            process = definitions.get(int(pk))
            stage = process.definition.find_stage(key) if process else None
            url = self.list_of("rejected", parte=part)
            found.append(
                {"label": str(stage.label) if stage else key, "count": count, "color": "f1", "url": url}
            )
        return _bars(found, sum(parts.values()), width=290)

    def scores(self) -> dict[str, Any]:
        parts, count = self.now.parts("surveys"), self.now.count("surveys")
        resolved = self.now.count("resolved")
        mean = self.now.mean("surveys")
        return {
            "mean": "–" if mean is None else decimal(mean),
            "count": count,
            "share": percent(min(count / resolved, 1), digits=0) if resolved else "",
            "rows": [
                {
                    "label": label,
                    "css": css,
                    "count": parts.get(str(score), 0),
                    "url": self.list_of("surveys", parte=score) if parts.get(str(score)) else "",
                }
                for score, (label, css) in SCORES.items()
            ],
        }

    def arrivals(self) -> dict[str, Any]:
        """Return how many tickets arrived in each hour of each weekday, and when most did."""
        cells: dict[tuple[int, int], int] = {}
        for day, each in self.days.items():
            if day in self.period:
                for part, count in each.parts("filed").items():
                    place = (day.isoweekday(), int(part))
                    cells[place] = cells.get(place, 0) + count
        most = max(cells.values(), default=0)
        rows = []
        for weekday in range(1, 8):
            name = str(WEEKDAYS_ABBR[weekday - 1])
            hours = []
            for hour in range(24):
                count = cells.get((weekday, hour), 0)
                hours.append(
                    {
                        "x": charts.number(40 + hour * 25),
                        "count": count,
                        "level": charts.level(count, most),
                        "text": _("%(day)s, %(hour)s h: %(n)s") % {"day": name, "hour": hour, "n": count},
                        "url": self.list_of("filed", parte=hour, dia=weekday) if count else "",
                    }
                )
            rows.append({"name": name, "y": 5 + (weekday - 1) * 25, "hours": hours})
        peak = ""
        if most:
            weekday, hour = max(cells, key=lambda place: cells[place])
            peak = _("Pico: %(day)s de %(hour)s a %(end)s h, %(n)s en el período.") % {
                "day": str(WEEKDAYS_ABBR[weekday - 1]), "hour": hour, "end": hour + 1, "n": most,
            }  # fmt: skip
        return {
            "rows": rows,
            "peak": peak,
            "hours": [(charts.number(40 + h * 25), h) for h in range(0, 24, 3)],
        }

    # --- Tables ---------------------------------------------------------------------------------------------

    def people(self, loads: Mapping[int, int]) -> list[dict[str, Any]]:
        """Return who has tickets or kept or broke promises in the period, the most loaded first. `loads` has the open
        tickets of each person."""
        found = self._by_value(Scope.ASSIGNEE, *PROMISES)
        known = {int(value): each for value, each in found.items() if value and any(each.values())}
        people = User.objects.in_bulk({*known, *(pk for pk, count in loads.items() if count)})
        most = max([1, *loads.values()])
        rows = [
            {
                "person": person,
                "load": loads.get(pk, 0),
                "of": most,
                **self._promises(known.get(pk, {}), responsable=pk),
            }
            for pk, person in people.items()
        ]
        return sorted(rows, key=lambda row: (-row["load"], sort_key(row["person"].name)))[:MOST_PEOPLE]

    def departments(self) -> list[dict[str, Any]]:
        found = self._by_value(Scope.DEPARTMENT, "filed", "resolved", *PROMISES)
        known = Department.objects.in_bulk(
            int(value) for value, each in found.items() if value and any(each.values())
        )
        rows = [
            {
                "name": department.name,
                "filed": found[str(pk)]["filed"],
                "filed_url": self.list_of("filed", departamento=department.key),
                "resolved": found[str(pk)]["resolved"],
                "resolved_url": self.list_of("resolved", departamento=department.key),
                **self._promises(found[str(pk)], departamento=department.key),
            }
            for pk, department in known.items()
        ]
        return sorted(rows, key=lambda row: (-row["filed"], sort_key(row["name"])))

    def _by_value(self, scope: str, *measures: str) -> dict[str, dict[str, int]]:
        return counts_by_value(
            self.period.first,
            self.period.last,
            scope=scope,
            measures=[MEASURES[key] for key in measures],
            chosen=self.chosen,
        )

    def _promises(self, counts: Mapping[str, int], **whose: Any) -> dict[str, Any]:
        kept, broken = (counts.get(key, 0) for key in PROMISES)
        return {
            "broken": broken,
            "broken_url": self.list_of("resolution_broken", **whose),
            "kept": percent(kept / (kept + broken) if kept + broken else None, digits=0),
        }


def _bars(rows: list[dict[str, Any]], total: int, *, width: int = 372) -> list[dict[str, Any]]:
    """Add to each row the length of its bar, its place, and its share of the total, in a drawing of this width."""
    room = width - 182
    most = max([1, *(row["count"] for row in rows)])
    return [
        {
            **row,
            "y": 7 + 36 * number,
            "text_y": 22 + 36 * number,
            "width": charts.number(room * row["count"] / most),
            "value_x": charts.number(120 + room * row["count"] / most),
            "share": percent(row["count"] / total, digits=0) if total else "",
        }
        for number, row in enumerate(rows)
    ]


def _times_or_percent(count: int, was: int) -> str:
    """Return how a count changed: «12,5 %», or «× 24» where a percentage would say little."""
    if count > 10 * was:
        return f"× {whole(round(count / was))}"
    return percent(abs(count - was) / was)


def _points(share: float | None, was: float | None, *, more_is: str) -> dict[str, str]:
    """Return how a share moved, in percentage points."""
    if share is None or was is None or abs(share - was) < 0.0005:
        return {}
    moved = share - was
    return {
        "change": _("%(n)s pp") % {"n": decimal(100 * abs(moved))},
        "arrow": arrow(moved),
        "good": good(moved, more_is),
    }
