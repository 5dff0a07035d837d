"""Read from the address what the panel shows: a range of days and at most one value of each scope."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerKind, Department, User
from content.dates import short_day, whole_day
from tickets.enums import Scope, Severity
from tickets.facts.periods import LONGEST, Period
from tickets.models import Category, Process

from .filters import ANY, NOBODY, AssigneeField

RANGES = {
    "hoy": (_("Hoy"), 1),
    "7": (_("7 días"), 7),
    "30": (_("30 días"), 30),
    "trimestre": (_("Trimestre"), 91),
}
USUAL = "30"
EARLIEST = date(2000, 1, 1)
SCOPES = {
    "departamento": Scope.DEPARTMENT,
    "proceso": Scope.PROCESS,
    "categoria": Scope.CATEGORY,
    "severidad": Scope.SEVERITY,
    "cliente": Scope.CUSTOMER_KIND,
    "responsable": Scope.ASSIGNEE,
}


class PlainSelect(forms.Select):
    """A select without groups that is drawn in Python: Django's own renders two templates for each option."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        shown = self.get_context(name, value, attrs)["widget"]
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (option["value"], flatatt(option["attrs"]), option["label"])
                for _group, choices, _index in shown["optgroups"]
                for option in choices
            ),
        )
        return format_html('<select name="{}"{}>{}</select>', shown["name"], flatatt(shown["attrs"]), options)


