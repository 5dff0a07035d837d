"""The sign-up form's own fields, besides the address and the password, which allauth asks for."""

import unicodedata
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from .models import CustomerKind, User
from .validators import phone_validator


class SignupForm(forms.Form):
    """The fields that `ACCOUNT_SIGNUP_FORM_CLASS` adds to allauth's form. It must never ask for a role or standing."""

    name = forms.CharField(
        label=_("Nombre y apellido"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    phone = forms.CharField(
        label=_("Teléfono o WhatsApp (opcional)"),
        max_length=32,
        required=False,
        validators=[phone_validator],
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    kind = forms.ModelChoiceField(
        CustomerKind.objects.all(),
        label=_("¿Qué tipo de cliente eres? (opcional)"),
        required=False,
        empty_label=_("Prefiero no decirlo"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not CustomerKind.objects.exists():
            del self.fields["kind"]

    def clean_name(self) -> str:
        """Return the name on one line without invisible characters, because mail headers contain it (B32)."""
        visible = (
            char if unicodedata.category(char)[0] != "C" else " " for char in self.cleaned_data["name"]
        )
        name = " ".join("".join(visible).split())
        if not name:
            raise forms.ValidationError(_("Escribe tu nombre."))
        return name

    def signup(self, request: object, user: User) -> None:
        """Save the answers on the new `user`, and the language of the page. allauth calls this after creating it."""
        user.name = self.cleaned_data["name"]
        user.phone = self.cleaned_data["phone"]
        user.kind = self.cleaned_data.get("kind")
        language = (get_language() or "")[:2]
        if language in dict(settings.LANGUAGES):
            user.language = language
        user.save(update_fields=["name", "phone", "kind", "language"])
