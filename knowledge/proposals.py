"""Propose what to do with a ticket from solved tickets that are alike (S3.20): category, severity, department, assignee
and the draft of an answer. Nothing applies itself; `tickets.workflow.properties.take_proposal` takes a part."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations
from math import log
from typing import Any

from django.utils import translation
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.names import first_name
from content.empty_words import FILLERS, PLEASANTRIES
from content.search import stems_of, words_of
from content.text import fold, sentences
from content.time_limit import TookTooLong, time_limit
from tickets import policies
from tickets.enums import EventKind, Severity
from tickets.models import ProcessVersion, Ticket
from tickets.search.finding import with_words

from . import personal_data
from .approvals import approved_at
from .from_tickets import names_in, numbered

LOOKED_AT = 100
"""The solved tickets that are compared."""
SECONDS = 0.5
"""How long finding them may take on PostgreSQL: the ticket's page is there already, and a late proposal moves it."""
SHOWN, VOTING = 3, 15
ALIKE = 0.4
"""How alike two tickets must be, from 0 to 1. Below it nothing is proposed."""
TITLE_WORDS, TEXT_WORDS = 8, 25
IN_TEXT = 0.6
"""What a word of one title counts that stands only in the text of the other ticket."""
TEXT_SHARE = 0.15
"""What the words of the texts weigh beside those of the titles."""
APPROVED = 1.5
"""How much more an approved closing counts than another one."""
LONGEST_ANSWER = 2000
SAYS_NOTHING = PLEASANTRIES | FILLERS | {"solicitud"}
"""Words that stand in reports of every kind: sharing them makes no two tickets alike."""


@dataclass(frozen=True)
class Similar:
    """A solved ticket that is like another one. `approved_at` is None if its requester did not approve its closing."""

    ticket: Ticket
    likeness: float
    approved_at: datetime | None

    @property
    def weight(self) -> float:
        return self.likeness * (APPROVED if self.approved_at else 1)


@dataclass(frozen=True)
class Part:
    """One thing that is proposed, and the solved ticket that it comes from. `votes` of `of` similar tickets had it."""

    name: str
    """`category`, `severity`, `department`, `assignee` or `answer`."""
    value: Any
    source: Similar
    votes: int = 1
    of: int = 1
    is_taken: bool = False
    """Whether somebody took it: the ticket has this value now, from a proposal."""


@dataclass(frozen=True)
class Proposal:
    """The solved tickets that are alike, the most telling first, and what they propose. There is at least one."""

    similar: list[Similar]
    parts: list[Part] = field(default_factory=list)

    @property
    def best(self) -> Similar:
        return self.similar[0]

    @property
    def others(self) -> int:
        """How many tickets besides the best are alike."""
        return len(self.similar) - 1

    @property
    def properties(self) -> list[Part]:
        return [part for part in self.parts if part.name != "answer"]

    @property
    def answer(self) -> Part | None:
        return next((part for part in self.parts if part.name == "answer"), None)


def propose(ticket: Ticket, *, by: User) -> Proposal | None:
    """Return what solved tickets propose for an open ticket, or None if nothing that the person may see is alike.

    Only parts that `by` may take now, and that would change something, are proposed. Takes up to fourteen queries,
    whatever the number of tickets.
    """
    if not ticket.is_open or not policies.can_answer(by, ticket):
        return None
    similar = similar_to(ticket, reader=by)
    if not similar:
        return None
    parts = [*_properties(ticket, similar)] if policies.can_edit_properties(by, ticket) else []
    if answer := _answer(ticket, similar):
        parts.append(answer)
    return Proposal(similar, parts)


def similar_to(ticket: Ticket, *, reader: User) -> list[Similar]:
    """Return the solved tickets that are like this one, of those that the person may see: first those whose closing was
    approved, then the most alike."""
    report = _Report(ticket)
    candidates = _candidates(ticket, report, reader)
    approved = approved_at(candidates)
    reports = [_Report(each) for each in candidates]
    rarity = _rarity(reports)
    found = [
        Similar(other.ticket, likeness, approved.get(other.ticket.pk))
        for other in reports
        if (likeness := _likeness(report, other, rarity)) >= ALIKE
    ]
    found.sort(key=lambda each: (each.approved_at is None, -each.likeness, -each.ticket.pk))
    return found[:VOTING]


