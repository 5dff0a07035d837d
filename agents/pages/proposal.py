"""Show what solved tickets propose for a ticket, as rows that are taken with one key each (S3.20)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from knowledge.models import ProposalUse
from knowledge.proposal_uses import use_of
from knowledge.proposals import Part, Proposal, Similar, propose
from tickets import policies
from tickets.models import Ticket

from ..access import DeskRequest

ALL = "todo"
LABELS = {
    "category": gettext_lazy("Categoría"),
    "severity": gettext_lazy("Severidad"),
    "department": gettext_lazy("Departamento"),
    "assignee": gettext_lazy("Responsable"),
    "answer": gettext_lazy("Respuesta"),
}
"""In the order of their keys, 1 to 5. A key stays that of its row whatever other rows there are, so that pressing it
twice takes nothing else."""
KEYS = {name: number for number, name in enumerate(LABELS, 1)}


@dataclass(frozen=True)
class Row:
    """One row: what is proposed, and the key that takes it."""

    part: Part
    label: str

    @property
    def name(self) -> str:
        return self.part.name

    @property
    def key(self) -> int:
        return KEYS[self.name]

    @property
    def value(self) -> Any:
        """Return what the form posts: the key of a row, or the severity."""
        return getattr(self.part.value, "pk", self.part.value)

    @property
    def shown(self) -> str:
        return str(getattr(self.part.value, "label", self.part.value))

    @property
    def gist(self) -> str:
        """Return the answer without its greeting and its last question."""
        return " ".join(" ".join(str(self.part.value).split("\n\n")[1:-1]).split())


class ProposalPage:
    def __init__(self, request: DeskRequest, ticket: Ticket) -> None:
        self.user = request.user
        self.ticket = ticket

    @cached_property
    def set_aside(self) -> ProposalUse | None:
        """Who said that the proposal is not like the ticket, for those who may say otherwise; None if nobody did."""
        use = use_of(self.ticket)
        may_answer = self.ticket.is_open and policies.can_answer(self.user, self.ticket)
        return use if use and use.is_set_aside and may_answer else None

    @cached_property
    def proposal(self) -> Proposal | None:
        return None if self.set_aside else propose(self.ticket, by=self.user)

    @cached_property
    def rows(self) -> list[Row]:
        parts = self.proposal.parts if self.proposal else []
        severity = self.ticket.definition.severity_label
        labels: Mapping[str, Any] = LABELS | ({"severity": severity} if severity else {})
        return [Row(part, str(labels[part.name])) for part in parts]

    @property
    def similar(self) -> list["ShownCase"]:
        return [ShownCase(each) for each in self.proposal.shown] if self.proposal else []

    @property
    def left(self) -> int:
        """How many parts are left to take."""
        return sum(not row.part.is_taken for row in self.rows)

    @property
    def takes_several(self) -> bool:
        """Whether more than one part is left to take."""
        return self.left > 1


@dataclass(frozen=True)
class ShownCase:
    """A solved ticket that is alike, as a card."""

    similar: Similar

    @property
    def ticket(self) -> Ticket:
        return self.similar.ticket

    @property
    def percent(self) -> int:
        return round(100 * self.similar.likeness)

    @property
    def is_close(self) -> bool:
        return self.similar.likeness >= 0.8


def answer_insertion(part: Part) -> dict[str, Any]:
    """Return the proposed answer as the composer inserts it, with its source."""
    return {
        "mode": "follow_up",
        "text": part.value,
        "source": part.source.ticket,
    }
