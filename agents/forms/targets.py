"""The form of a process's targets: a table of severities and case kinds by clock, and the exceptions."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import CustomerKind
from content.errors import InvalidData
from content.form_fields import LineField
from tickets.calendars import Target
from tickets.definitions.definition import Targets
from tickets.definitions.targets import NAMES, as_json, read_targets
from tickets.enums import CaseKind, ClockKind, Severity
from tickets.models import Calendar, Process

UNITS = {
    "m": gettext_lazy("min de reloj"),
    "h": gettext_lazy("h de reloj"),
    "d": gettext_lazy("días de reloj"),
    "working minutes": gettext_lazy("min hábiles"),
    "working hours": gettext_lazy("h hábiles"),
    "working days": gettext_lazy("días hábiles"),
    "calendar days": gettext_lazy("días calendario"),
    "calendar days rolled": gettext_lazy("días calendario, o el hábil siguiente"),
}
EMPTY_SPECIAL = 1
MOST_SPECIAL = 20


class TargetWidget(forms.MultiWidget):
    """An amount and its unit."""

    def __init__(self, label: str) -> None:
        text = {"inputmode": "numeric", "size": 4, "maxlength": 4, "class": "form-control time-input"}
        amount = forms.TextInput(attrs={**text, "aria-label": _("%(label)s: cantidad") % {"label": label}})
        named = {"class": "form-select", "aria-label": _("%(label)s: cómo se cuenta") % {"label": label}}
        super().__init__([amount, forms.Select(choices=UNITS.items(), attrs=named)])

    def decompress(self, value: Any) -> list[str]:
        return split(value) if value else ["", "h"]


class TargetField(forms.Field):
    """A target as a process file writes it; empty if nothing is promised. `clock` is the clock's name, which stands
    beside the control where the table has no room for its head."""

    def __init__(self, *, clock: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clock = clock

    def clean(self, value: Any) -> str:
        amount, unit = (str(part or "").strip() for part in value or ("", ""))
        if not amount:
            return ""
        text = f"{amount}{unit}" if unit in ("m", "h", "d") else f"{amount} {_in_number(unit, amount)}"
        if unit not in UNITS or not amount.isdecimal() or Target.parse(text) is None:
            raise forms.ValidationError(_("Escribe un número mayor que cero, o déjalo vacío."))
        return text


def _in_number(unit: str, amount: str) -> str:
    return (
        unit.replace("days", "day").replace("hours", "hour").replace("minutes", "minute")
        if amount == "1"
        else unit
    )


def split(text: str) -> list[str]:
    """Return the amount and the unit of a target's text: "8 working hours" gives "8" and "working hours"."""
    if text[-1] in "mhd" and text[:-1].isdecimal():
        return [text[:-1], text[-1]]
    amount, unit = text.split(" ", 1)
    for one, many in (("day", "days"), ("hour", "hours"), ("minute", "minutes")):
        words = unit.split(" ")
        if one in words:
            unit = " ".join(many if word == one else word for word in words)
    return [amount, unit]


