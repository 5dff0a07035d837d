"""What a customer writes on a ticket's page."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from content.errors import InvalidData
from content.form_fields import LongTextField
from tickets.attachments import REPLY_LIMITS
from tickets.closing.surveys import COMMENT_LENGTH
from tickets.definitions.definition import Action
from tickets.file_fields import FilesField
from tickets.models import Ticket
from tickets.workflow.asks import fields_of


class VersionedForm(forms.Form):
    """What every form of a ticket's page carries: the ticket as the page showed it, and a key that makes it once.

    Both are the page's own words; nonsense in them counts as nothing.
    """

    def stamp(self) -> dict[str, Any]:
        """`version=` and `key=` for the verb."""
        version, key = (self.data.get(self.add_prefix(name), "") for name in ("version", "key"))
        return {
            "version": int(version) if re.fullmatch(r"[0-9]{1,9}", version) else None,
            "key": key if re.fullmatch(r"[0-9a-f-]{36}", key) else None,
        }

    def show(self, problem: InvalidData) -> None:
        for name, messages in problem.errors.items():
            self.add_error(name if name in self.fields else None, messages)


class ReplyForm(VersionedForm):
    body = LongTextField(
        label=_("Tu respuesta"),
        error_messages={"required": _("Escribe un mensaje antes de enviar.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attachments = FilesField(limits=REPLY_LIMITS, compact=True)
        self.fields["files"] = self.attachments


class ActionForm(VersionedForm):
    """What an action of the process asks, drawn from its own fields. The verb judges them once more."""

    def __init__(self, data: Any = None, *, action: Action, ticket: Ticket) -> None:
        super().__init__(data, prefix=action.key)
        self.action = action
        self.url = ""
        self.asked = fields_of(action, ticket, ticket.definition)
        for name, field in self.asked.items():
            if is_text(field):
                field.widget.attrs |= {"rows": 3, "data-behaviour": "autosize"}
            self.fields[name] = field

    def asked_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.asked]

    def written(self) -> str:
        """The words that somebody put into it, as they were."""
        texts = (
            self.data.get(self.add_prefix(name), "") for name, field in self.asked.items() if is_text(field)
        )
        return "\n\n".join(text for text in texts if text.strip())

    def answers(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.asked}


def is_text(field: forms.Field) -> bool:
    return isinstance(field.widget, forms.Textarea)


class SurveyForm(VersionedForm):
    score = forms.TypedChoiceField(
        label=_("En general, ¿cómo fue la atención?"),
        coerce=int,
        choices=[(str(score), str(score)) for score in range(1, 6)],
        error_messages={
            "required": _("Elige una calificación del 1 al 5."),
            "invalid_choice": _("Elige una calificación del 1 al 5."),
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
        label=_("Folio"), max_length=24, help_text=_("El número que te dimos, como MA-10482.")
    )
    email = forms.EmailField(
        label=_("Correo electrónico"),
        max_length=254,
        help_text=_("El mismo que escribiste al enviar tu solicitud."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    hide_optional = True
