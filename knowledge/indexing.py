"""Write what search reads: the stems and words of the published texts (decision 45)."""

import re
from collections import Counter
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F

from content.article_markdown import sections_of
from content.search import stems_of, trigrams_of
from content.text import fold
from tickets.models import CountingMark

from .enums import Audience
from .models import Article, ArticleText, Posting, Stem, Word, WordPart
from .models.search import WORD

MARK = "knowledge"
TOTAL = ""
"""The stem that every published text has. Its row counts them."""
TITLE, LEAD, BODY = 6, 3, 1
"""The weight of a word in the title and the keywords, in the summary and the headings, and in the rest."""
MOST_IMPACT = 1000
USUAL_LENGTH, SHORTEST, LONGEST = 300, 100, 1500
SATURATION = 1.5
_TARGET = re.compile(r"\]\([^)\n]*\)")
_WORD = re.compile(r"\w+")
_COLUMNS = {Audience.PUBLIC: "public", Audience.CUSTOMERS: "customers", Audience.INTERNAL: "internal"}


def write(article: Article) -> None:
    """Bring the index up to date with the article: its published texts if it is published, else none."""
    with transaction.atomic():
        _lock()
        for text in article.texts.select_related("published"):
            _write(article, text)


def impacts_of(article: Article, text: ArticleText) -> dict[str, int]:
    """Return the stems of a published text, each with its impact from 1 to `MOST_IMPACT`.

    The impact is BM25's share for one word: it grows with how often and how prominently the text has the word, and less
    so in a long text. How rare the word is counts when a query is ranked.
    """
    version = text.published
    if version is None:
        return {}
    weights: Counter[str] = Counter()
    parts = sections_of(_TARGET.sub("] ", version.body))
    _add(weights, [version.title, article.words], TITLE)
    _add(weights, [version.summary, *(heading for heading, _body in parts)], LEAD)
    length = _add(weights, [body for _heading, body in parts], BODY)
    norm = SATURATION * (0.4 + 0.6 * min(max(length, SHORTEST), LONGEST) / USUAL_LENGTH)
    return {stem: max(1, round(MOST_IMPACT * weight / (weight + norm))) for stem, weight in weights.items()}


def words_in(article: Article, text: ArticleText) -> set[str]:
    """Return the words of a published text by which typing errors are corrected: folded, of letters alone."""
    version = text.published
    if version is None:
        return set()
    whole = _TARGET.sub("] ", "\n".join((version.title, version.summary, article.words, version.body)))
    return {word for each in _WORD.findall(fold(whole)) if 2 < len(word := each) <= WORD and word.isalpha()}


def _add(weights: "Counter[str]", texts: Iterable[str], weight: int) -> int:
    """Add the stems of the texts. Returns how many words they have."""
    words = [word for text in texts for word in _WORD.findall(text.lower()) if len(word) <= WORD]
    for word in words:
        for stem in stems_of(word):
            if len(stem) <= WORD:
                weights[stem] += weight
    return len(words)


def _lock() -> None:
    """Let one process at a time change the counts."""
    CountingMark.objects.get_or_create(name=MARK)
    CountingMark.objects.select_for_update().get(name=MARK)


def _write(article: Article, text: ArticleText) -> None:
    shown = article.is_published and text.published_id is not None
    impacts = impacts_of(article, text) if shown else {}
    words = words_in(article, text) if shown else set()
    audience = Audience(article.audience)
    _count_stems(text, {*impacts, TOTAL} if shown else set())
    ids = dict(Stem.objects.filter(text__in=impacts).values_list("text", "pk"))
    text.postings.all().delete()
    Posting.objects.bulk_create(
        Posting(stem_id=ids[stem], text=text, reach=audience.reach, impact=impact)
        for stem, impact in sorted(impacts.items())
    )
    _count_words(text, words, audience)
    text.indexed_words = " ".join(sorted(words))
    text.indexed_reach = audience.reach if shown else None
    text.save(update_fields=["indexed_words", "indexed_reach"])


def _count_stems(text: ArticleText, stems: set[str]) -> None:
    had = set(text.postings.values_list("stem__text", flat=True))
    if text.indexed_reach is not None:
        had.add(TOTAL)
    Stem.objects.bulk_create([Stem(text=stem) for stem in sorted(stems - had)], ignore_conflicts=True)
    Stem.objects.filter(text__in=stems - had).update(texts=F("texts") + 1)
    Stem.objects.filter(text__in=had - stems, texts__gt=0).update(texts=F("texts") - 1)


def _count_words(text: ArticleText, words: set[str], audience: Audience) -> None:
    had, column = set(text.indexed_words.split()), _COLUMNS[audience]
    before = None if text.indexed_reach is None else _COLUMNS[list(Audience)[text.indexed_reach]]
    if before == column:
        gone, new = had - words, words - had
    else:
        gone, new = had, words
    if before and gone:
        Word.objects.filter(text__in=gone, **{f"{before}__gt": 0}).update(**{before: F(before) - 1})
    known = set(Word.objects.filter(text__in=new).values_list("text", flat=True))
    added = Word.objects.bulk_create([Word(text=word) for word in sorted(new - known)])
    WordPart.objects.bulk_create(
        WordPart(letters=letters, length=len(word.text), word=word)
        for word in added
        for letters in sorted(trigrams_of(word.text))
    )
    Word.objects.filter(text__in=new).update(**{column: F(column) + 1})
    Word.objects.filter(text__in=gone, public=0, customers=0, internal=0).delete()
