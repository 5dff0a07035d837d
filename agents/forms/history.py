"""The filters, the order and the columns of the history, read from its address."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, F, OuterRef, Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from content.dates import short_day
from content.words import query_of
from tickets.definitions.definition import FieldDefinition
from tickets.enums import CaseKind, Channel, ClockKind, StageKind, WaitedFor
from tickets.models import Clock, Ticket
from tickets.models.querysets import TicketQuerySet
from tickets.search.finding import matching_words
from tickets.search.indexing import field_words

from ..pages.columns import COLUMNS, USUAL, Column, own_column
from .filters import ANY, TicketFilter

STATES = {
    "abiertos": (_("Abiertos"), Q(closed_at__isnull=True)),
    "terminados": (_("Terminados"), Q(closed_at__isnull=False)),
    "resueltos": (_("Resueltos"), Q(stage_kind=StageKind.DONE)),
    "rechazados": (
        _("Rechazados o cancelados"),
        Q(stage_kind__in=[StageKind.REJECTED, StageKind.CANCELLED]),
    ),
}
YES_NO = [*ANY, ("si", pgettext_lazy("answer", "Sí")), ("no", pgettext_lazy("answer", "No"))]
DATES = {
    "creado_desde": "created_at__gte",
    "creado_hasta": "created_at__lt",
    "cerrado_desde": "closed_at__gte",
    "cerrado_hasta": "closed_at__lt",
}
NO_WORD = (" ",)
"""Stems that no ticket has, because words have no blanks: an answer that holds no word is found in none."""
PLAIN_CHOICES = ("vencido", "reabierto", "prueba", "satisfaccion", "caso", "canal")
ORDERS = {
    "creado": (_("Creado"), ("created_at", "id"), Q()),
    "actividad": (_("Última actividad"), ("updated_at", "id"), Q()),
    "cerrado": (_("Cerrado"), ("closed_at", "id"), Q(closed_at__isnull=False)),
    "severidad": (_("Severidad"), ("severity_order", "id"), Q()),
    "tiempo": (_("Tiempo hábil"), ("resolution_seconds", "id"), Q(resolution_seconds__isnull=False)),
    "satisfaccion": (_("Satisfacción"), ("score", "id"), Q(survey__isnull=False)),
}
"""Each order with its columns, and the tickets that it can sort: those that have a value."""


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    bounds = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 1, 1))]
    return forms.DateField(label=label, required=False, widget=widget, validators=bounds)


class HistoryFilter(TicketFilter):
    """Reads what the history lists: any ticket, by any field. Wrong values are left out, and `problems` names them."""

    q = forms.CharField(label=_("Texto"), max_length=300, required=False, widget=forms.HiddenInput)
    estado = forms.ChoiceField(
        label=_("Estado"),
        choices=[*ANY, *((key, label) for key, (label, _q) in STATES.items())],
        required=False,
    )
    canal = forms.ChoiceField(label=_("Canal"), choices=[*ANY, *Channel.choices], required=False)
    creado_desde = _day(_("Creado desde"))
    creado_hasta = _day(_("Creado hasta"))
    cerrado_desde = _day(_("Cerrado desde"))
    cerrado_hasta = _day(_("Cerrado hasta"))
    vencido = forms.ChoiceField(label=_("Venció su fecha de cierre"), choices=YES_NO, required=False)
    reabierto = forms.ChoiceField(label=_("Se reabrió"), choices=YES_NO, required=False)
    prueba = forms.ChoiceField(label=_("Prueba o duplicado"), choices=YES_NO, required=False)
    satisfaccion = forms.ChoiceField(
        label=_("Satisfacción"), choices=[*ANY, *((f"{n}", f"{n}") for n in range(5, 0, -1))], required=False
    )
    caso = forms.ChoiceField(label=_("Clase de caso"), choices=[*ANY, *CaseKind.choices], required=False)
    columna = forms.MultipleChoiceField(label=_("Columnas"), required=False, widget=forms.MultipleHiddenInput)
    other_parameters = frozenset({"pagina", "vista"})

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data, user=user)

    def _add_own_fields(self) -> Any:
        own = super()._add_own_fields()
        self.columns = COLUMNS | {name: own_column(name, item) for name, item in own.items()}
        self.fields["columna"].choices = [(key, key) for key in self.columns]  # type: ignore[attr-defined]
        return own

    def possible_orders(self) -> list[tuple[str, Any]]:
        labels: dict[str, Any] = {key: label for key, (label, _names, _q) in ORDERS.items()}
        labels |= {name: str(item.label) for name, item in self.own.items()}
        return [(sign + key, label) for key, label in labels.items() for sign in ("", "-")]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        for what in ("creado", "cerrado"):
            first, last = values.get(f"{what}_desde"), values.get(f"{what}_hasta")
            if first and last and last < first:
                self.add_error(f"{what}_hasta", gettext("Termina antes de empezar."))
        return values

    # --- What is listed ---------------------------------------------------------------------------------------------

    def apply(self, tickets: TicketQuerySet) -> TicketQuerySet:
        """Keep the tickets that the filters choose and the order can sort. Call it inside `time_limit`: it looks words
        up."""
        tickets = tickets.filter(*(self._condition(name, value) for name, value in self._chosen()))
        answers: list[Collection[str]] = []
        for name, item in self.own.items():
            if value := self.value(name):
                if item.type == "yes_no" and value == "no":  # who has not answered said no
                    tickets = tickets.exclude(words__words__has=_answer(item, "si"))
                else:
                    answers += _answer(item, value)
        tickets = matching_words(
            tickets, self.text, among=Ticket.objects.visible_to(self.user), besides=answers
        )
        key = self.order_key.removeprefix("-")
        if key in self.own:
            process = self.value("proceso")
            of_field = {"field_values__process": process, "field_values__key": self.own[key].key}
            return tickets.filter(**of_field).annotate(own=F("field_values__value"))
        if key == "satisfaccion":
            tickets = tickets.annotate(score=F("survey__score"))
        return tickets.filter(ORDERS[key][2])

    def _condition(self, name: str, value: Any) -> Q:
        match name:
            case "estado":
                return STATES[value][1]
            case "creado_desde" | "creado_hasta" | "cerrado_desde" | "cerrado_hasta":
                day = value + timedelta(days=1) if name.endswith("hasta") else value
                return Q(**{DATES[name]: timezone.make_aware(datetime.combine(day, time()))})
            case "vencido":
                broken = Clock.objects.filter(
                    ticket=OuterRef("pk"), kind=ClockKind.RESOLUTION, breached_at__isnull=False
                )
                return Q(Exists(broken)) if value == "si" else ~Q(Exists(broken))
            case "reabierto":
                left = Ticket.objects.filter(pk=OuterRef("pk"), visits__waited_for=WaitedFor.NOBODY)
                return Q(Exists(left)) if value == "si" else ~Q(Exists(left))
            case "prueba":
                outside = Q(is_test=True) | Q(duplicate_of__isnull=False)
                return outside if value == "si" else ~outside
            case "satisfaccion":
                return Q(survey__score=int(value))
            case "caso":
                return Q(case_kind=value)
            case "canal":
                return Q(channel=value)
        return super()._condition(name, value)

    # --- Order and columns ------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The words that are looked for; empty if they were not understood."""
        return self.value("q") or ""

    @property
    def order_key(self) -> str:
        return self.value("orden") or "-creado"

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which the list is sorted, for `read_page`."""
        key = self.order_key.removeprefix("-")
        names = ("own", "id") if key in self.own else ORDERS[key][1]
        return tuple(f"-{name}" for name in names) if self.order_key.startswith("-") else names

    @property
    def order_label(self) -> str:
        return dict(self.possible_orders())[self.order_key]

    @property
    def leaves_out(self) -> str:
        """Say which tickets the order cannot sort; empty if it sorts all."""
        key = self.order_key.removeprefix("-")
        if key in self.own or key in ("cerrado", "tiempo", "satisfaccion"):
            return gettext("En este orden solo están los tickets que tienen «%s».") % self.order_label
        return ""

    @cached_property
    def shown_columns(self) -> list[Column]:
        chosen = self.value("columna") or USUAL
        return [column for key, column in self.columns.items() if key in chosen]

    def headings(self) -> list[dict[str, Any]]:
        """Return the heading of each column, with the address that sorts by it."""
        now, falls = self.order_key.removeprefix("-"), self.order_key.startswith("-")
        found = []
        for column in self.shown_columns:
            is_current = column.order == now and bool(column.order)
            turned = column.order if is_current and falls else f"-{column.order}"
            found.append(
                {
                    "column": column,
                    "sort": (("descending" if falls else "ascending") if is_current else ""),
                    "query": self._query(orden=turned) if column.order else "",
                }
            )
        return found

    def orders(self) -> list[dict[str, Any]]:
        keys = dict.fromkeys(key.removeprefix("-") for key, _label in self.possible_orders())
        labels = dict(self.possible_orders())
        return [
            {
                "label": labels[key],
                "query": self._query(orden=f"-{key}"),
                "current": self.order_key.removeprefix("-") == key,
            }
            for key in keys
        ]

    def columns_to_pick(self) -> list[dict[str, Any]]:
        shown = {column.key for column in self.shown_columns}
        return [
            {"column": column, "checked": column.key in shown, "is_own": key in self.own}
            for key, column in self.columns.items()
        ]

    def hidden_for(self, *names: str) -> list[tuple[str, str]]:
        """Return the valid parameters without these, for a form that sends the others itself."""
        data = QueryDict(self._query())
        return [(name, value) for name, values in data.lists() if name not in names for value in values]

    def hidden_for_search(self) -> list[tuple[str, str]]:
        return self.hidden_for("q")

    def hidden_for_columns(self) -> list[tuple[str, str]]:
        return self.hidden_for("columna")

    def _shown(self, name: str, value: Any) -> str:
        if name in DATES:
            return short_day(value)
        if name == "estado":
            return str(STATES[value][0])
        if name in PLAIN_CHOICES:
            choices: Any = self.fields[name].choices  # type: ignore[attr-defined]
            return str(dict(choices)[value])
        return super()._shown(name, value)


def _answer(item: FieldDefinition, value: str) -> list[Collection[str]]:
    """Return the words by which tickets with this answer are found. A text must have all of its words, in any form;
    one without words is in none."""
    if item.type == "yes_no":
        return [[word] for word in field_words(item, value == "si")]
    if item.type in ("choice", "multi_choice", "number", "date"):
        return [[word] for word in field_words(item, value)]
    return [[f"{item.key}={stem}" for stem in stems] for stems in query_of(value)] or [NO_WORD]
