"""The forms of the quarantine and of the desk's addresses."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.models import Category, DeskAddress, IncomingEmail, Process
from tickets.workflow import mails

LET_IN, NEW_TICKET, DISCARD, BLOCK, BLOCK_DOMAIN = (
    "entregar",
    "aparte",
    "descartar",
    "bloquear",
    "bloquear-dominio",
)


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(
        choices=[(one, one) for one in (LET_IN, NEW_TICKET, DISCARD, BLOCK, BLOCK_DOMAIN)],
        error_messages={
            "required": _("Elige qué hacer con el correo."),
            "invalid_choice": _("Elige qué hacer."),
        },
    )
    address = forms.ModelChoiceField(DeskAddress.objects.filter(is_active=True), required=False)

    def save(self, mail: IncomingEmail, *, actor: User) -> IncomingEmail:
        """Do what was decided. Returns the mail. Raises `DeskError`."""
        chosen, address = self.cleaned_data["decision"], self.cleaned_data["address"]
        if chosen in (LET_IN, NEW_TICKET):
            return mails.let_in(mail, actor=actor, to_ticket=chosen == LET_IN, address=address)
        block = {BLOCK: mail.sender, BLOCK_DOMAIN: f"@{mail.domain}"}.get(chosen, "")
        return mails.discard(mail, actor=actor, block=block)


class AddressForm(forms.ModelForm):
    class Meta:
        model = DeskAddress
        fields = ("email", "process", "category", "is_active")
        help_texts = {
            "category": _("Si la dejas vacía, el ticket entra sin categoría."),
            "is_active": _(
                "A una dirección inactiva no se le abren tickets: sus correos quedan en cuarentena."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {
            "process": Process.objects.filter(current__isnull=False),
            "category": Category.objects.select_related("process"),
        }
        empty = {"process": _("Elige un proceso"), "category": _("Sin categoría")}
        for name, rows in choices.items():
            field = cast("forms.ModelChoiceField", self.fields[name])
            field.queryset, field.empty_label = rows, empty[name]
        # Categories of several processes have the same name.
        self.fields["category"].label_from_instance = lambda row: f"{row.process} · {row}"  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        process, category = given.get("process"), given.get("category")
        if process and category and category.process_id != process.pk:
            self.add_error("category", _("Esa categoría no es de ese proceso."))
        return given
