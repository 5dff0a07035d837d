"""Suggest answers before a report is filed (S3.20): articles, and how cases like it were solved.

`suggest` is what the portal and the assistant call. Who suggests is a setting (decision 49): `lexical`, which needs no
network, or `openai-compatible`, which adds an answer with citations. Whatever a provider raises, the reader gets what
`lexical` finds.
"""

import logging
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from tickets.models import Category, Process

from .. import personal_data
from ..models import Article, SolutionPattern
from ..models.querysets import Reader
from . import lexical
from .offers import ARTICLE, PATTERN, Answer, Question, Sentence, Suggestion, Suggestions

__all__ = [
    "LONGEST",
    "Answer",
    "Provider",
    "Question",
    "Sentence",
    "Suggestion",
    "Suggestions",
    "find",
    "suggest",
]

logger = logging.getLogger(__name__)

LONGEST = 4_000
"""The characters of a text that are read. No more than `analysis.TEXT_WORDS` words of them count."""


class Provider(Protocol):
    """Finds what fits a question. May raise anything, and be slow only within limits of its own."""

    def __call__(self, question: Question, found: Suggestions, /) -> Suggestions:
        """Return `found`, which `lexical` has found, with what the provider adds."""


def suggest(
    text: str,
    *,
    reader: Reader,
    language: str,
    process: Process | str | None = None,
    category: Category | str | None = None,
    limit: int = 3,
    answer: bool = False,
) -> Suggestions:
    """Return up to `limit` answers that fit the text and that the reader may read in the portal; none if nothing fits.

    Addresses, long numbers, plates and folios of the text are not read. `process` and `category`, rows or their keys,
    say what the report is about. With `answer=True` a provider that writes may be asked too: that can take
    `DESK_ANSWERS_SECONDS`. Takes up to thirteen queries without it.
    """
    question = Question(
        text=personal_data.without(text[:LONGEST].replace("\x00", "")),
        reader=reader,
        language=language[:2],
        process=_key(process),
        category=_key(category),
        limit=limit,
    )
    found = lexical.suggestions(question)
    provider = settings.SUGGESTIONS_PROVIDER if answer else ""
    if not provider or not found:
        return found
    try:
        add: Provider = import_string(provider)
        return add(question, found)
    except Exception:
        logger.exception("the provider of suggestions failed")
        return found


def find(key: str, *, reader: Reader) -> Suggestion | None:
    """Return the suggestion that a form names, if the reader may read it in the portal, without an excerpt."""
    kind, _dash, number = key.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    if kind == ARTICLE:
        article = Article.objects.in_portal(reader).filter(pk=number).with_published_texts().first()
        text = article.published_text() if article else None
        return Suggestion(text.published.title, [], 1.0, article=article) if text and text.published else None
    if kind == PATTERN:
        pattern: SolutionPattern | None = lexical.offered(reader).filter(pk=number).first()
        return Suggestion(pattern.title, [], 1.0, pattern=pattern) if pattern else None
    return None


def _key(row: Process | Category | str | None) -> str:
    return row if isinstance(row, str) else row.key if row else ""
