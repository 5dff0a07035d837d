"""Show what solved tickets propose for a ticket, as rows that are taken with one key each (S3.20)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils import translation
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.names import first_name
from content.text import fold
from knowledge.models import ProposalUse
from knowledge.proposal_uses import use_of
from knowledge.proposals import SHOWN, Part, Proposal, Similar, propose
from tickets import policies
from tickets.models import Ticket

from ..access import DeskRequest
from .knowledge import Knowledge

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
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


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
    def is_taken(self) -> bool:
        return self.part.is_taken

    @property
    def value(self) -> Any:
        """Return what the form posts: the key of a row, or the severity."""
        return getattr(self.part.value, "pk", self.part.value)

    @property
    def shown(self) -> str:
        return str(getattr(self.part.value, "label", self.part.value))


@dataclass(frozen=True)
class Answer:
    """The row of the proposed answer: its text, the solved ticket that it comes from, and the article that it cites, a
    row of `Knowledge`. It has one of the two, or both."""

    value: str
    source: Ticket | None
    article: dict[str, Any] | None
    label: str = ""
    name: str = "answer"
    is_taken: bool = False

    @property
    def key(self) -> int:
        return KEYS[self.name]

    @property
    def origin(self) -> str:
        """What the address calls the answer: the folio of the ticket, or the address of the article."""
        return self.source.folio if self.source else str(self.article and self.article["slug"])

    @property
    def gist(self) -> str:
        """Return the answer without its greeting, its last question and the address of its article."""
        paragraphs = str(self.value).split("\n\n")[1:-1]
        return " ".join(_LINK.sub(r"\1", " ".join(paragraphs)).split())


def answer_of(ticket: Ticket, part: Part | None, article: dict[str, Any] | None) -> Answer | None:
    """Return the proposed answer: the one from a solved ticket, with the article that explains the same, or the article
    alone. None without either."""
    if part is None and article is None:
        return None
    with translation.override(ticket.requester_language):
        cited = _("Lo explicamos paso a paso aquí: %(link)s") % {"link": article["text"]} if article else ""
        if part is None:
            name = {"name": first_name(ticket.requester_name)}
            pieces = [_("Hola, %(name)s.") % name, cited, _("¿Nos cuentas si te sirvió?")]
        else:
            *said, question = str(part.value).split("\n\n")
            pieces = [*said, *filter(None, [cited]), question]
    return Answer("\n\n".join(pieces), part.source.ticket if part else None, article)


class ProposalPage:
    def __init__(self, request: DeskRequest, ticket: Ticket) -> None:
        self.request = request
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
    def answer(self) -> Answer | None:
        may_answer = self.ticket.is_open and policies.can_answer(self.user, self.ticket)
        if self.set_aside or not may_answer:
            return None
        part = self.proposal.answer if self.proposal else None
        return answer_of(self.ticket, part, Knowledge(self.request, self.ticket).cited)

    @cached_property
    def rows(self) -> list[Row | Answer]:
        parts = self.proposal.properties if self.proposal else []
        severity = self.ticket.definition.severity_label
        labels: Mapping[str, Any] = LABELS | ({"severity": severity} if severity else {})
        rows: list[Row | Answer] = [Row(part, str(labels[part.name])) for part in parts]
        return [*rows, replace(self.answer, label=str(LABELS["answer"]))] if self.answer else rows

    @cached_property
    def similar(self) -> list["ShownCase"]:
        """The solved tickets to show: the same solution is told once."""
        told: dict[str, Similar] = {}
        for each in self.proposal.similar if self.proposal else ():
            told.setdefault(fold(each.ticket.solution_done).strip(), each)
        return [ShownCase(each) for each in list(told.values())[:SHOWN]]

    @property
    def left(self) -> int:
        """How many parts are left to take."""
        return sum(not row.is_taken for row in self.rows)

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


def answer_insertion(answer: Answer) -> dict[str, Any]:
    """Return the proposed answer as the composer inserts it, with what it comes from."""
    return {"mode": "follow_up", "text": answer.value, "answer": answer}
