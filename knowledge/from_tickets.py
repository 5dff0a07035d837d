"""Write articles from solved tickets: the draft that a solution makes, and which solutions are worth an article."""

from dataclasses import dataclass, field

from django.db.models import QuerySet

from accounts.models import User
from content.search import dice, stems_in
from content.text import clean_line, without_list_mark
from tickets.models import Ticket

from . import personal_data
from .approvals import approved_at
from .enums import ChangeKind
from .models import ArticleChange
from .models.article import TITLE

LOOKED_AT = 300
"""The newest closed tickets whose solutions are compared, and the newest articles that are asked for their source."""
MOST = 30
ALIKE = 0.4
"""The share of their words that two solutions of one category have in common, from which they count as alike."""
WORDS = 60
SHORTEST_NAME = 3


@dataclass(frozen=True)
class Draft:
    """The beginning of an article. Personal data stands between the marks of `personal_data`."""

    title: str
    body: str


@dataclass
class Candidate:
    """Tickets of one category whose approved solutions are alike: the newest one, and how many they are."""

    ticket: Ticket
    stems: frozenset[str]
    count: int = 1
    folios: list[str] = field(default_factory=list)


def draft_of(ticket: Ticket) -> Draft:
    """Return a draft with the steps and what was done, with personal data marked: names of requester and assignee,
    addresses, long numbers, plates and folios."""
    names = names_in(ticket)
    parts = []
    if ticket.solution_steps.strip():
        parts.append(numbered(ticket.solution_steps))
    if ticket.solution_done.strip():
        parts.append(ticket.solution_done.strip())
    body = personal_data.mark("\n\n".join(parts), names=names)
    title = personal_data.mark(clean_line(ticket.title, max_length=TITLE * 4)[: TITLE - 20], names=names)
    return Draft(title[:TITLE], body)


def candidates(reader: User, *, limit: int = MOST) -> list[Candidate]:
    """Return the solutions that were approved most often among the newest `LOOKED_AT` closed tickets that the person
    may see. Those of which an article was written are left out. Takes up to five queries."""
    found: list[Candidate] = []
    for ticket in approved(Ticket.objects.visible_to(reader), limit=LOOKED_AT):
        stems = stems_in(f"{ticket.title} {ticket.solution_done} {ticket.solution_steps}", WORDS)
        like = next((each for each in found if _is_alike(each, ticket, stems)), None)
        if like is None:
            found.append(Candidate(ticket, stems, folios=[ticket.folio]))
        else:
            like.count += 1
            like.folios.append(ticket.folio)
    written = _written()
    found = [each for each in found if not written.intersection(each.folios)]
    found.sort(key=lambda each: -each.count)  # stable: the newest first among equals
    return found[:limit]


def source_of(article_id: int) -> str:
    """Return the folio of the ticket from whose solution the article was written, or ""."""
    made = ArticleChange.objects.filter(article=article_id, kind=ChangeKind.CREATED).values_list(
        "data", flat=True
    )
    return str(next((data.get("source", "") for data in made[:1]), ""))


def approved(tickets: "QuerySet[Ticket]", *, limit: int) -> list[Ticket]:
    """Return those with a solution whose closing their requester approved, of the `limit` newest closed ones. Takes
    up to three queries."""
    closed = tickets.filter(closed_at__isnull=False, is_test=False, duplicate_of=None)
    closed = closed.exclude(solution_done="").select_related("category").order_by("-closed_at", "-pk")
    newest = list(closed[:limit])
    approvals = approved_at(newest)
    return [ticket for ticket in newest if ticket.pk in approvals]


def _written() -> set[str]:
    """Return the folios of which an article was written, among the newest articles."""
    made = ArticleChange.objects.filter(kind=ChangeKind.CREATED).order_by("-pk")
    return {data.get("source", "") for data in made.values_list("data", flat=True)[:LOOKED_AT]} - {""}


def _is_alike(candidate: Candidate, ticket: Ticket, stems: frozenset[str]) -> bool:
    return candidate.ticket.category_id == ticket.category_id and dice(candidate.stems, stems) >= ALIKE


def names_in(ticket: Ticket) -> tuple[str, ...]:
    """Return the names of requester and assignee, whole and each word of them."""
    whole = [ticket.requester_name, ticket.assignee.name if ticket.assignee else ""]
    words = [word for name in whole for word in name.split() if len(word) >= SHORTEST_NAME]
    return tuple(dict.fromkeys([*whole, *words]))


def numbered(text: str) -> str:
    """Number the lines of `text` as steps, if they are several and not numbered yet."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) < 2:
        return text.strip()
    return "\n".join(f"{number}. {without_list_mark(line)}" for number, line in enumerate(lines, 1))
