"""The form of «Qué pasaría si»: which period is replayed, and what is different."""

from datetime import date, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Department
from tickets.calendars import CalendarRules
from tickets.calendars.hours import hours_between
from tickets.enums import Severity
from tickets.facts.periods import Period
from tickets.facts.what_if import Scenario
from tickets.models import Calendar

PERSON, HOURS, TARGET = "persona", "horario", "plazo"
SCENARIOS = {
    PERSON: (_("Más personas"), _("En un departamento")),
    HOURS: (_("Otro horario"), _("Abrir más horas")),
    TARGET: (_("Otro plazo"), _("Para una severidad")),
}
WEEKS = {"4": (_("4 semanas"), 28), "13": (_("13 semanas"), 91)}
DAYS = [(f"{number + 1}", name) for number, name in WEEKDAYS.items()]


class WhatIfForm(forms.Form):
    """Wrong values are named beside their field; nothing is replayed until all are right."""

    hide_optional = True
    semanas = forms.ChoiceField(
        label=_("Período"), choices=[(key, label) for key, (label, _days) in WEEKS.items()], initial="4"
    )
    escenario = forms.ChoiceField(
        label=_("Escenario"),
        choices=[(key, label) for key, (label, _text) in SCENARIOS.items()],
        initial=PERSON,
    )
    departamento = forms.ModelChoiceField(
        Department.objects.filter(is_active=True),
        label=_("Departamento"),
        to_field_name="key",
        required=False,
        empty_label=_("Elige un departamento"),
    )
    personas = forms.IntegerField(
        label=_("Personas más"), min_value=1, max_value=20, initial=1, required=False
    )
    horario = forms.ModelChoiceField(
        Calendar.objects.filter(current__isnull=False),
        label=_("Horario"),
        to_field_name="key",
        required=False,
        empty_label=_("Elige un horario"),
    )
    dias = forms.MultipleChoiceField(
        label=_("Días"), choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple, initial=["6"]
    )
    abre = forms.TimeField(
        label=_("Abre"), required=False, initial=time(9), widget=forms.TimeInput(format="%H:%M")
    )
    cierra = forms.TimeField(
        label=_("Cierra"), required=False, initial=time(13), widget=forms.TimeInput(format="%H:%M")
    )
    severidad = forms.ChoiceField(
        label=_("Severidad"), choices=Severity.choices, initial=Severity.HIGH, required=False
    )
    horas = forms.IntegerField(
        label=_("Plazo en horas"), min_value=1, max_value=2000, initial=40, required=False
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        needed = {
            PERSON: ("departamento", "personas"),
            HOURS: ("horario", "dias", "abre", "cierra"),
            TARGET: ("severidad", "horas"),
        }.get(given.get("escenario", ""), ())
        for name in needed:
            if not given.get(name) and name not in self.errors:
                self.add_error(name, gettext("Elige un valor para calcular."))
        calendar = given.get("horario")
        if given.get("escenario") == HOURS and calendar and calendar.current.as_rules.always:
            raise ValidationError({"horario": gettext("Ese horario ya está abierto a toda hora.")})
        opens, closes = given.get("abre"), given.get("cierra")
        if given.get("escenario") == HOURS and opens and closes and opens >= closes:
            raise ValidationError({"cierra": gettext("Cierra después de abrir.")})
        return given

    def period(self, today: date) -> Period:
        days = WEEKS[self.cleaned_data["semanas"]][1]
        return Period.ending(today - timedelta(days=1), days=days)

    @cached_property
    def scenario(self) -> Scenario:
        given = self.cleaned_data
        match given["escenario"]:
            case "persona":
                return Scenario({given["departamento"].pk: given["personas"]}, {})
            case "horario":
                return Scenario({}, {}, self._hours().working_hours())
        return Scenario({}, {given["severidad"]: timedelta(hours=given["horas"])})

    def _hours(self) -> CalendarRules:
        """Return the chosen calendar with the added hours, joined where they touch those that it has."""
        rules = self.cleaned_data["horario"].current.as_rules
        added = hours_between((f"{self.cleaned_data['abre']:%H:%M}", f"{self.cleaned_data['cierra']:%H:%M}"))
        week = list(rules.week)
        for day in self.cleaned_data["dias"]:
            number = int(day) - 1
            week[number] = _joined(sorted([*week[number], *added]))
        return CalendarRules(rules.zone, tuple(week), rules.days, rules.closures)

    @property
    def title(self) -> str:
        given = self.cleaned_data
        match given["escenario"]:
            case "persona":
                return gettext("Con %(n)s personas más en %(name)s") % {
                    "n": given["personas"], "name": given["departamento"],
                } if given["personas"] > 1 else gettext("Con una persona más en %(name)s") % {
                    "name": given["departamento"],
                }  # fmt: skip
            case "horario":
                days = ", ".join(str(dict(DAYS)[day]) for day in given["dias"])
                return gettext("Con atención también de %(open)s a %(close)s: %(days)s") % {
                    "days": days, "open": f"{given['abre']:%-H:%M}", "close": f"{given['cierra']:%-H:%M}",
                }  # fmt: skip
        severity = Severity(given["severidad"]).label
        return gettext("Con un plazo de %(n)s horas para severidad %(severity)s") % {
            "n": given["horas"], "severity": severity,
        }  # fmt: skip


def _joined(hours: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for start, end in hours:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return tuple(joined)
