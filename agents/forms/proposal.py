"""The form that takes parts of a proposal: it posts the values that the person saw."""

import uuid
from typing import Any

from django import forms
from django.db import transaction

from knowledge import proposal_uses
from knowledge.proposals import find_source
from tickets.models import Ticket
from tickets.workflow import properties
from web.forms import StampedForm

from ..access import DeskRequest
from ..pages.proposal import ALL, LABELS

PROPERTIES = [name for name in LABELS if name != "answer"]


class ProposalForm(StampedForm):
    """`take` names the part to take, or all of them; what is posted of the other parts is ignored. `from_<part>` is the
    folio of the solved ticket from which a part comes, which the history names."""

    take = forms.ChoiceField(choices=[(name, name) for name in (*LABELS, ALL)])

    def __init__(self, request: DeskRequest, ticket: Ticket) -> None:
        super().__init__(request.POST)
        self.user = request.user
        self.ticket = ticket
        for name in self.wanted:
            self.fields[name] = properties.property_field(ticket, name, required=True, label=LABELS[name])

    @property
    def taken(self) -> str:
        return str(self.data.get("take", ""))

    @property
    def wanted(self) -> list[str]:
        """The properties to set."""
        return [name for name in PROPERTIES if name in self.data and self.taken in (name, ALL)]

    def source_of(self, name: str) -> str:
        return str(self.data.get(f"from_{name}", ""))

    @property
    def answer_source(self) -> str:
        """The folio from which the answer comes, if it is taken."""
        return self.source_of("answer") if self.taken in ("answer", ALL) else ""

    def clean(self) -> dict[str, Any]:
        named = {self.source_of(name) for name in self.wanted} | ({self.answer_source} - {""})
        if not named or any(find_source(folio, reader=self.user) is None for folio in named):
            raise forms.ValidationError("unknown source")
        return self.cleaned_data

    def stamp(self) -> dict[str, Any]:
        """Each part has a key of its own, because several parts are taken from one page."""
        stamp = super().stamp()
        if stamp["key"]:
            stamp["key"] = str(uuid.uuid5(uuid.UUID(stamp["key"]), self.taken))
        return stamp

    def save(self) -> Ticket:
        values = {name: (self.cleaned_data[name], self.source_of(name)) for name in self.wanted}
        if not values:
            return self.ticket
        with transaction.atomic():
            ticket = properties.take_proposal(self.ticket, actor=self.user, values=values, **self.stamp())
            proposal_uses.note_taken(ticket, actor=self.user)
        return ticket
