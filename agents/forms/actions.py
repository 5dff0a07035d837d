"""What an action of a process asks, drawn from its own fields; no action has a form of its own making."""

import json
from typing import Any

from django import forms

from tickets.definitions.definition import Action
from tickets.models import Ticket
from tickets.workflow.asks import fields_of

from .base import StampedForm


class ActionForm(StampedForm):
    """The verb judges the answers once more."""

    def __init__(self, *args: Any, action: Action, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        self.definition = ticket.definition
        self.asked = fields_of(action, ticket, ticket.definition)
        for name, field in self.asked.items():
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs |= {"rows": 4, "data-behaviour": "autosize"}
            self.fields[name] = field

    def asked_fields(self) -> list[dict[str, Any]]:
        """Each with the answers that bring it up, if it is not always asked (js/behaviours/shown-when.js)."""
        drawn = []
        for name in self.asked:
            own = self.definition.field(name)
            shown_when = {key: list(values) for key, values in own.shown_when.items()} if own else {}
            drawn.append({"field": self[name], "shown_when": json.dumps(shown_when) if shown_when else ""})
        return drawn

    def answers(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.asked}
