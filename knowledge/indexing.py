"""Write what search reads: the stems and words of the published texts (decision 45)."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

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
AT_ONCE = 50
TOTAL = ""
"""The stem that every published text has. Its row counts them."""
TITLE, LEAD, BODY = 6, 3, 1
"""The weight of a word in the title and the keywords, in the summary and the headings, and in the rest."""
MOST_IMPACT = 1000
USUAL_LENGTH, SHORTEST, LONGEST = 300, 100, 1500
SATURATION = 1.5
_TARGET = re.compile(r"\]\([^)\n]*\)")
_WORD = re.compile(r"\w+")
_waiting: ContextVar[list[Article] | None] = ContextVar("waiting", default=None)
_COLUMNS = {Audience.PUBLIC: "public", Audience.CUSTOMERS: "customers", Audience.INTERNAL: "internal"}


def write(*articles: Article) -> None:
    """Bring the index up to date with the articles: the published texts of those that are published, else none."""
    if (waiting := _waiting.get()) is not None:
        waiting.extend(articles)
        return
    with transaction.atomic():
        _lock()
        texts = ArticleText.objects.filter(article__in=articles).select_related("published", "article")
        _write([_Entry.of(text) for text in texts])


@contextmanager
def postponed() -> Iterator[None]:
    """Write the index once at the end of the block, for those who publish many articles."""
    waiting: list[Article] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    for start in range(0, len(waiting), AT_ONCE):
        write(*waiting[start : start + AT_ONCE])


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


@dataclass(frozen=True)
class _Entry:
    """What is to be in the index for one text; nothing if readers do not see it."""

    text: ArticleText
    column: str
    reach: int
    impacts: dict[str, int]
    words: set[str]
    is_shown: bool

    @classmethod
    def of(cls, text: ArticleText) -> "_Entry":
        article, audience = text.article, Audience(text.article.audience)
        is_shown = article.is_published and text.published_id is not None
        return cls(
            text=text,
            column=_COLUMNS[audience],
            reach=audience.reach,
            impacts=impacts_of(article, text) if is_shown else {},
            words=words_in(article, text) if is_shown else set(),
            is_shown=is_shown,
        )


def _write(entries: list[_Entry]) -> None:
    _count_stems(entries)
    stems = {stem for entry in entries for stem in entry.impacts}
    ids = dict(Stem.objects.filter(text__in=stems).values_list("text", "pk"))
    Posting.objects.filter(text__in=[entry.text for entry in entries]).delete()
    Posting.objects.bulk_create(
        Posting(stem_id=ids[stem], text=entry.text, reach=entry.reach, impact=impact)
        for entry in entries
        for stem, impact in sorted(entry.impacts.items())
    )
    _count_words(entries)
    for entry in entries:
        entry.text.indexed_words = " ".join(sorted(entry.words))
        entry.text.indexed_reach = entry.reach if entry.is_shown else None
    ArticleText.objects.bulk_update((entry.text for entry in entries), ["indexed_words", "indexed_reach"])


def _count_stems(entries: list[_Entry]) -> None:
    change: Counter[str] = Counter()
    before = Posting.objects.filter(text__in=[entry.text for entry in entries]).values_list(
        "stem__text", flat=True
    )
    change.subtract(before)
    for entry in entries:
        change.update(entry.impacts.keys())
        change[TOTAL] += int(entry.is_shown) - int(entry.text.indexed_reach is not None)
    new = [Stem(text=stem) for stem, more in sorted(change.items()) if more > 0]
    Stem.objects.bulk_create(new, ignore_conflicts=True)
    for more, stems in _by_change(change):
        Stem.objects.filter(text__in=stems).update(texts=F("texts") + more)


def _count_words(entries: list[_Entry]) -> None:
    changes: dict[str, Counter[str]] = {column: Counter() for column in _COLUMNS.values()}
    for entry in entries:
        if entry.text.indexed_reach is not None:
            changes[_COLUMNS[list(Audience)[entry.text.indexed_reach]]].subtract(
                entry.text.indexed_words.split()
            )
        changes[entry.column].update(entry.words)
    more = {word for change in changes.values() for word, by in change.items() if by > 0}
    less = {word for change in changes.values() for word, by in change.items() if by < 0}
    known = set(Word.objects.filter(text__in=more).values_list("text", flat=True))
    added = Word.objects.bulk_create([Word(text=word) for word in sorted(more - known)])
    WordPart.objects.bulk_create(
        WordPart(letters=letters, length=len(word.text), word=word)
        for word in added
        for letters in sorted(trigrams_of(word.text))
    )
    for column, change in changes.items():
        for by, words in _by_change(change):
            Word.objects.filter(text__in=words).update(**{column: F(column) + by})
    Word.objects.filter(text__in=less, public=0, customers=0, internal=0).delete()


def _by_change(change: "Counter[str]") -> Iterator[tuple[int, list[str]]]:
    """Yield each change that is not 0, with what it happens to."""
    found: dict[int, list[str]] = {}
    for text, by in sorted(change.items()):
        if by:
            found.setdefault(by, []).append(text)
    yield from found.items()
