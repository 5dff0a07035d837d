"""Rank articles for a query or a longer text, the same on both databases (decision 45).

`search` is what searches call, `fitting` suggestions. Their scores go from 0 to 1 and mean the same for every query:
how much of what the query tells the article is about. So a suggestion can be left out when nothing fits.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from content.search import likeness
from content.text import fold
from tickets.search.finding import marked

from .analysis import TEXT_WORDS, Analysis, Phrase, Term, Vocabulary, analyse
from .enums import Audience
from .indexing import MOST_IMPACT
from .models import Article, ArticleText, ArticleVersion, Posting
from .models.querysets import Reader, audiences_of

MOST_OF_A_STEM = 100
"""The texts that are looked at of each stem: those with the greatest impact."""
STEMS = 10
CANDIDATES = 60
"""The stems by which texts are found, the rarest, and the texts that are then scored by all words."""
TOLD_BY = 8
"""The score says how much of the `TOLD_BY` most telling words an article is about: more words of a long report do not
make it less likely that an article fits."""
ALIKE = 0.15
"""The share of the title's likeness in the score; the rest are the words."""
OTHER_LANGUAGE = 0.9
LEAST, LEAST_OF_BEST = 0.12, 0.4
"""What is below, or below this share of the best, is not shown in a search."""
FITS = 0.32
"""What is below is not suggested to somebody who did not search."""
SURE, DOUBT = 0.86, 0.45
"""A word that a text has alone of a report must stand in its title or keywords (an impact of `SURE`)."""

Pieces = list[tuple[str, bool]]


@dataclass(frozen=True)
class Hit:
    """An article that was found: its text in the reader's language if there is one, and its score from 0 to 1."""

    article: Article
    text: ArticleText
    score: float

    @property
    def title(self) -> str:
        return self.text.published.title if self.text.published else ""

    @property
    def summary(self) -> str:
        return self.text.published.summary if self.text.published else ""


@dataclass(frozen=True)
class Found:
    """The hits of a search, best first, and how the query was understood."""

    analysis: Analysis
    hits: list[Hit]

    def marked(self, text: str) -> Pieces:
        """Return the text in pieces, each with whether it is a word that was looked for, a synonym or a correction."""
        return list(marked(text, self.analysis.stems))


def bodies_of(hits: Iterable[Hit]) -> dict[int, str]:
    """Return the text of each hit by the id of its published version. One query; the search itself reads no texts."""
    versions = [hit.text.published_id for hit in hits if hit.text.published_id]
    return dict(ArticleVersion.objects.filter(pk__in=versions).values_list("pk", "body"))


def search(
    query: str,
    *,
    reader: Reader,
    language: str,
    in_portal: bool = True,
    limit: int = 10,
    vocabulary: Vocabulary = frozenset,
    correct: bool = True,
) -> Found:
    """Return the articles that have something of the query and that the person may read. Takes up to ten queries,
    whatever the number of articles. `vocabulary` and `correct` are those of `analyse`."""
    audiences = audiences_of(reader, in_portal=in_portal)
    analysis = analyse(query, audiences=audiences, vocabulary=vocabulary, correct=correct)
    hits = ranked(analysis, reader=reader, language=language, audiences=audiences, limit=limit)
    least = max(LEAST, LEAST_OF_BEST * hits[0].score) if hits else 0.0
    return Found(analysis, [hit for hit in hits if hit.score >= least])


def rank(
    text: str,
    *,
    reader: Reader,
    language: str,
    in_portal: bool = True,
    limit: int = 3,
    least: float = FITS,
    most_words: int = TEXT_WORDS,
) -> list[Hit]:
    """Return the articles that fit a text, best first, and none whose score is below `least`.

    For suggestions while a report is written: a text that is about something else gets an empty list. Reads only what
    `reader` may read; `in_portal=True` never reads procedures.
    """
    found = fitting(
        text, reader=reader, language=language, in_portal=in_portal, limit=limit, most_words=most_words
    )
    return [hit for hit in found.hits if hit.score >= least]


def fitting(
    text: str,
    *,
    reader: Reader,
    language: str,
    in_portal: bool = True,
    limit: int = 3,
    most_words: int = TEXT_WORDS,
) -> Found:
    """Return the hits of `rank` whatever their score, and how the text was understood."""
    audiences = audiences_of(reader, in_portal=in_portal)
    analysis = analyse(text, audiences=audiences, most_words=most_words, cautious=True)
    return Found(
        analysis, ranked(analysis, reader=reader, language=language, audiences=audiences, limit=limit)
    )


