"""The form of «¿Te sirvió este artículo?»."""

from django import forms
from django.utils.translation import gettext_lazy as _

from content.form_fields import LineField
from knowledge.enums import Missing
from knowledge.models.feedback import COMMENT


class VoteForm(forms.Form):
    sirvio = forms.ChoiceField(
        choices=[("si", "si"), ("no", "no")],
        error_messages={"required": _("Elige «Sí» o «No».")},
    )
    falto = forms.ChoiceField(choices=[("", ""), *Missing.choices], required=False)
    frase = LineField(max_length=COMMENT, required=False)

    @property
    def asked_why(self) -> bool:
        """Whether the person sent the second form, which asks what was missing; they may have left it empty."""
        return "frase" in self.data
