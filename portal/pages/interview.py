"""The questions of a report, asked one at a time (S0.8): those of the guide, in its order, from its own forms.

What was answered is in the `ReportDraft`: a question has been answered if its name is among the draft's values, with an
empty answer if the person skipped it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.definitions.definition import FieldDefinition
from tickets.definitions.fields import display, form_field, is_blank, is_shown, to_json_value
from tickets.models import ReportDraft

from .. import drafts
from ..forms.filing import ContactForm, DetailsForm
from .topics import Topic

FILES = "files"
BUTTONS = 6
"""A choice with up to so many options is answered with buttons, one with more by a list."""
Values = dict[str, list[str]]


@dataclass(frozen=True)
class Answered:
    """A question with its answer in words."""

    name: str
    label: str
    text: str


class Interview:
    """The questions of one topic and the answers in `draft`. With `is_short` only what must be answered is asked."""

    def __init__(
        self, draft: ReportDraft, topic: Topic, *, user: User | None, is_short: bool = False
    ) -> None:
        self.draft, self.topic, self.user = draft, topic, user
        self.is_short = is_short
        self.typed = drafts.as_data(draft.values)
        self.details = DetailsForm(self.typed, topic=topic)
        self.contact = ContactForm(contact_data(draft, user), topic=topic, user=user)

    @cached_property
    def names(self) -> list[str]:
        """The names of the questions in the order in which they are asked."""
        return [*self._of_details(), *self._of_contact()]

    def _of_details(self) -> Iterator[str]:
        raw = self.details.raw_answers()
        field_of = self._questions.get
        for name, field in self.details.fields.items():
            question = self._question_of(name)
            if question and not is_shown(question, raw, field_of):
                continue
            if name == FILES and not self.topic.definition.files.max_files:
                continue
            needed = (question.required if question else field.required) or name in ("title", "description")
            if needed or not self.is_short:
                yield name

    def _of_contact(self) -> Iterator[str]:
        order = ("email", "name", "phone") if self.user is None else ("phone",)
        for name in order:
            field = self.contact.fields.get(name)
            if field is not None and (field.required or not self.is_short):
                yield name

    @cached_property
    def _questions(self) -> dict[str, FieldDefinition]:
        return {question.key: question for question in self.details.questions}

    def _question_of(self, name: str) -> FieldDefinition | None:
        return self._questions.get(name.removeprefix("answer_")) if name.startswith("answer_") else None

    def form_of(self, name: str) -> forms.Form:
        return self.details if name in self.details.fields else self.contact

    def kept_in(self, name: str) -> Values:
        """Return the column of the draft that holds the answer."""
        return self.draft.values if name in self.details.fields else self.draft.contact

    def is_answered(self, name: str) -> bool:
        return name in self.kept_in(name) and not self.errors(name)

    def errors(self, name: str) -> list[str]:
        return [str(error) for error in self.form_of(name).errors.get(name, [])]

    @property
    def first_open(self) -> str:
        """The name of the first question without a valid answer; empty if all have one."""
        return next((name for name in self.names if not self.is_answered(name)), "")

    def before(self, name: str) -> str:
        """Return the name of the question before this one, or before the summary for an empty name; empty if it is the
        first."""
        place = self.names.index(name) if name in self.names else len(self.names)
        return self.names[place - 1] if place else ""

    def may_skip(self, name: str) -> bool:
        question = self._question_of(name)
        if question is not None:
            return not question.required and question.type != "yes_no"
        return name == FILES or not self.form_of(name).fields[name].required

    def answered(self, *, until: str = "") -> list[Answered]:
        """Return the questions answered so far, each with its answer in words; only those before `until`, if it is
        named."""
        names = self.names[: self.names.index(until)] if until in self.names else self.names
        return [
            Answered(name, self.label(name), self.words(name)) for name in names if self.is_answered(name)
        ]

    def label(self, name: str) -> str:
        return str(self.form_of(name).fields[name].label)

    def words(self, name: str) -> str:
        """Return the answer as text in the reader's language, «Sin respuesta» if the question was skipped."""
        if name == FILES:
            return ", ".join(self.draft_files) or _("Sin archivos")
        question = self._question_of(name)
        given = self.kept_in(name).get(name, [])
        if question is None:
            return given[-1] if given and given[-1].strip() else _("Sin respuesta")
        raw: Any = given if question.type == "multi_choice" else (given[-1] if given else "")
        try:
            value = to_json_value(form_field(question).clean(raw))
        except ValidationError:
            return ""
        if question.type != "yes_no" and is_blank(value):
            return _("Sin respuesta")
        return display(question, value)

    draft_files: tuple[str, ...] = ()
    """The names of the files that wait to be sent. The page sets them."""

    def bound(self, name: str, *, with_errors: bool) -> Any:
        """Return the field of a question, as a page draws it: with what was answered, or with what was refused."""
        form = self.form_of(name)
        if with_errors:
            return form[name]
        unbound = self._unbound(form)
        field = unbound[name]
        given = self.kept_in(name).get(name)
        if given:
            multiple = isinstance(field.field, forms.MultipleChoiceField)
            unbound.initial[name] = given if multiple else given[-1]
        return field

    def _unbound(self, form: forms.Form) -> forms.Form:
        if form is self.details:
            return DetailsForm(topic=self.topic)
        return ContactForm(topic=self.topic, user=self.user)

    def options(self, name: str) -> list[tuple[str, str, str]]:
        """Return value, label and icon of each button that answers the question; empty if it is answered otherwise."""
        question = self._question_of(name)
        if question is None:
            return []
        if question.type == "yes_no":
            return [("on", _("Sí"), "check-lg"), ("", _("No"), "x-lg")]
        if question.type == "choice" and len(question.options) <= BUTTONS:
            return [(option.key, str(option.label), option.icon) for option in question.options]
        return []


def contact_data(draft: ReportDraft, user: User | None) -> Any:
    """Return what was answered about the contact, as data of the guide's last form. An address that was accepted once,
    though it looks mistyped, is accepted again."""
    data = drafts.as_data(draft.contact)
    if user is not None and user.notify_by_email and "seen" not in draft.contact:
        data.setlist("notify", ["on"])
    if draft.contact.get("email"):
        data.setlist("address_ok", draft.contact["email"])
    return data
