"""The filters of a list of tickets, read from its address.

Every parameter is a form field declared here, and only valid values of these fields reach a query. Other parameters and
values are ignored, and the page names them (B1).
"""

from typing import Any
from urllib.parse import parse_qsl

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, TextField
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerKind, Department, User
from content.text import fold
from tickets import folios
from tickets.definitions.definition import FieldDefinition
from tickets.enums import PublicState, Severity, StageKind
from tickets.lists.figures import Figures, is_by_arrival
from tickets.lists.queues import ORDERS, Order, Queue
from tickets.models import Category, Process, Ticket
from tickets.models.querysets import TicketQuerySet, nobody_assigned

PROCESS_FIELD_PREFIX = "campo-"
NOBODY = "nadie"
MAX_WORDS = 8
VIEWS = {
    "espera": (_("En espera"), Q(public_state=PublicState.WAITING)),
    "curso": (_("En curso"), Q(public_state=PublicState.IN_PROGRESS)),
    "por-aprobar": (_("Por aprobar"), Q(stage_kind=StageKind.CLOSURE_APPROVAL)),
    "por-verificar": (_("Por verificar"), Q(stage_kind=StageKind.VERIFICATION)),
}
NOT_CHIPS = ("vista", "orden", "columna")  # shown as tabs, as the order and as columns, not as chips
NOT_CONDITIONS = ("q", "orden", "columna")
ANY = [("", _("Cualquiera"))]


class AssigneeField(forms.ModelChoiceField):
    """A staff member, or `NOBODY` for tickets without an assignee."""

    def to_python(self, value: Any) -> Any:
        return NOBODY if value == NOBODY else super().to_python(value)

    def validate(self, value: Any) -> None:
        if value != NOBODY:
            super().validate(value)


