"""The forms of the contact log and of the requester's standing."""

from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from accounts.enums import Standing
from accounts.models import User
from content.form_fields import LineField
from tickets.closing.contact_log import log_contact
from tickets.enums import ContactKind, ContactOutcome
from tickets.models import Ticket
from web.forms import StampedForm


class ContactForm(StampedForm):
    """A call or a WhatsApp conversation with the requester, and its outcome (S2.22, S2.45, S2.46)."""

    kind = forms.ChoiceField(label=_("Medio"), choices=ContactKind.choices)
    outcome = forms.ChoiceField(
        label=_("Resultado"), choices=[("", _("Elige una opción")), *ContactOutcome.choices]
    )
    url = forms.CharField(
        label=_("Enlace de la conversación"),
        required=False,
        max_length=200,
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("Obligatorio si fue por WhatsApp: es la evidencia del contacto."),
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    note = LineField(label=_("Detalle"), required=False, max_length=300)
    item = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def save(self, ticket: Ticket, *, actor: User) -> Ticket:
        given: dict[str, Any] = self.cleaned_data
        return log_contact(
            ticket,
            actor=actor,
            kind=ContactKind(given["kind"]),
            outcome=ContactOutcome(given["outcome"]),
            url=given["url"],
            note=given["note"],
            item=given["item"],
            key=self.stamp()["key"],
        )


class StandingForm(StampedForm):
    standing = forms.ChoiceField(label=_("Estatus administrativo"), choices=Standing.choices)
