"""The form that files a ticket for somebody who called or wrote elsewhere."""

from typing import Any

from django import forms
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from content.errors import InvalidData
from content.form_fields import LineField, LongTextField
from tickets.definitions.fields import form_field
from tickets.enums import Channel
from tickets.exceptions import NotAllowed
from tickets.models import Category, Process, Ticket
from tickets.requesters.accounts import create_account
from tickets.workflow.intake import TITLE_LENGTH, Requester, file_ticket
from web.files import FilesField
from web.forms import KeyField, QuestionsForm, StampedForm

CHANNELS = [
    (channel.value, channel.label)
    for channel in (Channel.PHONE, Channel.WHATSAPP, Channel.EMAIL, Channel.WEB)
]


class NewTicketForm(QuestionsForm, StampedForm):
    """The form for a new ticket of one category, or of a process without categories. The process decides which further
    questions are asked.

    `file_ticket` validates everything again, as it does for every channel.
    """

    batch = KeyField(required=False, widget=forms.HiddenInput)
    """Names the files that were uploaded with this form. It stays when the form is opened again; `key` does not."""
    channel = forms.ChoiceField(label=_("¿Por dónde llegó?"), choices=CHANNELS)
    email = forms.EmailField(
        label=_("Correo del solicitante"),
        max_length=254,
        help_text=_("Si tiene cuenta con este correo, el ticket será suyo."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    name = LineField(label=_("Nombre"), max_length=120, required=False)
    phone = LineField(label=_("Teléfono"), max_length=32, required=False)
    open_account = forms.BooleanField(
        label=_("Crear su cuenta si no la tiene"),
        required=False,
        help_text=_("Le avisaremos por correo cómo entrar."),
    )
    title = LineField(label=_("Título"), max_length=TITLE_LENGTH)
    description = LongTextField(
        label=_("¿Qué pasó?"),
        widget=forms.Textarea(attrs={"rows": 6, "data-behaviour": "autosize"}),
    )

    def __init__(self, *args: Any, process: Process, category: Category | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.process, self.category = process, category
        self.definition = definition = process.definition
        if definition.phone == "required":
            self.fields["phone"].required = True
        for name, text in (("title", definition.title_label), ("description", definition.description_label)):
            if text:
                self.fields[name].label = str(text)
        if definition.title_from:
            self.fields["title"].required = False
            self.fields["title"].help_text = _("Si lo dejas vacío, se forma con las respuestas.")
        if definition.description_help:
            self.fields["description"].help_text = str(definition.description_help)
        self.questions = definition.intake_fields(category.key if category else "")
        for question in self.questions:
            self.fields[self.question_name(question.key)] = form_field(question)
        self.fields["files"] = FilesField(limits=definition.files)

    @classmethod
    def unbound_from(
        cls, typed: QueryDict, *, process: Process, category: Category | None
    ) -> "NewTicketForm":
        """Return an unbound form with what was typed so far, so that it shows no errors yet."""
        form = cls(process=process, category=category)
        form.initial = {
            name: field.widget.value_from_datadict(typed, {}, name)
            for name, field in form.fields.items()
            if name != "files"
        }
        return form

    @transaction.atomic
    def save(self, *, actor: User, draft_key: str) -> Ticket:
        """File the ticket and, if asked for, create the account: both or neither. Raises what the verbs raise."""
        given = self.cleaned_data
        account = User.objects.filter(email=given["email"].lower(), is_active=True).first()
        try:
            ticket = file_ticket(
                self.process,
                actor=actor,
                title=given["title"],
                description=given["description"],
                category=self.category,
                requester=Requester(
                    email=given["email"], name=given["name"], phone=given["phone"], user=account
                ),
                phone=given["phone"],
                fields=self.raw_answers(),
                draft_key=draft_key,
                channel=Channel(given["channel"]),
                key=self.stamp()["key"],
            )
        except InvalidData as problem:
            raise InvalidData({self.field_of(k) or k: v for k, v in problem.errors.items()}) from problem
        if given["open_account"] and ticket.requester_id is None:
            key = self.stamp()["key"]
            name = given["name"] or ticket.requester_name
            try:
                create_account(
                    ticket, actor=actor, email=given["email"], name=name, key=key and f"{key} account"
                )
            except NotAllowed as problem:  # the ticket went to a department that this person cannot see
                elsewhere = gettext(
                    "El ticket va a otro departamento. Créalo sin abrir la cuenta: allí la abrirán."
                )
                raise InvalidData({"open_account": [elsewhere]}) from problem
        return ticket

    def done(self, ticket: Ticket) -> str:
        return gettext("Creamos el ticket %(folio)s.") % {"folio": ticket.folio}