class TargetsForm(forms.Form):
    """The targets of a process. `targets` returns what the valid form describes.

    Fields are named after the clock and the severity or case kind, `resolution_critical`; those of an exception after
    its number, `special_0_resolution`.
    """

    calendar = forms.ChoiceField(
        label=gettext_lazy("Calendario"),
        required=False,
        help_text=gettext_lazy("Cuenta las horas y los días hábiles. «De reloj» cuenta siempre."),
    )
    warn_assignee = forms.IntegerField(
        label=gettext_lazy("Avisar al responsable al usar, en %"), min_value=0, max_value=99, required=False
    )
    warn_managers = forms.IntegerField(
        label=gettext_lazy("Avisar a quien dirige al usar, en %"), min_value=0, max_value=99, required=False
    )
    reason = LineField(
        label=gettext_lazy("Motivo del cambio"),
        max_length=160,
        required=False,
        help_text=gettext_lazy("Se lee en «Versiones» y en la explicación de cada fecha."),
    )

    def __init__(self, data: Any = None, *, process: Process, before: Targets, reason: str = "") -> None:
        warnings = {"warn_assignee": before.warn_assignee, "warn_managers": before.warn_managers}
        super().__init__(data, initial={"calendar": before.calendar, "reason": reason, **warnings})
        self.before = before
        self.process = process
        calendars = Calendar.objects.filter(current__isnull=False)
        self.fields["calendar"].choices = [  # type: ignore[attr-defined]
            ("", _("Ninguno")),
            *((calendar.key, str(calendar)) for calendar in calendars),
        ]
        plain = as_json(before)
        for kind in ClockKind:
            for name in NAMES:
                self._add(f"{kind}_{name}", kind, f"{kind.label}: {_label(name)}", plain[kind].get(name, ""))
        self.specials = min(len(plain["special"]) + EMPTY_SPECIAL, MOST_SPECIAL)
        categories = process.categories.filter(is_active=True)
        named = [("", _("Cualquiera")), *((each.key, str(each)) for each in categories)]
        kinds = [("", _("Cualquiera")), *((each.key, str(each)) for each in CustomerKind.objects.all())]
        for number in range(self.specials):
            row = plain["special"][number] if number < len(plain["special"]) else {}
            which = _("Excepción %(n)s") % {"n": number + 1}
            for name, choices in (("category", named), ("customer_kind", kinds)):
                called = _("Categoría") if name == "category" else _("Tipo de cliente")
                self.fields[f"special_{number}_{name}"] = forms.ChoiceField(
                    label=f"{which}: {called}",
                    choices=_with(choices, row.get(name, "")),
                    required=False,
                    initial=row.get(name, ""),
                )
            for kind in ClockKind:
                self._add(f"special_{number}_{kind}", kind, f"{which}: {kind.label}", row.get(kind, ""))

    def _add(self, name: str, kind: ClockKind, label: str, value: str) -> None:
        self.fields[name] = TargetField(
            clock=str(kind.label), label=label, required=False, initial=value, widget=TargetWidget(label)
        )

    def rows(self) -> Iterator[tuple[str, str, list[BoundField]]]:
        """Yield each row of the table: its key, its label, and a field for each clock."""
        for name in NAMES:
            yield name, _label(name), [self[f"{kind}_{name}"] for kind in ClockKind]

    def warnings(self) -> list[BoundField]:
        return [self["warn_assignee"], self["warn_managers"]]

    def exceptions(self) -> Iterator[tuple[BoundField, BoundField, list[BoundField]]]:
        for number in range(self.specials):
            yield (
                self[f"special_{number}_category"],
                self[f"special_{number}_customer_kind"],
                [self[f"special_{number}_{kind}"] for kind in ClockKind],
            )

    def targets(self) -> Targets:
        """Raises `InvalidData` with the names of fields."""
        values = self.cleaned_data
        data: dict[str, Any] = {"calendar": values["calendar"], "special": []}
        for name in ("warn_assignee", "warn_managers"):
            typed = values.get(name)
            data[name] = getattr(self.before, name) if typed is None else typed
        for kind in ClockKind:
            given = {name: values[f"{kind}_{name}"] for name in NAMES}
            data[kind] = {name: text for name, text in given.items() if text}
        numbers = []
        for number in range(self.specials):
            row = {
                name: values[f"special_{number}_{name}"] for name in ("category", "customer_kind", *ClockKind)
            }
            if any(row.values()):
                data["special"].append(row)
                numbers.append(number)
        try:
            return read_targets(data)
        except InvalidData as error:
            raise InvalidData(_by_field(error, numbers)) from error

    def show(self, error: InvalidData) -> None:
        """Put the messages of `error` beside the fields that they are about; see `web.refusals.Refusal`."""
        for name, messages in error.errors.items():
            self.add_error(name if name in self.fields else None, messages)


def _label(name: str) -> str:
    return str(Severity(name).label if name in Severity.values else CaseKind(name).label)


def _with(choices: list[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    """Offer also a value that is stored and no longer among the choices."""
    return choices if value in dict(choices) else [*choices, (value, value)]


def _by_field(error: InvalidData, numbers: list[int]) -> Mapping[str, list[str]]:
    found = {}
    for path, messages in error.errors.items():
        parts = path.split(".")
        if parts[0] == "special":
            parts[1] = str(numbers[int(parts[1])])
        found["_".join(parts)] = messages
    return found
