"""Forms that change a ticket, for every face: what each carries along, and the form of a process's action."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from content.errors import InvalidData
from tickets.definitions.definition import Action, Definition
from tickets.definitions.fields import conditions_hold
from tickets.models import Ticket
from tickets.workflow.asks import fields_of


class _Lenient:
    """A hidden field that takes a value it cannot read for no value: our own pages wrote it, a person did not."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)  # type: ignore[misc]
        except ValidationError:
            return None


class VersionField(_Lenient, forms.IntegerField):
    """The version of the ticket that the page showed."""


class KeyField(_Lenient, forms.UUIDField):
    """What makes a second sending of the same form do nothing."""


class StampedForm(forms.Form):
    """Every form about a ticket: carries the version that its page showed and the key that makes it happen once."""

    shown_as: Mapping[str, str] = {}
    """Under which field the form shows a message that the verb has for another name."""

    version = VersionField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    key = KeyField(required=False, widget=forms.HiddenInput)

    def stamp(self) -> dict[str, Any]:
        """Return `version=` and `key=` for the verb, None where the form brought nothing readable.

        Reads these two fields alone: other fields look up accounts and folios, which somebody to whom the action is not
        offered must not be able to try out.
        """
        version, key = (self.fields[name].clean(self[name].data) for name in ("version", "key"))
        return {"version": version, "key": str(key) if key else None}

    def show(self, problem: InvalidData) -> None:
        """Put each message beside its field; a message without a field here goes above the form."""
        for key, messages in problem.errors.items():
            name = self.shown_as.get(key, key)
            self.add_error(name if name in self.fields else None, messages)


class ActionForm(StampedForm):
    """What an action of the process asks, drawn from its own fields. The verb validates the answers once more."""

    rows = 4

    def __init__(self, *args: Any, action: Action, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        self.definition = ticket.definition
        self.stored = ticket.fields
        self.asked = fields_of(action, ticket, ticket.definition)
        for name, field in self.asked.items():
            if is_text(field):
                field.widget.attrs |= {"rows": self.rows, "data-behaviour": "autosize"}
            self.fields[name] = field

    def asked_fields(self) -> list[dict[str, Any]]:
        """Return each asked field with `shown_when`: the JSON for js/behaviours/shown-when.js, empty if always shown.

        A field whose condition rests on an answer that is not asked here is judged by the ticket's stored answer:
        it is left out where that answer does not bring it up.
        """
        drawn = []
        for name in self.asked:
            own = self.definition.field(name)
            conditions = own.shown_when if own else {}
            here = {key: values for key, values in conditions.items() if key in self.asked}
            elsewhere = {key: values for key, values in conditions.items() if key not in self.asked}
            if conditions_hold(elsewhere, self.stored):
                shown_when = shown_when_data(here, self.definition, self.add_prefix)
                drawn.append({"field": self[name], "shown_when": shown_when})
        return drawn

    def written(self) -> str:
        """Return the texts somebody typed into this bound form, as typed, so that they can be shown elsewhere."""
        texts = (
            self.data.get(self.add_prefix(name), "") for name, field in self.asked.items() if is_text(field)
        )
        return "\n\n".join(text for text in texts if text.strip())

    def answers(self) -> dict[str, Any]:
        """Return the cleaned answers by field, as `perform` takes them. Only for a valid form."""
        return {name: self.cleaned_data[name] for name in self.asked}


def is_text(field: forms.Field) -> bool:
    """Whether the field is drawn as a box for several lines."""
    return isinstance(field.widget, forms.Textarea)


def shown_when_data(
    conditions: Mapping[str, Iterable[str]], definition: Definition, input_name: Callable[[str], str]
) -> str:
    """Return `conditions` as JSON for js/behaviours/shown-when.js: the name of each input and the values that count.

    `input_name` makes the name of an input from a question's key. A ticked box posts «on», so the answer «True» of a
    yes/no question becomes «on». Returns an empty text where there are no conditions.
    """
    if not conditions:
        return ""
    boxes = {question.key for question in definition.fields if question.type == "yes_no"}
    return json.dumps(
        {
            input_name(key): ["on" if key in boxes and value == "True" else value for value in values]
            for key, values in conditions.items()
        }
    )