class TicketFilter(forms.Form):
    """Reads what every list of tickets may be filtered by."""

    data: QueryDict
    q = forms.CharField(
        label=_("Texto"),
        max_length=folios.LONGEST,
        required=False,
        help_text=_("Folio, título o solicitante."),
    )
    severidad = forms.MultipleChoiceField(
        label=_("Severidad"), choices=Severity.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    etapa = forms.ChoiceField(label=_("Etapa"), choices=[*ANY, *StageKind.choices], required=False)
    proceso = forms.ModelChoiceField(
        Process.objects.filter(current__isnull=False),
        label=_("Proceso"),
        to_field_name="key",
        required=False,
        empty_label=_("Cualquiera"),
    )
    categoria = forms.ModelChoiceField(
        Category.objects.all(), label=_("Categoría"), required=False, empty_label=_("Cualquiera")
    )
    departamento = forms.ModelChoiceField(
        Department.objects.filter(is_active=True),
        label=_("Departamento"),
        to_field_name="key",
        required=False,
        empty_label=_("Cualquiera"),
    )
    responsable = AssigneeField(
        User.objects.none(), label=_("Responsable"), required=False, empty_label=_("Cualquiera")
    )
    cliente = forms.ModelChoiceField(
        CustomerKind.objects.all(),
        label=_("Tipo de cliente"),
        to_field_name="key",
        required=False,
        empty_label=_("Cualquiera"),
    )
    orden = forms.ChoiceField(choices=ANY, required=False, widget=forms.HiddenInput)
    hide_optional = True
    other_parameters: frozenset[str] = frozenset({"desde"})
    """Parameters of the page that are no filters."""

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        self.user = user
        self.fields["responsable"].queryset = User.objects.staff()  # type: ignore[attr-defined]
        self.own = self._add_own_fields()
        self.fields["orden"].choices = [*ANY, *self.possible_orders()]  # type: ignore[attr-defined]
        self.unknown = sorted(set(data) - set(self.fields) - self.other_parameters)
        self.is_valid()

    def possible_orders(self) -> list[tuple[str, Any]]:
        """Return the orders that the list may have, each with its label."""
        raise NotImplementedError

    def _add_own_fields(self) -> dict[str, FieldDefinition]:
        """Add the chosen process's own fields as filters and return them by parameter name (S1.19)."""
        process = self._chosen_process()
        if process is None:
            return {}
        own = {f"{PROCESS_FIELD_PREFIX}{item.key}": item for item in process.definition.fields}
        for name, item in own.items():
            self.fields[name] = _own_field(item)
        return own

    def _chosen_process(self) -> Process | None:
        try:
            process: Process | None = self.fields["proceso"].clean(self.data.get("proceso", ""))
        except ValidationError:
            return None
        return process

    @cached_property
    def problems(self) -> list[str]:
        """One sentence for each unknown parameter or value. The filter ignores these and applies the others."""
        told = [
            gettext("No conocemos el filtro «%s». Lo dejamos fuera.") % name[:40] for name in self.unknown
        ]
        for name in self.errors:
            label = self.fields[name].label or name
            told.append(gettext("Ese valor del filtro «%s» no existe. Lo dejamos fuera.") % label)
        return told

    def value(self, name: str) -> Any:
        return self.cleaned_data.get(name)

    @property
    def narrows(self) -> bool:
        """Whether the list leaves out tickets of the queue."""
        return bool(self._chosen() or self.value("q") or any(self.value(name) for name in self.own))

    def _chosen(self) -> list[tuple[str, Any]]:
        """Return the filters that have a value, without the text, the order and the process's own fields."""
        names = [name for name in self.fields if name not in (*NOT_CONDITIONS, *self.own)]
        return [(name, value) for name in names if (value := self.value(name))]

    def _condition(self, name: str, value: Any) -> Q:
        match name:
            case "severidad":
                return Q(severity__in=value)
            case "etapa":
                return Q(stage_kind=value)
            case "proceso":
                return Q(process_version__process=value)
            case "categoria":
                return Q(category=value)
            case "departamento":
                return Q(department=value)
            case "responsable":
                return nobody_assigned() if value == NOBODY else Q(assignee=value)
            case "cliente":
                return Q(requester__kind=value)
        raise ValueError(name)

    @cached_property
    def query(self) -> str:
        """The query string without the parameters that were not understood, for links back to this list."""
        return self._query()

    def _query(self, **changed: str) -> str:
        data = QueryDict(mutable=True)
        for name in self.fields:
            values = self.data.getlist(name) if name not in self.errors else []
            values = [changed[name]] if name in changed else values
            if any(values):
                data.setlist(name, list(dict.fromkeys(value for value in values if value)))
        return data.urlencode()

    def hidden(self) -> list[tuple[str, str]]:
        """Return the valid parameters except the search text, for the search form's hidden inputs."""
        return parse_qsl(self._query(q=""))

    def without(self, name: str) -> str:
        gone = dict.fromkeys(self.own, "") if name == "proceso" else {}
        return self._query(**{name: ""}, **gone)

    def chips(self) -> list[dict[str, str]]:
        """Return the active filters, each with the query string that removes it."""
        chips = []
        for name in self.fields:
            value = self.value(name)
            if not value or name in NOT_CHIPS or name == "q":
                continue
            label = str(self.fields[name].label)
            chips.append({"label": label, "value": self._shown(name, value), "without": self.without(name)})
        return chips

    def _shown(self, name: str, value: Any) -> str:
        if name == "severidad":
            return ", ".join(str(Severity(item).label) for item in value)
        if name == "etapa":
            return str(StageKind(value).label)
        if value == NOBODY:
            return gettext("Sin asignar")
        if name in self.own and self.own[name].type in ("choice", "multi_choice"):
            return self.own[name].option_label(value)
        if name in self.own and self.own[name].type == "yes_no":
            return dict(_yes_or_no())[value]
        return str(value)


class QueueFilter(TicketFilter):
    """Reads the filters of a queue, with its tabs and its orders."""

    vista = forms.ChoiceField(
        choices=[*ANY, *((key, label) for key, (label, _where) in VIEWS.items())],
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, data: QueryDict, *, queue: Queue, user: User, figures: Figures | None = None) -> None:
        """`figures` are those of the user, if the caller has read them."""
        self.queue, self.figures = queue, figures
        super().__init__(data, user=user)

    def possible_orders(self) -> list[tuple[str, Any]]:
        return [(key, ORDERS[key].label) for key in self.queue.orders]

    def _condition(self, name: str, value: Any) -> Q:
        if name == "vista":
            where: Q = VIEWS[value][1]
            return where
        return super()._condition(name, value)

    @cached_property
    def order(self) -> Order:
        """The chosen order, else the queue's own.

        A queue by due date is listed by arrival if all its tickets are of processes that work in order of arrival, or
        if it is filtered to such a process (S2.35).
        """
        if chosen := self.value("orden"):
            return ORDERS[chosen]
        if self.queue.order != "vence":
            return ORDERS[self.queue.order]
        if process := self.value("proceso"):
            return ORDERS["llegada" if process.definition.queue == "arrival" else "vence"]
        return ORDERS["llegada" if is_by_arrival(self.queue, self.user, known=self.figures) else "vence"]

    def apply(self, tickets: TicketQuerySet) -> TicketQuerySet:
        tickets = tickets.filter(*(self._condition(name, value) for name, value in self._chosen()))
        for number, (name, item) in enumerate(self.own.items()):
            if value := self.value(name):
                tickets = _matching_own(tickets, f"own_{number}", item, value)
        return matching(tickets, self.value("q") or "", among=Ticket.objects.visible_to(self.user))

    @property
    def folio_elsewhere(self) -> str:
        """The folio that the text names, if the person sees this ticket: the list may not have it. Otherwise ""."""
        named = folios.named_in(self.value("q") or "")
        if not named:
            return ""
        seen = Ticket.objects.visible_to(self.user).filter(folio__in=named)
        return str(next(iter(seen.order_by().values_list("folio", flat=True)[:1]), ""))

    def tabs(self) -> list[dict[str, Any]]:
        now = self.value("vista") or ""
        return [
            {"label": label, "query": self._query(vista=key), "current": key == now}
            for key, label in [("", _("Abiertos")), *((key, label) for key, (label, _q) in VIEWS.items())]
        ]

    def orders(self) -> list[dict[str, Any]]:
        return [
            {"label": order.label, "query": self._query(orden=order.key), "current": order == self.order}
            for order in (ORDERS[key] for key in self.queue.orders)
        ]


def _yes_or_no() -> list[tuple[str, str]]:
    return [("si", pgettext("answer", "Sí")), ("no", pgettext("answer", "No"))]


def _own_field(item: FieldDefinition) -> forms.Field:
    common: dict[str, Any] = {"label": str(item.label), "required": False}
    if item.type in ("choice", "multi_choice"):
        options = [(option.key, str(option.label)) for option in item.options]
        return forms.ChoiceField(choices=[*ANY, *options], **common)
    if item.type == "yes_no":
        return forms.ChoiceField(choices=[*ANY, *_yes_or_no()], **common)
    return forms.CharField(max_length=100, **common)


def _matching_own(tickets: TicketQuerySet, alias: str, item: FieldDefinition, value: str) -> TicketQuerySet:
    """Filter by one of the process's own fields. Its key comes from the published process, never from the address."""
    if item.type == "yes_no":
        no = Q(**{alias: False}) | Q(**{f"{alias}__isnull": True})
        found = tickets.alias(**{alias: KeyTransform(item.key, "fields")})
        return found.filter(Q(**{alias: True}) if value == "si" else no)
    lookup = {"choice": "exact", "multi_choice": "contains"}.get(item.type, "icontains")
    wanted = f'"{value}"' if item.type == "multi_choice" else value
    text = Cast(KeyTextTransform(item.key, "fields"), TextField())
    return tickets.alias(**{alias: text}).filter(**{f"{alias}__{lookup}": wanted})


def matching(tickets: TicketQuerySet, text: str, *, among: TicketQuerySet | None = None) -> TicketQuerySet:
    """Keep the tickets whose folio `text` names. If it names none of `among` (all that the person may see, by default
    `tickets`), keep those that match each of its first `MAX_WORDS` words.

    A word matches in the title, the beginning of the report and the requester's name and address, or if it is the
    number of the folio. Folios are looked up first, because an index has them; words are looked for in every ticket, so
    evaluate the result inside `time_limit`.
    """
    named = folios.named_in(text)
    if named and (tickets if among is None else among).filter(folio__in=named).exists():
        return tickets.filter(folio__in=named)
    words = Q()
    for word in fold(text).split()[:MAX_WORDS]:
        words &= (
            Q(folio__iendswith=f"-{word}")
            | Q(text_folded__contains=word)
            | Q(requester_folded__contains=word)
        )
    return tickets.filter(words)
