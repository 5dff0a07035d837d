"""The forms that link a guest's ticket to an existing account or to a new one (S2.26, S2.27)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerKind, User
from accounts.validators import phone_validator
from content.form_fields import LineField
from tickets.models import Ticket
from tickets.requesters.accounts import create_account, link_account
from tickets.workflow.asks import AccountField
from web.forms import StampedForm


class LinkForm(StampedForm):
    account = AccountField(
        label=_("Correo de la cuenta"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def save(self, ticket: Ticket, *, actor: User) -> Ticket:
        user, key = self.cleaned_data["account"], self.stamp()["key"]
        return link_account(ticket, actor=actor, user=user, key=key)


class CreateForm(StampedForm):
    email = forms.EmailField(label=_("Correo electrónico"), max_length=254)
    name = LineField(label=_("Nombre"), max_length=120)
    phone = LineField(label=_("Teléfono"), max_length=32, required=False, validators=[phone_validator])
    kind = forms.ModelChoiceField(
        CustomerKind.objects.all(), label=_("Tipo de cliente"), required=False, empty_label=_("Sin definir")
    )

    def save(self, ticket: Ticket, *, actor: User) -> Ticket:
        given: dict[str, Any] = self.cleaned_data
        return create_account(
            ticket,
            actor=actor,
            email=given["email"],
            name=given["name"],
            phone=given["phone"],
            kind=given["kind"],
            key=self.stamp()["key"],
        )