def find_source(folio: str, *, reader: User) -> Ticket | None:
    """Return the solved ticket with this folio if the person may see it."""
    solved = _solved(reader).filter(folio=folio[:24].replace("\0", ""))
    return next(iter(solved[:1]), None)


def answer_from(ticket: Ticket, folio: str, *, by: User) -> Part | None:
    """Return the answer that is proposed now, if it comes from the ticket with this folio."""
    proposal = propose(ticket, by=by)
    part = proposal.answer if proposal else None
    return part if part and part.source.ticket.folio == folio else None


# --- Which tickets are alike ------------------------------------------------------------------------------


class _Report:
    """The words of a ticket's title and of the beginning of its text, each as its stems."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket

    @cached_property
    def title(self) -> list[frozenset[str]]:
        return _telling(self.ticket.title, TITLE_WORDS)

    @cached_property
    def text(self) -> list[frozenset[str]]:
        return _telling(self.ticket.excerpt, TEXT_WORDS)

    @cached_property
    def title_stems(self) -> frozenset[str]:
        return frozenset().union(*self.title)

    @cached_property
    def stems(self) -> frozenset[str]:
        return self.title_stems.union(*self.text)


def _telling(text: str, most: int) -> list[frozenset[str]]:
    words = [word for word in words_of(text, 2 * most) if fold(word) not in SAYS_NOTHING]
    return list(dict.fromkeys(stems for word in words[:most] if (stems := stems_of(word))))


def _solved(reader: User) -> Any:
    seen = Ticket.objects.visible_to(reader).closed()
    solved = seen.filter(closed_at__isnull=False, is_test=False, duplicate_of=None)
    return solved.exclude(solution_done="")


def _candidates(ticket: Ticket, report: _Report, reader: User) -> list[Ticket]:
    """Return the newest solved tickets that have at least two words of the report's title, or of its title and text if
    the title says too little, by the index of the history. Returns none if the database takes too long.

    «Two of n words» is written as the index reads queries: of each n - 1 of them, one.
    """
    words = (report.title if len(report.title) > 1 else [*report.title, *report.text])[:TITLE_WORDS]
    if len(words) < 2:
        return []
    query = [sorted(frozenset().union(*some)) for some in combinations(words, len(words) - 1)]
    found = _solved(reader).exclude(pk=ticket.pk).select_related("category", "department", "assignee")
    try:
        with time_limit(SECONDS):
            return list(with_words(found, query).order_by("-closed_at", "-pk")[:LOOKED_AT])
    except TookTooLong:
        return []


def _rarity(reports: Collection[_Report]) -> Callable[[frozenset[str]], float]:
    """Return the function that says how telling a word is: the more, the fewer of the reports have it."""
    counts: dict[str, int] = {}
    for report in reports:
        for stem in report.stems:
            counts[stem] = counts.get(stem, 0) + 1
    total = len(reports) + 1

    def of(word: frozenset[str]) -> float:
        return 1 + log(total / (1 + max((counts.get(stem, 0) for stem in word), default=0)))

    return of


def _likeness(one: _Report, other: _Report, rarity: Callable[[frozenset[str]], float]) -> float:
    """Return from 0 to 1 how alike two reports are: the share of each one's title that the other has, and a little for
    the words of their texts. Fewer than two words in common are none."""
    common = sum(1 for word in {*one.title, *one.text} if not word.isdisjoint(other.stems))
    if common < 2:
        return 0.0
    titles = (_share(one, other, rarity) + _share(other, one, rarity)) / 2
    texts = [word for word in one.text if not word.isdisjoint(other.stems)]
    told = sum(map(rarity, texts)) / (sum(map(rarity, one.text)) or 1)
    return (1 - TEXT_SHARE) * titles + TEXT_SHARE * told


def _share(one: _Report, other: _Report, rarity: Callable[[frozenset[str]], float]) -> float:
    asked = one.title or one.text
    total = sum(map(rarity, asked))
    if not total:
        return 0.0
    found = 0.0
    for word in asked:
        if not word.isdisjoint(other.title_stems):
            found += rarity(word)
        elif not word.isdisjoint(other.stems):
            found += IN_TEXT * rarity(word)
    return found / total


# --- What they propose ------------------------------------------------------------------------------------


def _properties(ticket: Ticket, similar: Sequence[Similar]) -> Iterable[Part]:
    """Yield what would change, and what was taken. Category, severity and department mean the same only inside one
    process."""
    process = _process_of(ticket)
    alike = [each for each in similar if _process_of(each.ticket) == process]
    found = [
        _majority("category", alike, lambda each: _in_use(each.category)),
        _majority("severity", alike, lambda each: Severity(each.severity)),
        _majority("department", alike, lambda each: _in_use(each.department)),
        _commonest("assignee", similar, lambda each: each.acting_assignee),
    ]
    taken = _taken(ticket)
    for part in filter(None, found):
        if getattr(ticket, part.name) != part.value:
            if part.name != "assignee" or ticket.acting_assignee is None:
                yield part
        elif part.name in taken:
            yield replace(part, is_taken=True)


def _in_use(row: Any) -> Any:
    return row if row is not None and row.is_active else None


def _taken(ticket: Ticket) -> set[str]:
    """Return the names of the properties that were set from a proposal."""
    events = ticket.events.filter(kind__in=(EventKind.PROPERTIES, EventKind.ASSIGNED), data__has_key="source")
    changes = events.values_list("data__changes", flat=True)
    return {name.removesuffix("_id") for each in changes for name in each or ()}


def _process_of(ticket: Ticket) -> int:
    return ProcessVersion.objects.process_of(ticket.process_version_id)


def _majority(name: str, similar: Sequence[Similar], value_of: Callable[[Ticket], Any]) -> Part | None:
    """Return the value that more than half of the similar tickets have, by their weight."""
    part = _commonest(name, similar, value_of)
    if part is None:
        return None
    agreeing = sum(each.weight for each in similar if value_of(each.ticket) == part.value)
    return part if 2 * agreeing > sum(each.weight for each in similar) else None


def _commonest(name: str, similar: Sequence[Similar], value_of: Callable[[Ticket], Any]) -> Part | None:
    """Return the value that most of the similar tickets have, by their weight, with the best of those as its source."""
    weights: dict[Any, float] = {}
    for each in similar:
        if (value := value_of(each.ticket)) is not None:
            weights[value] = weights.get(value, 0) + each.weight
    if not weights:
        return None
    winner = max(weights, key=lambda value: weights[value])  # the first among equals, which is the best one's
    agreeing = [each for each in similar if value_of(each.ticket) == winner]
    return Part(name, winner, agreeing[0], len(agreeing), len(similar))


def _answer(ticket: Ticket, similar: Sequence[Similar]) -> Part | None:
    """Return the draft of an answer from the best approved closing whose solution says something without the personal
    data of its ticket, and in the requester's language."""
    for each in similar:
        if each.approved_at is None:
            return None  # the approved ones come first
        if each.ticket.requester_language != ticket.requester_language:
            continue
        if text := _without_personal_data(each.ticket):
            return Part("answer", _written_to(ticket, text), each)
    return None


def _without_personal_data(source: Ticket) -> str:
    """Return the steps for the requester, or else what was done, without the lines that have personal data: those of
    what was done are its sentences."""
    names = names_in(source)

    def clean(pieces: Iterable[str]) -> list[str]:
        of_all = (piece for piece in pieces if not personal_data.is_about_one(piece))
        marked = (personal_data.mark(piece, names=names) for piece in of_all)
        return [piece.strip() for piece in marked if piece.strip() and not personal_data.marks_in(piece)]

    if steps := clean(source.solution_steps.splitlines()):
        return numbered("\n".join(steps))
    return " ".join(clean(sentences(source.solution_done)))


def _written_to(ticket: Ticket, text: str) -> str:
    with translation.override(ticket.requester_language):
        return _(
            "Hola, %(name)s. En un caso parecido funcionó esto:\n\n%(text)s\n\n¿Nos cuentas si te sirvió?"
        ) % {
            "name": first_name(ticket.requester_name),
            "text": text[:LONGEST_ANSWER],
        }
