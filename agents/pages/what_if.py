"""«Qué pasaría si» as data for its template: what was, what would have been, week by week and for each department."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Department
from content.dates import short_day
from content.sorting import sort_key
from tickets.calendars import ELAPSED
from tickets.calendars import Calendar as Counting
from tickets.facts.what_if import (
    MOST,
    NOTHING,
    Outcome,
    Scenario,
    calibrated,
    cases,
    quantile_of,
    replayed,
    share_kept,
    with_targets,
)
from tickets.models import Calendar, CalendarVersion
from tickets.record.days import bounds, day_of
from web import charts

from ..forms.panel import range_label
from ..forms.what_if import WhatIfForm
from .panel import GOAL
from .report import arrow, decimal, good, percent, signed, whole, working_time

SHOWN = 8
ALIKE = 0.005
"""Smaller differences are told as a draw."""


def desk_hours() -> Counting:
    """Return the opening hours of the desk: the calendar of its phone, else the first one; every hour without any."""
    in_use = Calendar.objects.filter(current__isnull=False).order_by("-answers_phone", "pk")
    current = in_use.values_list("current", flat=True).first()
    return CalendarVersion.objects.counting(current, "working")


@dataclass
class WhatIf:
    """Replays the period of a valid form."""

    form: WhatIfForm
    today: Any

    def __post_init__(self) -> None:
        self.period = self.form.period(self.today)
        self.cases = cases(bounds(self.period.first)[0], bounds(self.period.last)[1])
        scenario: Scenario = self.form.scenario
        self.real = [Outcome(case, case.worked, case.was_kept) for case in self.cases]
        self.base = share_kept(self.real)
        if scenario.targets:
            self.would = with_targets(self.cases, scenario.targets)
        elif self.cases:
            hours = desk_hours() if scenario.calendar is None else self._chosen_hours()
            part = calibrated(self.cases, hours)
            self.repeated = replayed(self.cases, NOTHING, hours, part)
            self.would = replayed(self.cases, scenario, hours, part)
        else:
            self.would = []

    repeated: list[Outcome] | None = None

    def _chosen_hours(self) -> Counting:
        rules = self.form.cleaned_data["horario"].current.as_rules
        return ELAPSED if rules.always else rules.working_hours()

    @cached_property
    def before(self) -> list[Outcome]:
        """The outcomes to compare with: of the replay without changes or, where nothing was replayed, the real ones."""
        return self.repeated if self.repeated is not None else self.real

    @property
    def base_label(self) -> str:
        return _("Sin cambios") if self.repeated is not None else _("Así fue")

    @property
    def is_cut(self) -> bool:
        return len(self.cases) >= MOST

    def summary(self) -> dict[str, Any]:
        was, would = share_kept(self.before) or 0.0, share_kept(self.would) or 0.0
        moved = would - was
        kept = sum(outcome.is_kept for outcome in self.would)
        return {
            "was": percent(was),
            "was_count": _of(sum(outcome.is_kept for outcome in self.before), len(self.cases)),
            "would": percent(would),
            "would_count": _of(kept, len(self.cases)),
            "change": _("%(n)s pp") % {"n": decimal(100 * abs(moved))},
            "arrow": arrow(moved) if abs(moved) >= ALIKE else "",
            "good": good(moved, "yes") if abs(moved) >= ALIKE else "",
            "is_draw": abs(moved) < ALIKE,
            "passes": would >= GOAL > was,
        }

    def figures(self) -> list[dict[str, str]]:
        """Return the figures that are compared. Those of a replay are no measured times, and say so."""
        late = [sum(not outcome.is_kept for outcome in outcomes) for outcomes in (self.before, self.would)]
        middle, slow = (
            (_("Resolución, mediana"), _("Resolución, 9 de 10"))
            if self.repeated is None
            else (_("Resolución repetida, mediana"), _("Resolución repetida, 9 de 10"))
        )
        return [
            {"label": _("Vencidos"), "was": whole(late[0]), "would": whole(late[1])},
            *(
                {"label": label, "was": _time(self.before, share), "would": _time(self.would, share)}
                for share, label in ((0.5, middle), (0.9, slow))
            ),
        ]

    def weeks(self) -> dict[str, Any]:
        steps = list(self.period.steps(7))
        lines = {}
        for name, outcomes in (("was", self.before), ("would", self.would)):
            days = [(day_of(outcome.case.ended), outcome) for outcome in outcomes]
            lines[name] = [share_kept([each for day, each in days if day in step]) for step in steps]
        known = [value for values in lines.values() for value in values if value is not None]
        least, most = min([*known, GOAL]), max([*known, GOAL])
        frame = charts.Frame(44, 12, 560, 176, least - 0.02, most + 0.02)
        return {
            "scale": [(charts.number(frame.y(value) + 4), percent(value)) for value in sorted({least, most})],
            "was": charts.line(lines["was"], frame),
            "would": charts.line(lines["would"], frame),
            "goal": charts.number(frame.y(GOAL)),
            "labels": [
                (charts.number(frame.x(number, len(steps))), short_day(step.first))
                for number, step in enumerate(steps)
                if len(steps) < 6 or number % 3 == 0
            ],
            "columns": [self.base_label, _("Habría sido")],
            "table": [
                {
                    "name": short_day(step.first),
                    "cells": [{"text": percent(lines[name][number]), "url": ""} for name in ("was", "would")],
                }
                for number, step in enumerate(steps)
            ],
        }

    def departments(self) -> list[dict[str, Any]]:
        known = Department.objects.in_bulk({case.department for case in self.cases if case.department})
        found: dict[int | None, tuple[list[Outcome], list[Outcome]]] = {}
        for index, outcomes in enumerate((self.before, self.would)):
            for outcome in outcomes:
                found.setdefault(outcome.case.department, ([], []))[index].append(outcome)
        rows = [
            {
                "name": str(known[pk]) if pk in known else _("Sin departamento"),
                "count": len(was),
                "was": percent(share_kept(was)),
                "would": percent(share_kept(would)),
                "more": signed(sum(each.is_kept for each in would) - sum(each.is_kept for each in was)),
            }
            for pk, (was, would) in found.items()
        ]
        return sorted(rows, key=lambda row: (-row["count"], sort_key(row["name"])))

    def gained(self) -> dict[str, Any]:
        """Return the tickets that were late and would not have been."""
        late = {outcome.case.ticket for outcome in self.before if not outcome.is_kept}
        saved = [outcome for outcome in self.would if outcome.is_kept and outcome.case.ticket in late]
        return {
            "count": len(saved),
            "rows": [
                {
                    "folio": outcome.case.folio,
                    "title": outcome.case.title,
                    "url": reverse("agents:ticket", args=[outcome.case.folio]),
                    "was": working_time(outcome.case.worked.total_seconds()),
                    "would": working_time(outcome.took.total_seconds()),
                }
                for outcome in saved[:SHOWN]
            ],
        }

    def assumptions(self) -> list[str]:
        first = _(
            "Se repiten los tickets resueltos en el período (%(days)s), con su orden, severidad y plazo."
        )
        told = [first % {"days": range_label(self.period)}]
        if self.repeated is None:
            return [*told, _("Nadie trabaja de otra forma: solo cambia contra qué plazo se compara.")]
        return [
            *told,
            _("Cada departamento atiende en orden de llegada; toma el siguiente quien se desocupa primero."),
            _(
                "Trabajan quienes resolvieron tickets del departamento en el período, en el horario de la mesa."
            ),
            _("Una persona más tarda lo mismo que las demás."),
            _("Lo que tardan los solicitantes no cambia. No cuenta aprendizaje, vacaciones ni ausencias."),
        ]

    def check(self) -> str:
        """Say how near the replay without changes comes to what really was."""
        if self.repeated is None or self.base is None:
            return ""
        return _(
            "Al repetir el período sin cambios, el cálculo da %(replayed)s y la realidad fue %(real)s; la mediana da "
            "%(replayed_time)s y fue %(real_time)s. Fíate de lo que cambia, no de los tiempos, y lee las diferencias "
            "menores de 0,5 puntos como empate."
        ) % {
            "replayed": percent(share_kept(self.repeated)),
            "real": percent(self.base),
            "replayed_time": _time(self.repeated, 0.5),
            "real_time": _time(self.real, 0.5),
        }


def _of(kept: int, total: int) -> str:
    text = ngettext("%(n)s de %(total)s a tiempo", "%(n)s de %(total)s a tiempo", kept)
    return text % {"n": whole(kept), "total": whole(total)}


def _time(outcomes: Sequence[Outcome], share: float) -> str:
    time = quantile_of(outcomes, share)
    return working_time(None if time is None else time.total_seconds())