class PanelFilter(forms.Form):
    """Unknown names and values are left out, and `problems` names them (B1)."""

    data: QueryDict
    rango = forms.ChoiceField(
        choices=[*ANY, *((key, label) for key, (label, _days) in RANGES.items())],
        required=False,
        widget=forms.HiddenInput,
    )
    desde = forms.DateField(
        label=_("Desde"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    hasta = forms.DateField(
        label=_("Hasta"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    departamento = forms.ModelChoiceField(
        Department.objects.all(), label=_("Departamento"), to_field_name="key", required=False,
        empty_label=_("Todos los departamentos"), widget=PlainSelect,
    )  # fmt: skip
    proceso = forms.ModelChoiceField(
        Process.objects.filter(current__isnull=False), label=_("Proceso"), to_field_name="key",
        required=False, empty_label=_("Todos los procesos"), widget=PlainSelect,
    )  # fmt: skip
    categoria = forms.ModelChoiceField(
        Category.objects.all(), label=_("Categoría"), required=False, empty_label=_("Todas las categorías"),
        widget=PlainSelect,
    )  # fmt: skip
    severidad = forms.ChoiceField(
        label=_("Severidad"), choices=[("", _("Toda severidad")), *Severity.choices], required=False,
        widget=PlainSelect,
    )  # fmt: skip
    cliente = forms.ModelChoiceField(
        CustomerKind.objects.all(), label=_("Tipo de cliente"), to_field_name="key", required=False,
        empty_label=_("Todo tipo de cliente"), widget=PlainSelect,
    )  # fmt: skip
    responsable = AssigneeField(
        User.objects.none(), label=_("Responsable"), required=False, widget=forms.HiddenInput
    )

    def __init__(
        self,
        data: QueryDict,
        *,
        today: date,
        others: tuple[str, ...] = (),
        longest: int = LONGEST,
        fixed: tuple[str, ...] = (),
    ) -> None:
        """`others` are parameters of the page that are not the filter's, `longest` the most days of a range. The page
        always has a value for those that are `fixed`, so no chip takes it back."""
        super().__init__(data)
        self.today, self.longest, self.fixed = today, longest, fixed
        self.fields["responsable"].queryset = User.objects.all()  # type: ignore[attr-defined]
        self.unknown = sorted(set(data) - set(self.fields) - set(others))
        self.is_valid()

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for name in ("desde", "hasta"):
            if (day := given.get(name)) and day < EARLIEST:
                raise ValidationError({name: gettext("Elige una fecha desde el año 2000.")})
        first, last = given.get("desde"), min(given.get("hasta") or self.today, self.today)
        if first and first > self.today:
            raise ValidationError({"desde": gettext("Ese día no ha llegado. Mostramos los últimos días.")})
        if first and first > last:
            raise ValidationError(
                {"hasta": gettext("El período termina antes de empezar. Revisa las dos fechas.")}
            )
        if first and (last - first).days >= self.longest:
            raise ValidationError({"desde": gettext("Elige un año como mucho.")})
        return given

    def choose(self, name: str, row: Any) -> None:
        """Choose a row for a filter of which the address has none, or a wrong one. Read `problems` before."""
        self.data = self.data.copy()
        self.data[name], self.cleaned_data[name] = row.key, row
        self.errors.pop(name, None)
        self.__dict__.pop("chosen", None)

    @cached_property
    def problems(self) -> list[str]:
        told = [
            gettext("No conocemos el filtro «%s». Lo dejamos fuera.") % name[:40] for name in self.unknown
        ]
        for name, errors in self.errors.items():
            if name in ("desde", "hasta"):
                told += [f"{self.fields[name].label}: {error}" for error in errors]
            else:
                label = self.fields[name].label or name
                told.append(gettext("Ese valor del filtro «%s» no existe. Lo dejamos fuera.") % label)
        if (last := self.cleaned_data.get("hasta")) and last > self.today and "desde" not in self.errors:
            told.append(
                f"{self.fields['hasta'].label}: " + gettext("Ese día no ha llegado. Contamos hasta hoy.")
            )
        return told

    @cached_property
    def period(self) -> Period:
        """The chosen days, which end today at the latest. Without a first day they are as many as the range has."""
        days = RANGES[self.cleaned_data.get("rango") or USUAL][1]
        if {"desde", "hasta"} & set(self.errors):
            return Period.ending(self.today, days=days)
        first, last = self.cleaned_data.get("desde"), self.cleaned_data.get("hasta") or self.today
        last = min(last, self.today)
        return Period(min(first, last), last) if first else Period.ending(last, days=days)

    @cached_property
    def chosen(self) -> dict[str, Any]:
        """The value of each scope that was chosen, as the tickets' columns have it."""
        found: dict[str, Any] = {}
        for name, scope in SCOPES.items():
            if value := self.cleaned_data.get(name):
                found[scope] = None if value == NOBODY else getattr(value, "pk", value)
        return found

    def query(self, **changed: str) -> str:
        """Return the query string of this choice, with some parameters changed; those that are empty are left out."""
        data = QueryDict(mutable=True)
        for name in self.fields:
            value = changed.pop(name) if name in changed else self.data.get(name, "")
            if value and name not in self.errors:
                data[name] = value
        for name, value in changed.items():
            if value:
                data[name] = value
        return data.urlencode()

    def ranges(self) -> list[dict[str, Any]]:
        chosen = self.cleaned_data.get("desde") or self.cleaned_data.get("hasta")
        now = "" if chosen else self.cleaned_data.get("rango") or USUAL
        return [
            {"label": label, "query": self.query(rango=key, desde="", hasta=""), "current": key == now}
            for key, (label, _days) in RANGES.items()
        ]

    def hidden(self) -> list[tuple[str, str]]:
        """Return what the form of the filters sends again: the range, if it is not one of chosen dates."""
        return [
            (name, value)
            for name in ("rango", "responsable")
            if (value := self.data.get(name, "")) and name not in self.errors
        ]

    def chips(self) -> list[dict[str, str]]:
        """Return the chosen values, each with the query string that takes it back."""
        return [
            {
                "label": str(self.fields[name].label),
                "value": self._shown(name, value),
                "without": self.query(**{name: ""}),
            }
            for name in SCOPES
            if (value := self.cleaned_data.get(name)) and name not in self.fixed
        ]

    def _shown(self, name: str, value: Any) -> str:
        if name == "severidad":
            return str(Severity(value).label)
        return gettext("Sin asignar") if value == NOBODY else str(value)

    @property
    def range_label(self) -> str:
        return range_label(self.period)

    @property
    def period_in_words(self) -> str:
        """Return the days of the period with their years, for paper, where «hoy» would soon be wrong."""
        first, last = whole_day(self.period.first), whole_day(self.period.last)
        if self.period.days == 1:
            return last
        return gettext("Del %(first)s al %(last)s") % {"first": first, "last": last}


def range_label(period: Period, *, write: Callable[[date], str] = short_day) -> str:
    """Write the days of a period: «22 oct – 20 nov»."""
    if period.days == 1:
        return write(period.last)
    return f"{write(period.first)} – {write(period.last)}"
