"""The fingerprint of what we sent: which words stand beside one another in it, as short hashes.

With it a reply's quoted lines are found in every language, however a mail program wrapped, indented or decorated them,
and the outbox need not keep the text (decision 48).
"""

import re
from array import array
from collections.abc import Sequence
from hashlib import blake2b

RUN = 3
"""Words in a row that make one hash."""
SHARE = 0.6
"""How much of a line must be ours."""
MOST_WORDS = 4_000
_WORD = re.compile(r"\w+")


class Fingerprint:
    """The hashes of all runs of `RUN` words of a mail, and of its lines that have fewer words."""

    def __init__(self, hashes: frozenset[int]) -> None:
        self.hashes = hashes

    @classmethod
    def of(cls, text: str) -> "Fingerprint":
        words = _words(text)[:MOST_WORDS]
        short = [line for line in map(_words, text.splitlines()) if 0 < len(line) < RUN]
        return cls(frozenset([*_hashes(words), *(_hash(line) for line in short)]))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Fingerprint | None":
        """Return the fingerprint that `to_bytes` wrote; None if there is none."""
        if not data or len(data) % 4:
            return None
        found = array("I")
        found.frombytes(bytes(data))
        return cls(frozenset(found))

    def to_bytes(self) -> bytes:
        return array("I", sorted(self.hashes)).tobytes()

    def range_in(self, lines: Sequence[str]) -> tuple[int, int] | None:
        """Return the first line made of our words and the one behind the last, or None. Lines with fewer words than a
        run count only between others: «Hola» alone proves nothing."""
        owner: list[int] = []
        words: list[str] = []
        for place, line in enumerate(lines):
            found = _words(line)
            words += found
            owner += [place] * len(found)
        hits = [0] * len(lines)
        runs = [0] * len(lines)
        for at, value in enumerate(_hashes(words)):
            for place in {owner[at], owner[at + RUN - 1]}:
                runs[place] += 1
                hits[place] += value in self.hashes
        ours = [place for place in range(len(lines)) if runs[place] and hits[place] / runs[place] >= SHARE]
        sure = [place for place in ours if hits[place] >= RUN]
        if not sure or sum(hits[place] for place in ours) < 2 * RUN:
            return None
        return self._widest(lines, min(ours), max(ours))

    def _widest(self, lines: Sequence[str], first: int, last: int) -> tuple[int, int]:
        """Include neighbours that have few words, all of them ours."""
        while first and (not _words(lines[first - 1]) or self._is_short_of_ours(lines[first - 1])):
            first -= 1
        while last + 1 < len(lines) and (
            not _words(lines[last + 1]) or self._is_short_of_ours(lines[last + 1])
        ):
            last += 1
        while first < last and not lines[first].strip():
            first += 1
        return first, last + 1

    def _is_short_of_ours(self, line: str) -> bool:
        words = _words(line)
        return 0 < len(words) < RUN and _hash(words) in self.hashes


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _hashes(words: Sequence[str]) -> list[int]:
    return [_hash(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]


def _hash(words: Sequence[str]) -> int:
    return int.from_bytes(
        blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=4).digest(), "little"
    )
