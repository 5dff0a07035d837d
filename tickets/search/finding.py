"""Find tickets by words, and show where the words stand."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Left

from content.search import stems_of
from content.text import plain_excerpt
from content.words import Query, query_of

from .. import folios
from ..enums import MessageKind
from ..models import Message, Ticket
from ..models.querysets import TicketQuerySet
from ..models.words import TicketWords

MOST_MESSAGES, MOST_OF_A_TICKET, LONGEST_TEXT = 600, 20, 2000
"""The messages that are read to show where the words of a page's tickets stand: the newest of all, no more than so many
of one ticket, and of each its beginning."""
SECONDS = 0.2
ALIKE, TAKEN_FOR_GRANTED = 50, 0.006
"""At a million tickets, finding 7000 and sorting them costs as much as walking until 41 are found. PostgreSQL takes
half a percent for granted."""
BEFORE, AFTER = 20, 130
"""The letters that are shown before the first word that was found, and from it on."""
LETTERS = 3


def matching_words(
    tickets: TicketQuerySet, text: str, *, among: TicketQuerySet, besides: Query = ()
) -> TicketQuerySet:
    """Keep the tickets whose folio `text` names or, if it names none of `among`, those that have all its words, in any
    form, in their title, messages, notes, answers or their requester's name and address. All of them must also have
    the words `besides`. Evaluate it inside `time_limit`: the words are looked up at once."""
    wanted = list(besides)
    named = folios.named_in(text)
    if named and among.filter(folio__in=named).exists():
        tickets = tickets.filter(folio__in=named)
    elif text.strip():
        if not (words := query_of(text)):
            return tickets.none()
        wanted += words
    return with_words(tickets, wanted) if wanted else tickets


def with_words(tickets: TicketQuerySet, query: Query) -> TicketQuerySet:
    """Keep the tickets that have every word of the query.

    PostgreSQL takes any word for one that half a percent of the tickets have, unless it is among the most common: it
    would look for a rare word in one ticket after the other, in the order of the list. So tickets with words that few
    have are found first and sorted afterwards. Takes up to two small queries.
    """
    found = TicketWords.objects.filter(words__has=query)
    if query and connection.vendor == "postgresql" and _are_few(found):
        return tickets.filter(pk__among=found.values("ticket"))
    return tickets.filter(words__words__has=query)


def _are_few(found: QuerySet[TicketWords]) -> bool:
    """Whether it costs less to read all that were found than to walk along the list until a page is full. The first
    costs as much as there are, the second grows with one in how many tickets is found."""
    total, expected = _estimated(TicketWords.objects.all(), found)
    few = int((ALIKE * total) ** 0.5)
    if expected > max(few, TAKEN_FOR_GRANTED * total):
        return False
    return found.values("pk")[: few + 1].count() <= few


def _estimated(rows: QuerySet[TicketWords], found: QuerySet[TicketWords]) -> list[int]:
    """Return how many rows PostgreSQL expects of each, without reading them. One query."""
    [plan] = json.loads(rows.values("pk").union(found.values("pk"), all=True).explain(format="json"))
    return [int(part["Plan Rows"]) for part in plan["Plan"]["Plans"]]


@dataclass(frozen=True)
class Snippet:
    """Says where in a ticket the words stand: in a message of this kind. `parts` are pieces of text, each with whether
    it is one of the words."""

    kind: MessageKind
    parts: tuple[tuple[str, bool], ...]


def snippets_of(tickets: Iterable[Ticket], text: str) -> dict[int, Snippet]:
    """Return for each ticket that has the words in a message the one that has most of them, the newest of those. One
    query, which reads no more than `MOST_MESSAGES`."""
    wanted = query_of(text)
    if not wanted:
        return {}
    stems = frozenset(stem for word in wanted for stem in word)
    candidates = _candidates(stems)
    best: dict[int, tuple[int, str, str]] = {}
    seen: Counter[int] = Counter()
    until = monotonic() + SECONDS
    rows = Message.objects.filter(ticket__in=[ticket.pk for ticket in tickets]).order_by("-created_at", "-id")
    for ticket, kind, body in rows.values_list("ticket", "kind", Left("body", LONGEST_TEXT))[:MOST_MESSAGES]:
        seen[ticket] += 1
        is_found = ticket in best and best[ticket][0] == len(wanted)
        if is_found or seen[ticket] > MOST_OF_A_TICKET or monotonic() > until:
            continue
        present = {stem for word in set(candidates.findall(body.lower())) for stem in stems_of(word)}
        count = sum(bool(present.intersection(stems)) for stems in wanted)
        if count > best.get(ticket, (0,))[0]:
            best[ticket] = count, kind, body
    found = {}
    for ticket, (_count, kind, body) in best.items():
        parts = tuple(marked(_around(plain_excerpt(body, LONGEST_TEXT), stems), stems))
        found[ticket] = Snippet(MessageKind(kind), parts)
    return found


def wanted_stems(text: str) -> frozenset[str]:
    """Return the stems of the words that `text` looks for."""
    return frozenset(stem for word in query_of(text) for stem in word)


def marked(text: str, stems: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Yield the text in pieces, each with whether it is a word that has one of the stems."""
    last = 0
    for word in _candidates(stems).finditer(text):
        if not stems_of(word[0]).isdisjoint(stems):
            if word.start() > last:
                yield text[last : word.start()], False
            yield word[0], True
            last = word.end()
    if last < len(text):
        yield text[last:], False


@lru_cache(maxsize=500)
def _candidates(stems: frozenset[str]) -> re.Pattern[str]:
    """Return the pattern of the words that may have one of the stems: those that begin with its first letters, and
    those with an accent or another letter beyond ASCII there, which stems are written without.

    Most words are told apart by it, which is much cheaper than finding their stems.
    """
    initials = "|".join(sorted({re.escape(stem[:LETTERS]) for stem in stems}))
    return re.compile(rf"\b(?:{initials}|\w{{0,{LETTERS - 1}}}[^\W\x00-\x7f])\w*", re.IGNORECASE)


def _around(text: str, stems: frozenset[str]) -> str:
    """Return the part of the text around the first of the words."""
    words = _candidates(stems).finditer(text)
    first = next((word.start() for word in words if not stems_of(word[0]).isdisjoint(stems)), 0)
    start = max(0, first - BEFORE)
    if start:
        start = text.find(" ", start, first) + 1 or start
    end = first + AFTER
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
