"""The form that changes one property of a ticket. Its field is the one that actions use to ask for that property."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from content.errors import InvalidData
from tickets import clocks
from tickets.models import Ticket
from tickets.workflow import properties
from web.forms import StampedForm

LABELS = {
    "assignee": _("Responsable"),
    "severity": _("Severidad"),
    "case_kind": _("Clase de caso"),
    "difficulty": _("Nivel de dificultad"),
    "due_at": _("Fecha de cierre"),
    "queue_position": _("Ubicación en la cola"),
    "department": _("Departamento"),
    "category": _("Categoría"),
}
REQUIRED = ("severity", "case_kind", "due_at", "category")


class PropertyForm(StampedForm):
    value = forms.Field()

    def __init__(self, *args: Any, name: str, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name
        field = properties.property_field(ticket, name, required=name in REQUIRED, label=LABELS[name])
        if name == "assignee":
            field.empty_label = _("Sin asignar")  # type: ignore[attr-defined]
        elif isinstance(field, forms.ModelChoiceField):
            field.empty_label = _("Elige una opción") if name == "category" else _("Sin departamento")
        elif isinstance(field, forms.TypedChoiceField):
            field.choices = [("", _("Sin definir")), *field.choices]  # type: ignore[misc]
        field.initial = (
            clocks.closing_date(ticket, now=timezone.now()) if name == "due_at" else getattr(ticket, name)
        )
        kind = "select" if isinstance(field.widget, forms.Select) else "control"
        field.widget.attrs |= {"class": f"form-{kind} form-{kind}-sm", "autofocus": True}
        self.fields["value"] = field

    def show(self, problem: InvalidData) -> None:
        """Add every error message to `value`, the form's only field, because the verb's field names do not exist
        here."""
        for messages in problem.errors.values():
            self.add_error("value", messages)

    def save(self, ticket: Ticket, *, actor: User) -> Ticket:
        value = self.cleaned_data["value"]
        if self.name == "assignee":
            return properties.assign(ticket, actor=actor, assignee=value, **self.stamp())
        return properties.change_properties(ticket, actor=actor, **{self.name: value}, **self.stamp())
