"""Base of the forms about a ticket, with version and key (`StampedForm`); the form of an action (`ActionForm`); the
questions of a form that files a ticket (`QuestionsForm`)."""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from content.errors import InvalidData
from tickets.actors import Actor
from tickets.definitions.definition import Action, Definition, FieldDefinition
from tickets.definitions.fields import answers_match, is_answer
from tickets.models import Ticket
from tickets.workflow.asks import ScreenshotsField, asked_by, fields_of

from .files import FilesField


class _Lenient:
    """Mixin for a hidden field: an unreadable value counts as None, because our page wrote it and nobody could correct
    it."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)  # type: ignore[misc]
        except ValidationError:
            return None


class VersionField(_Lenient, forms.IntegerField):
    """The version of the ticket that the page showed."""


class KeyField(_Lenient, forms.UUIDField):
    """The form's key: a verb called again with the same key does nothing."""


class StampedForm(forms.Form):
    """Base of the forms about a ticket. Carries the ticket's version that the page showed, and the key that makes a
    repeated form do nothing."""

    field_names: Mapping[str, str] = {}
    """Maps the names that a verb uses in its errors to the fields of this form."""

    # Without ids, because a page may have several of these forms.
    version = VersionField(
        required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput(attrs={"id": False})
    )
    key = KeyField(required=False, widget=forms.HiddenInput(attrs={"id": False}))

    def stamp(self) -> dict[str, Any]:
        """Return `version` and `key` for the verb, each None if it is missing. A version that cannot be read is None.

        A key that cannot be read is replaced by one made from the posted form, so that the form still acts once.

        Cleans no other field: cleaning them would look up accounts and folios, and somebody to whom the action is not
        offered could find out which of them exist.
        """
        version, key = (self.fields[name].clean(self[name].data) for name in ("version", "key"))
        if key is None and self["key"].data:
            key = key_of(self.data)
        return {"version": version, "key": str(key) if key else None}

    def show(self, problem: InvalidData) -> None:
        """Add each message of `problem` to its field; messages of other fields go above the form."""
        for key, messages in problem.errors.items():
            name = self.field_names.get(key, key)
            self.add_error(name if name in self.fields else None, messages)


def key_of(data: Mapping[str, Any]) -> uuid.UUID:
    """Return a key made from everything that a form posts: the same form posted twice has the same key."""
    posted = dict(data.lists()) if isinstance(data, QueryDict) else dict(data)
    posted.pop("csrfmiddlewaretoken", None)
    return uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(posted, sort_keys=True, default=str))


