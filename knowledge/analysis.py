"""Read a query: its words, what else they are called, and what was meant by those that nobody writes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log

from django.db.models import Count, Q

from content.empty_words import FILLERS, PLEASANTRIES
from content.search import SHORTEST_CORRECTED, correction, is_common, slips, stems_of, trigrams_of, words_of
from content.text import fold

from . import synonyms
from .enums import Audience
from .indexing import TOTAL
from .models import Stem, Word, WordPart

QUERY_WORDS = 12
TEXT_WORDS = 60
"""The words that count of a query, and of a longer text such as a report."""
CORRECTED = 3
"""The words of a query that are corrected."""
NEIGHBOURS = 30
SYNONYM = 0.85
UNKNOWN, UNKNOWN_CAUTIOUS = 0.35, 0.45
"""What a synonym counts beside the word itself, and a word that nobody writes beside a rare one: more where nobody
searched, because then the text is more likely about something else."""
FILLER = 0.1
SHORTEST_SURE = 5
"""Shorter words, where nobody searched, are names and words of other subjects rather than typing errors."""


Vocabulary = Callable[[], Collection[str]]


@dataclass(frozen=True)
class Phrase:
    """A way to say something: the stems of each of its words. `weight` is 1 for the words of the query itself."""

    words: tuple[frozenset[str], ...]
    weight: float = 1.0

    @property
    def stems(self) -> frozenset[str]:
        return frozenset().union(*self.words)


@dataclass
class Term:
    """A word of the query, with all ways to say it, and its weight: the rarer, the more it tells. A filler stands in
    texts about anything."""

    word: str
    phrases: list[Phrase] = field(default_factory=list)
    weight: float = 0.0
    is_filler: bool = False


@dataclass(frozen=True)
class Analysis:
    """A query as search understands it. `corrected` is the query with the words that were meant, and `meant` has each
    of these by the wrong one; both are empty if none was wrong. `known` has the stems that some text has: their ids and
    how many texts have each."""

    query: str
    corrected: str
    meant: Mapping[str, str]
    terms: tuple[Term, ...]
    known: dict[str, tuple[int, int]]
    total: int = 0
    """How many published texts there are."""
    cautious: bool = False

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of all that is looked for, to mark them where they stand."""
        return frozenset().union(*(phrase.stems for term in self.terms for phrase in term.phrases))

    @property
    def wrong(self) -> tuple[str, ...]:
        return tuple(self.meant)

    @cached_property
    def unknown(self) -> dict[str, str]:
        """The words that no text has, as they were typed, each with what was meant; "" if it was taken as it is."""
        right = (term.word for term in self.terms if not stems_of(term.word) & self.known.keys())
        return {**dict.fromkeys(right, ""), **self.meant}

    @cached_property
    def telling_stems(self) -> frozenset[str]:
        """`stems` without those of words that stand in texts about anything."""
        telling = (term for term in self.terms if not term.is_filler)
        return frozenset().union(*(phrase.stems for term in telling for phrase in term.phrases))


def analyse(
    query: str,
    *,
    audiences: Collection[Audience],
    most_words: int = QUERY_WORDS,
    vocabulary: Vocabulary = frozenset,
    correct: bool = True,
    cautious: bool = False,
) -> Analysis:
    """Read the query for somebody who may read `audiences`. Takes up to five queries.

    With `cautious=True`, for a text with which nobody searched, words that stand in texts about anything tell little or
    nothing, and fewer words count as typing errors.

    `vocabulary` returns folded words that are right although no article has them, those of the topics for instance; it
    is called only if a word is unknown. With `correct=False` the words are taken as they are typed.
    """
    words = _telling(query, most_words, cautious)
    total, known = _known(stem for word in words for stem in stems_of(word))
    meant = _corrections(words, known, audiences, vocabulary) if correct else {}
    if cautious:
        meant = {word: best for word, best in meant.items() if _is_sure(word, best)}
    right = [meant.get(word, word) for word in words]
    groups = _synonyms(right)
    terms = [Term(word, [Phrase((stems_of(word),))]) for word in right]
    for start, end, phrases in groups:
        for term in terms[start:end]:
            term.phrases += phrases
    more = {stem for term in terms for phrase in term.phrases for stem in phrase.stems} - known.keys()
    if more:
        known |= _known(more)[1]
    for term in terms:
        term.is_filler = cautious and _is_filler(term.word)
        term.weight = _weight(term, known, total, UNKNOWN_CAUTIOUS if cautious else UNKNOWN)
        term.weight *= FILLER if term.is_filler else 1.0
    corrected = _replaced(query, meant) if meant else ""
    return Analysis(query, corrected, meant, tuple(terms), known, total, cautious)


def changes_reading(words: Collection[str], unknown: Mapping[str, str]) -> bool:
    """Whether an analysis that had these unknown words, with what was meant, would read them otherwise with `words` in
    its vocabulary."""
    stems: set[str] = set()
    for word in words if unknown else ():
        stems |= stems_of(word)
    return any(
        stems_of(word) & stems or _meant_among(fold(word), words, best) != best
        for word, best in unknown.items()
        if _can_be_wrong(word)
    )


def _meant_among(word: str, words: Iterable[str], best: str) -> str:
    return correction(word, _of_like_length(words, word) | ({best} if best else set()))


