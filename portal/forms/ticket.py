"""Forms of a ticket's page, its survey, and the request for a new link."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

import web.forms
from content.form_fields import LongTextField
from tickets import folios
from tickets.closing.surveys import COMMENT_LENGTH
from tickets.definitions.definition import Action, FileLimits
from tickets.models import Ticket
from web.files import FilesField
from web.forms import StampedForm


class ReplyForm(StampedForm):
    body = LongTextField(
        label=_("Tu respuesta"),
        error_messages={"required": _("Escribe un mensaje antes de enviar.")},
    )

    def __init__(self, *args: Any, limits: FileLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attachments = FilesField(limits=limits, compact=True)
        self.fields["files"] = self.attachments


class ActionForm(web.forms.ActionForm):
    """The form of one action. A page can show several such forms, so their field names begin with the action's key."""

    rows = 3

    def __init__(self, data: Any = None, *, action: Action, ticket: Ticket) -> None:
        super().__init__(data, prefix=action.key, action=action, ticket=ticket)
        self.url = ""


class SurveyForm(StampedForm):
    score = forms.TypedChoiceField(
        label=_("En general, ¿cómo fue la atención?"),
        coerce=int,
        choices=[(str(score), str(score)) for score in range(1, 6)],
        error_messages={
            "required": _("Elige una de las cinco respuestas."),
            "invalid_choice": _("Elige una de las cinco respuestas."),
        },
    )
    comment = LongTextField(
        max_length=COMMENT_LENGTH,
        required=False,
        label=_("¿Algo que debamos mejorar?"),
        help_text=_("Solo lo lee el equipo de soporte."),
        widget=forms.Textarea(attrs={"rows": 3, "data-behaviour": "autosize"}),
    )


class ResendForm(forms.Form):
    folio = forms.CharField(
        label=_("Folio"), max_length=folios.LONGEST, help_text=_("El número que te dimos, como MA-10482.")
    )
    email = forms.EmailField(
        label=_("Correo electrónico"),
        max_length=254,
        help_text=_("El mismo que escribiste al enviar tu solicitud."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    hide_optional = True

    def clean_folio(self) -> str:
        """Refuse a text that names no folio, whether or not there is such a ticket."""
        given: str = self.cleaned_data["folio"]
        if not folios.named_in(given):
            raise forms.ValidationError(_("Escribe el folio completo, como MA-10482."), code="no_folio")
        return given