class ActionForm(StampedForm):
    """Form of an action: the fields that the action asks for. `perform` validates the answers again.

    With an `actor`, who is staff, it also asks for what the action's guards lack. `files_key` is the `draft_key` of the
    pictures uploaded for it.
    """

    rows = 4

    def __init__(
        self,
        *args: Any,
        action: Action,
        ticket: Ticket,
        actor: Actor | None = None,
        files_key: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        self.definition = ticket.definition
        self.stored = ticket.fields
        self.asks = {ask.field: ask for ask in asked_by(action, ticket, actor=actor)}
        self.asked = fields_of(self.asks.values(), ticket, actor=actor)
        self.files_key = files_key
        for name, field in self.asked.items():
            if is_text(field):
                field.widget.attrs |= {"rows": self.rows, "data-behaviour": "autosize"}
            self.fields[name] = _upload_field(field) if isinstance(field, ScreenshotsField) else field

    @property
    def files_name(self) -> str:
        """The name of the field that takes files; empty if the form has none."""
        return next((name for name, field in self.asked.items() if isinstance(field, ScreenshotsField)), "")

    def clean(self) -> dict[str, Any]:
        """Require the uploaded files, whose own field validates nothing."""
        if name := self.files_name:
            try:
                self.cleaned_data[name] = self.asked[name].clean(self.files_key)
            except ValidationError as problem:
                self.add_error(name, problem)
        return self.cleaned_data

    def asked_fields(self) -> list[dict[str, Any]]:
        """Return a dict for each asked field: `field` is the bound field, `shown_when` the JSON for
        js/behaviours/shown-when.js, empty if the field is always shown.

        A condition on a field that this form does not ask for is checked against the ticket's stored answer. If it
        does not hold, the field is left out.
        """
        drawn = []
        for name, ask in self.asks.items():
            own = self.definition.field(name)
            conditions = own.shown_when if own and not ask.by_guard else {}
            here = {key: values for key, values in conditions.items() if key in self.asked}
            elsewhere = {key: values for key, values in conditions.items() if key not in self.asked}
            if answers_match(elsewhere, self.stored, self.definition.field):
                shown_when = shown_when_data(here, self.definition, self.add_prefix)
                drawn.append({"field": self[name], "shown_when": shown_when})
        return drawn

    def typed_texts(self) -> str:
        """Return the texts typed into this bound form, unchanged, so that another page can show them again."""
        texts = (
            self.data.get(self.add_prefix(name), "") for name, field in self.asked.items() if is_text(field)
        )
        return "\n\n".join(text for text in texts if text.strip())

    def answers(self) -> dict[str, Any]:
        """Return the cleaned answers by field, as `perform` takes them. The form must be valid."""
        return {name: self.cleaned_data[name] for name in self.asked}


class QuestionsForm(forms.Form):
    """Base of the forms that file a ticket. Their fields include the process's `questions`, named by
    `question_name`."""

    definition: Definition
    questions: Sequence[FieldDefinition]

    @staticmethod
    def question_name(key: str) -> str:
        """Return the name of the field for the question `key`; a question may be called «title» as well."""
        return f"answer_{key}"

    def asked_questions(self) -> list[dict[str, Any]]:
        """Return a dict for each question: `field` is the bound field, `shown_when` the JSON for
        js/behaviours/shown-when.js, and `wide` whether it needs a line of its own."""
        return [
            {
                "field": self[self.question_name(question.key)],
                "shown_when": shown_when_data(question.shown_when, self.definition, self.question_name),
                "wide": question.type in ("long_text", "multi_choice"),
            }
            for question in self.questions
        ]

    def raw_answers(self) -> dict[str, Any]:
        """Return the posted answers by question key, as `file_ticket` takes them."""
        answers = {}
        for question in self.questions:
            name = self.question_name(question.key)
            answers[question.key] = self.fields[name].widget.value_from_datadict(self.data, {}, name)
        return answers

    def field_of(self, key: str) -> str | None:
        """Return the name of the field that `key` of an `InvalidData` is about; None if this form has none."""
        return next((name for name in (key, self.question_name(key)) if name in self.fields), None)


def _upload_field(field: ScreenshotsField) -> FilesField:
    """Return the field that uploads what `field` asks for."""
    return FilesField(
        limits=field.limits, label=field.label, help_text=field.help_text, required=field.required
    )


def is_text(field: forms.Field) -> bool:
    """Whether the field is drawn as a textarea."""
    return isinstance(field.widget, forms.Textarea)


def shown_when_data(
    conditions: Mapping[str, Iterable[str]], definition: Definition, input_name: Callable[[str], str]
) -> str:
    """Return `conditions` as JSON for js/behaviours/shown-when.js: the values that show the field, by input name.

    `input_name` makes an input's name from a field's key. A ticked checkbox posts «on» and an unticked one nothing, so
    the answers of a yes/no field become «on» and «». Returns an empty string if there are no conditions.
    """
    if not conditions:
        return ""
    return json.dumps(
        {
            input_name(key): [_posted(value, definition.field(key)) for value in values]
            for key, values in conditions.items()
        }
    )


def _posted(answer: str, field: FieldDefinition | None) -> str:
    if field is None or field.type != "yes_no":
        return answer
    return "on" if is_answer(True, answer, field) else ""
