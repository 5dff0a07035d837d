"""Find texts by words: any word counts, without case or accents, and in any of its forms («pagos», «pagué»).

A word is reduced to its stems in Spanish and in English, because texts of both languages stand side by side.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import snowballstemmer

from .text import fold

_STEMMERS = tuple(snowballstemmer.stemmer(language) for language in ("spanish", "english"))
_ACCENTED = re.compile(r"([cs])ion$")
"""People leave the accent of «facturación» out, and then the stemmer does not know the ending."""
_COMMON = frozenset((
    "a", "al", "algo", "and", "are", "como", "con", "cual", "cuando", "de", "del", "donde", "el", "ella", "en",
    "es", "esta", "este", "esto", "for", "from", "ha", "hay", "he", "i", "in", "is", "it", "la", "las", "le", "les",
    "lo", "los", "me", "mi", "mis", "mucho", "muy", "my", "no", "nos", "not", "o", "of", "on", "or", "para", "pero",
    "por", "porque", "que", "quiero", "se", "si", "sin", "sobre", "su", "sus", "te", "the", "this", "to", "tu",
    "un", "una", "unas", "unos", "y", "ya", "yo", "you", "your",
))  # fmt: skip
MAX_WORDS = 12  # of a query; the rest is ignored


@lru_cache(maxsize=10_000)
def stems_of(word: str) -> frozenset[str]:
    """Return the stems of a word, in lower case and without accents. Marks that stand alone have none."""
    plain = _ACCENTED.sub(r"\1ión", word.lower())
    return frozenset(filter(None, (fold(stemmer.stemWord(plain)) for stemmer in _STEMMERS)))


def words_of(query: str) -> list[str]:
    """Return the first `MAX_WORDS` words of a query that say something. Words such as «no» and «the» count only if the
    query has no others."""
    words = [word for word in re.findall(r"\w+", query.lower()) if len(word) < 60]
    telling = [word for word in words if fold(word) not in _COMMON]
    return list(dict.fromkeys(telling or words))[:MAX_WORDS]


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
