"""Sort names as Spanish dictionaries do: «Álvaro» beside «Alvaro», «ñ» after «n», capitals beside small letters.

PostgreSQL has this order as an ICU collation for `es`. `sort_key` gives the same order to Python, and through
`register` to SQLite. A test compares the two on PostgreSQL.
"""

import sqlite3
import unicodedata
from functools import lru_cache
from typing import Any

from .text import normalize

NAME_COLLATION = "desk_names"
"""The name of the collation in both databases, for `db_collation`."""

# The order of ICU: blanks, punctuation, other symbols, digits, letters.
_BLANKS, _MARKS, _OTHER_MARKS, _DIGITS, _LETTERS, _OTHER_LETTERS = range(6)
_PUNCTUATION = "_-–—,;:!¡?¿.…·'‘’\"“”«»()[]{}§¶@*/\\&#%•`´^¨°©®+±÷×<=>|¦~¤¢$£¥€"
# Accents in the order in which they are compared, when the letters are the same.
_ACCENTS = "\u0301\u0300\u0306\u0302\u030c\u030a\u0308\u030b\u0303\u0307\u0328\u0327\u0304"
_TILDE = "\u0303"
# Letters that Unicode does not decompose.
_AS_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l"}


@lru_cache(maxsize=4096)
def sort_key(text: str) -> tuple[Any, ...]:
    """Return a key by which texts sort. It compares letters first, then accents, then capitals, then code points."""
    letters: list[tuple[int, int]] = []
    accents: list[int] = []
    capitals: list[bool] = []
    for char in normalize("NFKD", text):
        if unicodedata.combining(char):
            if char == _TILDE and letters[-1:] == [_letter("n")]:
                letters[-1] = _just_after("n")
            else:
                accents.append(_ACCENTS.find(char) + 2)
            continue
        for base in _AS_LETTERS.get(char.lower(), char.lower()):
            if weight := _weight(base):
                letters.append(weight)
                accents.append(0)
                capitals.append(char.isupper())
    return tuple(letters), tuple(accents), tuple(capitals), text


def _weight(char: str) -> tuple[int, int] | None:
    """Return the place of `char` among all; None if it does not count, as invisible characters do not."""
    if (place := _PUNCTUATION.find(char)) >= 0:
        return _MARKS, place
    category = unicodedata.category(char)
    if category[0] == "Z":
        return _BLANKS, ord(char)
    if category[0] == "C":
        return None
    if category == "Nd":
        return _DIGITS, unicodedata.decimal(char)
    if char == "ı":
        return _just_after("i")
    if category[0] != "L":
        return _OTHER_MARKS, ord(char)
    return _letter(char) if unicodedata.name(char, "").startswith("LATIN") else (_OTHER_LETTERS, ord(char))


def _letter(char: str) -> tuple[int, int]:
    return _LETTERS, 2 * ord(char)


def _just_after(char: str) -> tuple[int, int]:
    return _LETTERS, 2 * ord(char) + 1


def register(connection: sqlite3.Connection) -> None:
    """Give the collation to a connection to SQLite, which stores only its name."""
    connection.create_collation(NAME_COLLATION, _compare)


def _compare(one: str, other: str) -> int:
    first, second = sort_key(one), sort_key(other)
    return (first > second) - (first < second)
