"""The composer's forms: one sends a message of three kinds, each with its own verb (T2); one saves a draft."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from content.form_fields import LongTextField
from tickets.attachments import widest_limits
from tickets.enums import MessageKind
from tickets.models import Message, Ticket
from tickets.workflow.conversation import add_internal_note, send_follow_up, send_solution
from web.files import FilesField
from web.forms import StampedForm

MODES = [
    (MessageKind.FOLLOW_UP, _("Seguimiento")),
    (MessageKind.SOLUTION, _("Solución")),
    (MessageKind.NOTE, _("Nota interna")),
]
SENT = {
    MessageKind.FOLLOW_UP: _("Enviamos tu seguimiento."),
    MessageKind.SOLUTION: _("Enviamos la solución."),
    MessageKind.NOTE: _("Guardamos tu nota."),
}


class ComposerForm(StampedForm):
    field_names = {"done": "body"}
    mode = forms.ChoiceField(choices=MODES)
    body = LongTextField(
        label=_("Mensaje"),
        error_messages={"required": _("Escribe un mensaje antes de enviar.")},
    )
    steps = LongTextField(required=False, label=_("Pasos para el solicitante"))

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["files"] = FilesField(limits=widest_limits(ticket), compact=True)

    @classmethod
    def unsent_from(cls, typed: QueryDict, *, ticket: Ticket) -> "ComposerForm":
        """Return a form with what was typed and without errors, because nobody has sent it yet."""
        form = cls(typed, ticket=ticket)
        form.errors.clear()
        return form

    @property
    def asks(self) -> bool:
        """Whether a follow-up asks the requester for an answer. An unticked box posts nothing; `asks_shown` says that
        the page had one."""
        return "asks_shown" not in self.data or "asks" in self.data

    @property
    def mode_name(self) -> str:
        return str(self.cleaned_data["mode"])

    def send(self, ticket: Ticket, *, actor: User, draft_key: str) -> Message:
        """Send the message with the verb of its kind and return it. Raises what the verb raises."""
        body, stamp = self.cleaned_data["body"], self.stamp()
        common: dict[str, Any] = {"actor": actor, "draft_key": draft_key}
        match self.mode_name:
            case MessageKind.NOTE:
                return add_internal_note(ticket, body=body, key=stamp["key"], **common)
            case MessageKind.SOLUTION:
                steps = self.cleaned_data["steps"]
                return send_solution(ticket, done=body, steps=steps, **common, **stamp)
        return send_follow_up(ticket, body=body, asks=self.asks, **common, **stamp)


class DraftForm(StampedForm):
    """The text that the composer saves as a draft while a person types."""

    mode = forms.ChoiceField(choices=MODES)
    body = LongTextField(required=False)
    steps = LongTextField(required=False)
