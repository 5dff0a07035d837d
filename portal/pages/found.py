"""What a search of the help centre finds for everybody who may read the same: articles and topics.

It is kept for some seconds with what of it is drawn (docs/decisions/0042): many people look for the same words. The
person's own tickets are looked for anew each time, and never kept.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language

from knowledge.analysis import changes_reading
from knowledge.models.querysets import Reader, audiences_of
from knowledge.ranking import Found
from knowledge.ranking import search as find_articles
from web.kept import kept

from . import topics
from .articles import hit_rows, synonyms_of
from .contact import HELP
from .tickets import Synonyms, named_categories

SHOWN, MOST = 5, 20
"""How many of each kind stand together, and how many when only one kind is shown."""
OFFERED = 4


@dataclass(frozen=True)
class Answers:
    """How the query was understood, how many articles and topics it found, and the `SHOWN` or `MOST` of them drawn."""

    meant: str
    corrected: str
    wrong: tuple[str, ...]
    unknown: Mapping[str, str]
    stems: frozenset[str]
    synonyms: Synonyms
    named: dict[str, list[int]]
    """The categories that have a word of the query in their name, by the word."""
    articles: int
    topics: int
    drawn: str
    report_url: str
    """Where to report, with the query as title: about the one topic that was found, if it is one."""
    offered: tuple[tuple[str, str], ...]
    """Topics to choose from if nothing was found: key and name of each."""


def answers(
    query: str,
    *,
    reader: Reader,
    kinds: frozenset[str],
    correct: bool,
    own_words: Callable[[], Collection[str]],
) -> Answers:
    """Return what the query finds; of the `kinds` that are shown («articulos», «temas») more if it is one alone.

    `own_words` returns the words of the reader's tickets, which are not corrected. It is called only if a word is
    unknown, and where they change how that is read, the answers are this reader's and not kept. Takes up to twelve
    queries, and none while the answers are kept.
    """

    def make(words: Collection[str]) -> Answers:
        return _answers(query, reader=reader, kinds=kinds, correct=correct, own_words=words)

    seen_as = (query, tuple(audiences_of(reader, in_portal=True)), tuple(sorted(kinds)), correct)
    shared = kept("found", seen_as, lambda: make(()), until_changed=HELP)
    if correct and shared.unknown:
        own = own_words()
        if changes_reading(own, shared.unknown):
            return make(own)
    return shared


def _answers(
    query: str, *, reader: Reader, kinds: frozenset[str], correct: bool, own_words: Collection[str]
) -> Answers:
    offered = topics.all_topics()
    found = find_articles(
        query,
        reader=reader,
        language=(get_language() or "")[:2],
        limit=MOST,
        vocabulary=lambda: topics.vocabulary(offered).union(own_words),
        correct=correct,
    )
    meant = found.analysis.corrected or query
    named = topics.search(offered, meant, synonyms=_synonym_words(found))[:MOST]
    most = MOST if len(kinds) == 1 else SHOWN
    shown: dict[str, Any] = {
        "articles": hit_rows(found, found.hits[:most]) if "articulos" in kinds else [],
        "topics": [_topic_row(found, topic, meant) for topic in named[:most]] if "temas" in kinds else [],
    }
    if len(kinds) > 1:
        shown["more_articles"] = more_of("articulos", query, len(found.hits), literal=not correct)
        shown["more_topics"] = more_of("temas", query, len(named), literal=not correct)
    return Answers(
        meant=meant,
        corrected=found.analysis.corrected,
        wrong=found.analysis.wrong,
        unknown=found.analysis.unknown,
        stems=found.analysis.stems,
        synonyms=synonyms_of(found),
        named=named_categories(offered, meant),
        articles=len(found.hits),
        topics=len(named),
        drawn=render_to_string("portal/help/_found.html", shown),
        report_url=_report_url(named, meant),
        offered=tuple((topic.key, topic.name) for topic in topics.featured(offered, OFFERED)),
    )


def address_of(kind: str, query: str, *, literal: bool) -> str:
    """Return the address, on the page of a search, of what it found of one kind; of everything if `kind` is empty."""
    chosen = {"q": query, **({"literal": "1"} if literal else {}), **({"en": kind} if kind else {})}
    return f"?{urlencode(chosen)}"


def more_of(kind: str, query: str, count: int, *, literal: bool) -> dict[str, Any] | None:
    """Return how many there are of a kind and where all of them are, if more were found than `SHOWN`."""
    return {"count": count, "href": address_of(kind, query, literal=literal)} if count > SHOWN else None


def _topic_row(found: Found, topic: topics.Topic, query: str) -> dict[str, Any]:
    return {
        "href": f"{reverse('portal:report')}?{urlencode({'tipo': topic.key, 'titulo': query})}",
        "icon": topic.icon,
        "title": found.marked(topic.name),
        "text": found.marked(topic.text),
        "promise": topic.promise,
        "usual": topic.usual,
    }


def _synonym_words(found: Found) -> list[str]:
    """Return one stem of each word of the synonyms; stems are their own stems for nearly all words."""
    phrases = [phrase for every in synonyms_of(found).values() for phrase in every]
    return sorted({stem for phrase in phrases if len(phrase) == 1 for stem in phrase[0]})


def _report_url(named: Iterable[topics.Topic], query: str) -> str:
    keys = [topic.key for topic in named]
    about = {"tipo": keys[0]} if len(keys) == 1 else {}
    return f"{reverse('portal:report')}?{urlencode({**about, 'titulo': query})}"