def _telling(query: str, most: int, cautious: bool) -> list[str]:
    words = words_of(query, limit=most)
    telling = [word for word in words if fold(word) not in PLEASANTRIES]
    if not cautious:
        return telling or words
    return [] if all(map(_is_filler, telling)) else telling


def _is_filler(word: str) -> bool:
    plain = fold(word)
    return plain in FILLERS or plain.isdigit() or is_common(plain)


def _is_sure(word: str, best: str) -> bool:
    """Whether an unknown word of a text is a typing error rather than a word of another subject."""
    plain = fold(word)
    if len(plain) < SHORTEST_SURE or plain[0] != best[0] or plain in FILLERS:
        return False
    if best in FILLERS or best in PLEASANTRIES or is_common(best):
        return False
    return len(plain) > 9 or slips(plain, best, 1) == 1


def _known(stems: Iterable[str]) -> tuple[int, dict[str, tuple[int, int]]]:
    """Return how many texts there are, and of those stems that some have, id and number of texts. One query."""
    rows = Stem.objects.filter(text__in={*stems, TOTAL}, texts__gt=0).values_list("text", "pk", "texts")
    found = {text: (pk, texts) for text, pk, texts in rows}
    _pk, total = found.pop(TOTAL, (0, 0))
    return total, found


def _corrections(
    words: Sequence[str],
    known: dict[str, tuple[int, int]],
    audiences: Collection[Audience],
    vocabulary: Vocabulary,
) -> dict[str, str]:
    """Return the words that were most likely meant, by those that neither an article nor the vocabulary nor a synonym
    has."""
    unknown = [word for word in words if _can_be_wrong(word) and not stems_of(word) & known.keys()]
    if not unknown:
        return {}
    others = vocabulary()
    right = {stem for word in others for stem in stems_of(word)}
    named = synonyms.groups_for(key for word in unknown for key in synonyms.keys_of([word])).keys()
    wrong = [word for word in unknown if not stems_of(word) & right and not synonyms.keys_of([word]) & named]
    meant = {}
    for word in wrong[:CORRECTED]:
        plain = fold(word)
        near = _of_like_length(others, plain)
        if best := correction(plain, near | set(_neighbours(plain, audiences))):
            meant[word] = best
    return meant


def _of_like_length(words: Iterable[str], word: str) -> set[str]:
    return {other for other in words if abs(len(other) - len(word)) < 3}


def _can_be_wrong(word: str) -> bool:
    return len(word) >= SHORTEST_CORRECTED and word.isalpha()


def _neighbours(word: str, audiences: Collection[Audience]) -> Iterator[str]:
    """Yield the words of texts that the person may read that share most groups of three letters with `word`."""
    margin = 2 if len(word) > 6 else 1
    lengths = range(len(word) - margin, len(word) + margin + 1)
    parts = WordPart.objects.filter(letters__in=trigrams_of(word), length__in=lengths)
    nearest = parts.values("word").annotate(shared=Count("id")).order_by("-shared", "word")
    ids = [row["word"] for row in nearest[:NEIGHBOURS]]
    readable = Q()
    for audience in audiences:
        readable |= Q(**{f"{audience.value}__gt": 0})
    yield from Word.objects.filter(readable, pk__in=ids).values_list("text", flat=True)


def _synonyms(words: Sequence[str]) -> list[tuple[int, int, list[Phrase]]]:
    """Return the synonyms of each word and of each phrase in the words: where it begins and ends, and the phrases."""
    spans = [
        (start, end)
        for start in range(len(words))
        for end in range(start + 1, min(start + synonyms.LONGEST_PHRASE, len(words)) + 1)
    ]
    keys = {span: synonyms.keys_of(words[span[0] : span[1]]) for span in spans}
    groups = synonyms.groups_for(key for each in keys.values() for key in each)
    found = []
    for (start, end), own in keys.items():
        named = {group.pk: group for key in own for group in groups.get(key, ())}
        others = [
            Phrase(tuple(stems_of(word) for word in said), SYNONYM)
            for group in named.values()
            for phrase in group.phrases
            if (said := words_of(phrase)) and not synonyms.keys_of(said) & own
        ]
        if others:
            found.append((start, end, others))
    return found


def _weight(term: Term, known: dict[str, tuple[int, int]], total: int, unknown: float) -> float:
    """Return how much the word tells: how rare it is. A word that no text has tells a little: the query is about
    something else, too."""
    for phrase in term.phrases:
        texts = max((known[stem][1] for stem in phrase.stems if stem in known), default=0)
        if texts:
            return rarity(texts, total)
    return unknown * rarity(0, total)


def rarity(texts: int, total: int) -> float:
    """Return BM25's logarithm of how rare a word is that `texts` of `total` texts have."""
    return log(1 + (max(total - texts, 0) + 0.5) / (texts + 0.5))


def _replaced(query: str, meant: dict[str, str]) -> str:
    return " ".join(_piece(piece, meant) for piece in query.split())


def _piece(piece: str, meant: dict[str, str]) -> str:
    lower = piece.lower()
    for wrong, right in meant.items():
        if wrong in lower:
            return lower.replace(wrong, right)
    return piece