def ranked(
    analysis: Analysis, *, reader: Reader, language: str, audiences: Collection[Audience], limit: int
) -> list[Hit]:
    """Return the `limit` articles with the highest scores, one hit for each article, in an order that depends on
    nothing but their texts. Up to four queries."""
    impacts = _impacts(analysis, audiences)
    scores = {
        text: _score(analysis.terms, found) * (_doubt(analysis.terms, found) if analysis.cautious else 1.0)
        for text, found in impacts.items()
    }
    best = sorted(scores, key=lambda text: (-scores[text], text))[: 2 * limit + 10]
    readable = Article.objects.visible_to(reader).published().filter(audience__in=audiences)
    may_read = Exists(readable.filter(pk=OuterRef("article")))
    shown = ArticleText.objects.filter(may_read, published__isnull=False)
    titles = shown.filter(pk__in=best).values_list("pk", "article", "language", "published__title")
    query = fold(analysis.corrected or analysis.query)
    by_article: dict[int, float] = {}
    for text, article, spoken, title in titles:
        score = (1 - ALIKE) * scores[text] + ALIKE * likeness(query, fold(title))
        score *= 1.0 if spoken == language else OTHER_LANGUAGE
        by_article[article] = max(score, by_article.get(article, 0.0))
    first = sorted(by_article, key=lambda article: (-round(by_article[article], 6), article))[:limit]
    texts = _in_language(shown.filter(article__in=first), language)
    return [Hit(texts[pk].article, texts[pk], by_article[pk]) for pk in first if pk in texts]


def _in_language(texts: "QuerySet[ArticleText]", language: str) -> dict[int, ArticleText]:
    """Return the text to show of each article: in the reader's language if there is one, whichever was found."""
    rows = texts.select_related("published", "article__section").defer("published__body", "indexed_words")
    return {
        text.article_id: text
        for text in sorted(
            rows, key=lambda text: (text.language == language, text.language == "es", -text.pk)
        )
    }


def _impacts(analysis: Analysis, audiences: Collection[Audience]) -> dict[int, dict[str, int]]:
    """Return the candidates: of each text, the impact of each stem that it has. Up to two queries."""
    weights = _weights(analysis)
    if not weights:
        return {}
    names = {pk: stem for stem, (pk, _texts) in analysis.known.items() if stem in analysis.stems}
    chosen = sorted(weights, key=lambda stem: (analysis.known[stem][1], stem))[:STEMS]
    reaches = [audience.reach for audience in audiences]
    known = [analysis.known[stem] for stem in chosen]
    rare = [pk for pk, texts in known if texts <= MOST_OF_A_STEM]
    common = [pk for pk, texts in known if texts > MOST_OF_A_STEM]
    likely: dict[int, float] = defaultdict(float)
    for text, stem, impact in _candidates(rare, common, reaches):
        likely[text] += weights[names[stem]] * impact
    best = sorted(likely, key=lambda text: (-likely[text], text))[:CANDIDATES]
    found: dict[int, dict[str, int]] = defaultdict(dict)
    exact = Posting.objects.filter(text__in=best, stem__in=names).values_list("text", "stem", "impact")
    for text, stem, impact in exact:
        found[text][names[stem]] = impact
    return found


def _weights(analysis: Analysis) -> dict[str, float]:
    """Return the stems by which texts are found, with their weights: of each word only the stem that most texts have,
    because a word's stems in Spanish and in English stand in nearly the same texts."""
    weights: dict[str, float] = {}
    for term in analysis.terms:
        for phrase in term.phrases:
            for stems in phrase.words:
                known = [stem for stem in stems if stem in analysis.known]
                if known:
                    stem = max(known, key=lambda stem: (analysis.known[stem][1], stem))
                    weights[stem] = max(
                        weights.get(stem, 0.0), term.weight * phrase.weight / len(phrase.words)
                    )
    return weights


def _candidates(rare: list[int], common: list[int], reaches: list[int]) -> Iterable[tuple[int, int, int]]:
    """Return the postings of the rare stems, and of each common one those with the greatest impact. One query, which
    reads no more than `STEMS` times `MOST_OF_A_STEM` rows for each reach."""
    branches: list[QuerySet[Posting]] = (
        [Posting.objects.filter(stem__in=rare, reach__in=reaches)] if rare else []
    )
    for stem in common:
        for reach in reaches:
            greatest = Posting.objects.filter(stem=stem, reach=reach).order_by("-impact", "text_id")
            branches.append(Posting.objects.filter(pk__in=greatest.values("pk")[:MOST_OF_A_STEM]))
    rows = [branch.order_by().values_list("text", "stem", "impact") for branch in branches]
    return rows[0].union(*rows[1:], all=True) if len(rows) > 1 else rows[0]


def _score(terms: Iterable[Term], impacts: dict[str, int]) -> float:
    """Return how much of what the query tells the text is about, from 0 to 1."""
    terms = list(terms)
    told = sum(sorted((term.weight for term in terms), reverse=True)[:TOLD_BY])
    about = sum(term.weight * max(_fit(phrase, impacts) for phrase in term.phrases) for term in terms)
    return min(1.0, about / told) if told else 0.0


def _doubt(terms: Iterable[Term], impacts: dict[str, int]) -> float:
    """Return what to multiply the score by, of a text that has only one telling word of a report and is not about it:
    `DOUBT`, else 1."""
    fits = [
        max(_fit(phrase, impacts) / phrase.weight for phrase in term.phrases)
        for term in terms
        if not term.is_filler
    ]
    return DOUBT if sum(fit > 0 for fit in fits) == 1 and max(fits) < SURE else 1.0


def _fit(phrase: Phrase, impacts: dict[str, int]) -> float:
    """Return how much the text is about a phrase: 0 if it has not all of its words."""
    each = [max((impacts.get(stem, 0) for stem in stems), default=0) for stems in phrase.words]
    return phrase.weight * sum(each) / len(each) / MOST_IMPACT if each and all(each) else 0.0
