"""Find texts by words: any word counts, without case or accents, and in any of its forms («pagos», «pagué»).

A word is reduced to its stems in Spanish and in English, because texts of both languages stand side by side.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import snowballstemmer

from .empty_words import COMMON
from .text import fold

_STEMMERS = tuple(snowballstemmer.stemmer(language) for language in ("spanish", "english"))
_ACCENTED = re.compile(r"([cs])ion$")
"""People leave the accent of «facturación» out, and then the stemmer does not know the ending."""
MAX_WORDS = 12  # of a query; the rest is ignored


@lru_cache(maxsize=10_000)
def stems_of(word: str) -> frozenset[str]:
    """Return the stems of a word, in lower case and without accents. Marks that stand alone have none."""
    plain = _ACCENTED.sub(r"\1ión", word.lower())
    return frozenset(filter(None, (fold(stemmer.stemWord(plain)) for stemmer in _STEMMERS)))


def words_of(query: str, limit: int = MAX_WORDS) -> list[str]:
    """Return the first `limit` words of a query that say something. Words such as «no» and «the» count only if the
    query has no others."""
    words = [word for word in re.findall(r"\w+", query.lower()) if len(word) < 60]
    telling = [word for word in words if fold(word) not in COMMON]
    return list(dict.fromkeys(telling or words))[:limit]


def stems_in(text: str, limit: int) -> frozenset[str]:
    """Return the stems of the first `limit` words of a text that say something."""
    return frozenset(stem for word in words_of(text, limit) for stem in stems_of(word))


def every_word(text: str) -> list[str]:
    """Return all words of a text, folded: common ones and numbers too."""
    return re.findall(r"\w+", fold(text))


def is_common(word: str) -> bool:
    """Whether the word says nothing by itself, such as «no» and «the»."""
    return fold(word) in COMMON


def compounds_of(query: str) -> list[str]:
    """Return the neighbours in a query as one word each, because «log in» is also written «login»."""
    words = [word for word in re.findall(r"\w+", query.lower())[:MAX_WORDS] if len(word) < 30]
    return [one + other for one, other in pairwise(words)]


def score(words: Iterable[str], texts: Iterable[tuple[int, str]]) -> int:
    """Return how well texts fit the words of a query: for each word, the weight of the best text that has it.

    `texts` are pairs of weight and text. 0 means that no text has any of the words.
    """
    weighted: dict[str, int] = {}
    for weight, text in texts:
        for word in re.findall(r"\w+", text.lower()):
            for stem in stems_of(word):
                weighted[stem] = max(weighted.get(stem, 0), weight)
    return sum(max((weighted.get(stem, 0) for stem in stems_of(word)), default=0) for word in words)


# --- Typing errors ----------------------------------------------------------------------------------------

SHORTEST_CORRECTED = 4
"""Shorter words have too many neighbours to be corrected."""


@lru_cache(maxsize=10_000)
def trigrams_of(word: str) -> frozenset[str]:
    """Return the groups of three letters of a folded word or line, with one blank before and after it."""
    padded = f" {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def likeness(one: str, other: str) -> float:
    """Return from 0 to 1 how much of their groups of three letters two folded texts share."""
    return dice(trigrams_of(one), trigrams_of(other))


def dice(one: frozenset[str], other: frozenset[str]) -> float:
    """Return from 0 to 1 how much two sets share (Dice's coefficient). Empty ones share nothing."""
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total else 0.0


def slips(one: str, other: str, most: int) -> int:
    """Return how many letters must be changed, added, left out or swapped with the next to make `other` of `one`; no
    more than `most + 1` is counted."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def correction(word: str, known: Iterable[str]) -> str:
    """Return the one of the `known` folded words that `word` was most likely meant to be; "" if none is near enough.

    One letter may be wrong, in words of seven and more two. Words with the same number of errors are told apart by the
    groups of three letters, and then by the alphabet, so that the answer does not depend on the order of `known`.
    """
    if len(word) < SHORTEST_CORRECTED or not word.isalpha():
        return ""
    most = 2 if len(word) > 6 else 1
    near = [(slips(word, other, most), -likeness(word, other), other) for other in known if other != word]
    wrong, _alike, best = min(near, default=(most + 1, 0.0, ""))
    return best if wrong <= most else ""
