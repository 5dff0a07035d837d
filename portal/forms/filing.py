"""The forms of the guide, the three steps in which a customer files a report. `file_ticket` validates everything
again."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.misspelt import MISSPELT, probable_address
from accounts.models import User
from accounts.validators import phone_validator
from content.errors import InvalidData
from content.form_fields import LineField, LongTextField
from tickets.definitions.fields import (
    clean_values,
    displayed_answers,
    form_field,
    title_from_answers,
)
from tickets.workflow.intake import TITLE_LENGTH
from web.files import FilesField
from web.forms import QuestionsForm

from ..pages.topics import Topic


class DetailsForm(QuestionsForm):
    """Title, description, the process's own questions and files."""

    def __init__(self, *args: Any, topic: Topic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topic = topic
        self.definition = definition = topic.definition
        self.questions = definition.intake_fields(topic.category.key if topic.category else "")
        if not definition.title_from:
            self.fields["title"] = LineField(
                max_length=TITLE_LENGTH,
                label=str(definition.title_label) or _("Título"),
                help_text=str(definition.title_help) or _("Una frase que resuma lo que necesitas."),
                error_messages={"required": _("Escribe un título: una frase que resuma lo que necesitas.")},
            )
        # S0.10: without a help text of the process, ask for the steps and the error message.
        self.fields["description"] = LongTextField(
            label=str(definition.description_label) or _("¿Qué pasó?"),
            help_text=str(definition.description_help)
            or _("Incluye los pasos que seguiste y el mensaje de error, si apareció alguno."),
            error_messages={"required": _("Cuéntanos qué pasó, con los detalles que tengas.")},
            widget=forms.Textarea(attrs={"rows": 6, "data-behaviour": "autosize"}),
        )
        for question in self.questions:
            field = form_field(question)
            # `required` only marks the label here; `clean` decides whether an answer is missing.
            field.required = question.required and question.type != "yes_no"
            _skip_field_validation(field)
            field.cards = {  # type: ignore[attr-defined]  # read by fields/check_cards.html
                option.key: {"icon": option.icon} for option in question.options if option.icon
            }
            if isinstance(field, LongTextField):
                field.widget.attrs |= {"rows": 4, "data-behaviour": "autosize"}
            self.fields[self.question_name(question.key)] = field
        self.fields["files"] = FilesField(limits=definition.files)

    @property
    def ticket_title(self) -> str:
        """The valid form's title: the typed one, or the one that the answers make."""
        return self.cleaned_data.get("title") or title_from_answers(self.definition, self.answers)

    def clean(self) -> dict[str, Any]:
        """Validate the process's questions together, because some are only asked after certain answers to others.

        Every channel uses the same function, `clean_values`.
        """
        self.answers: dict[str, Any] = {}
        try:
            self.answers = clean_values(self.questions, self.raw_answers())
        except InvalidData as problem:
            self.show(problem)
        return self.cleaned_data

    def show(self, problem: InvalidData) -> None:
        """Add each message to its field. A message whose field is not in this form goes above the form."""
        for key, messages in problem.errors.items():
            name = self.field_of(key)
            if name not in self.errors:
                self.add_error(name, messages)

    @property
    def title_label(self) -> str:
        return str(self["title"].label if "title" in self.fields else _("Título"))

    def review(self) -> list[tuple[str, str]]:
        """Return the answered questions of the process as (label, answer) in the reader's language."""
        return [
            (str(question.label), text) for question, text in displayed_answers(self.questions, self.answers)
        ]


class ContactFields(forms.Form):
    """The requester's address, name, phone and choice of mails (S0.12, S3.9, S3.10). The address of an account is shown
    but cannot be changed here (S2.1).

    A guest's address that looks mistyped is refused once, with the address that was probably meant. The form then holds
    it in `address_ok`: sent again, it is accepted.
    """

    address_hint = ""
    """The address that was probably meant, where another was typed."""

    email = forms.EmailField(
        label=_("Correo electrónico"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _("Escribe tu correo: ahí te avisaremos."),
            "invalid": _("Escribe un correo válido, como nombre@dominio.com. Ahí te avisaremos."),
        },
    )
    name = LineField(
        label=_("Tu nombre"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    phone = LineField(
        label=_("Teléfono o WhatsApp"),
        max_length=32,
        required=False,
        help_text=_("Te llamamos solo por esta solicitud."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    notify = forms.BooleanField(label=_("Recibir un correo con cada novedad"), required=False)

    def ask_for_contact(self, topic: Topic, user: User | None) -> None:
        """Ask what the topic's process needs of `user`, or of a guest."""
        self.user = user
        mode = topic.definition.phone
        if mode == "hidden":
            del self.fields["phone"]
        elif mode == "required":
            self.fields["phone"].required = True
            self.fields["phone"].error_messages["required"] = _("Escribe un teléfono donde podamos llamarte.")
        if user is None:
            del self.fields["notify"]
            self.fields["email"].help_text = _("Ahí recibes tu folio y un enlace para seguir tu solicitud.")
            return
        del self.fields["name"]
        self.fields["email"].initial = user.email
        _skip_field_validation(self.fields["email"])
        self.fields["email"].help_text = _("Es el de tu cuenta.")
        self.fields["email"].widget.attrs["readonly"] = True
        self.fields["notify"].initial = user.notify_by_email
        if "phone" in self.fields:
            self.fields["phone"].initial = user.phone

    @property
    def misspelt(self) -> str:
        """Return the known misspellings of domains as JSON for js/behaviours/address-hint.js."""
        return json.dumps(MISSPELT, separators=(",", ":"))

    def clean_email(self) -> str:
        """Return the account's address, whatever was posted; for a guest, the typed one in lower case."""
        if self.user:
            return self.user.email
        email: str = self.cleaned_data["email"].lower()
        self.address_hint = probable_address(email)
        if self.address_hint and self.data.get("address_ok", "").lower() != email:
            raise forms.ValidationError(
                _("¿Quisiste decir %(address)s? Si está bien como lo escribiste, envía otra vez.")
                % {"address": self.address_hint},
                code="unlikely",
            )
        return email

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        if phone:
            phone_validator(phone)
        return phone


class ContactForm(ContactFields):
    """The last step of the guide."""

    def __init__(self, *args: Any, topic: Topic, user: User | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ask_for_contact(topic, user)

    def show(self, problem: InvalidData) -> bool:
        """Add the messages to their fields and return True. If one has no field here, add none and return False."""
        if not problem.errors.keys() <= self.fields.keys():
            return False
        for key, messages in problem.errors.items():
            self.add_error(key, messages)
        return True


class OnePageForm(ContactFields, DetailsForm):
    """Everything that the guide asks, on one page: for the home page (S1.6)."""

    def __init__(self, *args: Any, topic: Topic, user: User | None, **kwargs: Any) -> None:
        super().__init__(*args, topic=topic, **kwargs)
        self.ask_for_contact(topic, user)
        questions = [self.question_name(question.key) for question in self.questions]
        self.order_fields([*questions, "title", "description", "files", "name", "phone", "email", "notify"])


def _skip_field_validation(field: forms.Field) -> None:
    """Turn off the field's own validation, because a `clean` method of the form checks the value."""
    field.clean = lambda value: value  # type: ignore[method-assign]
