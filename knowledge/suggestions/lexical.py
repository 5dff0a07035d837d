"""Find what fits a text by its words, without a network."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from tickets.models import Category, Process
from tickets.search.finding import marked

from ..analysis import Analysis, rarity
from ..models import ArticleScope, SolutionPattern
from ..models.querysets import Reader
from ..ranking import FITS, Found, fitting
from .offers import Question, Suggestion, Suggestions

PATTERNS = 200
"""The patterns that a request looks at, those of the most cases; `patterns.refresh` keeps no more."""
LEAST_WORDS = 2
"""The telling words that a text must share with a pattern, whose words are fewer than an article's."""
TOLD_BY = 8
FITS_TOPIC, EXPECTED = 0.8 * FITS, 1.15
"""What is about the chosen topic needs less to be offered, and an article that is written for it counts more."""


def suggestions(question: Question) -> Suggestions:
    """Return the articles and patterns that fit the question, best first."""
    found = fitting(question.text, reader=question.reader, language=question.language, limit=question.limit)
    items = [*_articles(question, found), *_patterns(question, found.analysis)]
    items.sort(key=lambda item: -item.score)  # stable: articles first among equals
    return Suggestions(tuple(items[: question.limit]))


def offered(reader: Reader) -> "QuerySet[SolutionPattern]":
    """Return the patterns that the reader may be shown: without an account, those of processes that need none. A
    process or category that was retired offers none from that moment on."""
    process = Process.objects.filter(key=OuterRef("process"), is_active=True, current__isnull=False)
    category = Category.objects.filter(
        key=OuterRef("category"), process__key=OuterRef("process"), is_active=True
    )
    rows = SolutionPattern.objects.filter(Exists(process), Q(category="") | Exists(category), is_hidden=False)
    has_account = isinstance(reader, User) and reader.is_active
    return rows if has_account else rows.filter(needs_account=False)


def _articles(question: Question, found: Found) -> Iterable[Suggestion]:
    expected = _of_topic(question, found)
    for hit in found.hits:
        is_expected = hit.article.pk in expected
        if hit.score >= (FITS_TOPIC if is_expected else FITS):
            score = min(1.0, hit.score * EXPECTED) if is_expected else hit.score
            excerpt = list(marked(hit.summary, found.analysis.telling_stems))
            yield Suggestion(hit.title, excerpt, score, article=hit.article)


def _of_topic(question: Question, found: Found) -> set[int]:
    """Return the articles that are written for the chosen topic. One query, none without a topic."""
    if not question.process or not found.hits:
        return set()
    scopes = ArticleScope.objects.filter(article__in=[hit.article.pk for hit in found.hits])
    scopes = scopes.filter(process=question.process, category__in=["", question.category], stage="")
    return set(scopes.values_list("article", flat=True))


def _patterns(question: Question, analysis: Analysis) -> Iterable[Suggestion]:
    rows = offered(question.reader)
    if question.process:
        rows = rows.filter(process=question.process)
    if question.category:
        rows = rows.filter(category=question.category)
    patterns = list(rows.order_by("-cases", "pk")[:PATTERNS])
    texts = [pattern.stems for pattern in patterns]
    least = FITS_TOPIC if question.process and question.category else FITS
    weights = {
        stem: rarity(
            sum(stem in stems for stems in texts) + analysis.known.get(stem, (0, 0))[1], analysis.total
        )
        for stem in analysis.stems
    }
    for pattern in patterns:
        score = _score(analysis, pattern.stems, weights)
        if score >= least:
            pieces = list(marked(pattern.text, analysis.telling_stems))
            yield Suggestion(pattern.title, pieces, score, pattern=pattern)


def _score(analysis: Analysis, stems: dict[str, float], weights: dict[str, float]) -> float:
    """Return how much of what the text tells the pattern is about, from 0 to 1, as `ranking` does for articles."""
    told, about, shared = [], 0.0, 0
    for term in analysis.terms:
        weight = max(
            (weights[stem] for phrase in term.phrases for stem in phrase.stems if stem in stems), default=0.0
        )
        fit = max(
            (
                phrase.weight
                * min(max((stems.get(stem, 0.0) for stem in word), default=0.0) for word in phrase.words)
                for phrase in term.phrases
            ),
            default=0.0,
        )
        told.append(weight or term.weight)
        about += weight * fit
        shared += fit > 0
    most = sum(sorted(told, reverse=True)[:TOLD_BY])
    return min(1.0, about / most) if most and shared >= LEAST_WORDS else 0.0
