"""Compare two texts word by word, for the versions of an article."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "added", "removed", "left_out"]

MOST_LINES, MOST_WORDS = 2_000, 600
"""The lines of a text, and the words of a changed part, that are compared; beyond, all counts as replaced."""
AROUND = 120
"""The characters of unchanged text that are kept at each side of a change."""


@dataclass(frozen=True)
class Piece:
    """A part of the comparison. `left_out` stands for unchanged text that is not shown."""

    kind: Kind
    text: str


def compare(before: str, after: str) -> list[Piece]:
    """Return what was removed and added, with a little of the unchanged text around it. Empty if nothing changed.

    First compares lines, then the words of the lines that differ, so that its time stays within bounds for any text.
    """
    if before == after:
        return []
    pieces: list[Piece] = []
    for kind, text in _by_words(before, after):
        if pieces and pieces[-1].kind == kind:
            text = pieces.pop().text + text
        pieces.append(Piece(kind, text))
    last = len(pieces) - 1
    return [
        part for at, piece in enumerate(pieces) for part in _shortened(piece, first=not at, last=at == last)
    ]


def _by_words(before: str, after: str) -> Iterator[tuple[Kind, str]]:
    for tag, old, new in _changes(
        before.splitlines(keepends=True), after.splitlines(keepends=True), MOST_LINES
    ):
        if tag == "equal":
            yield "same", "".join(new)
            continue
        for inner, removed, added in _changes(_words("".join(old)), _words("".join(new)), MOST_WORDS):
            if inner == "equal":
                yield "same", "".join(added)
                continue
            if removed:
                yield "removed", "".join(removed)
            if added:
                yield "added", "".join(added)


def _changes(
    before: Sequence[str], after: Sequence[str], most: int
) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Yield what `SequenceMatcher` finds between the equal beginning and the equal end, which cost no time."""
    shortest = min(len(before), len(after))
    start = next((at for at in range(shortest) if before[at] != after[at]), shortest)
    left = shortest - start
    end = next((at for at in range(left) if before[-1 - at] != after[-1 - at]), left)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if start:
        yield "equal", before[:start], after[:start]
    if max(len(old), len(new)) > most:
        yield "replace", old, new
    else:
        for tag, first, last, new_first, new_last in SequenceMatcher(None, old, new).get_opcodes():
            yield tag, old[first:last], new[new_first:new_last]
    if end:
        yield "equal", before[len(before) - end :], after[len(after) - end :]


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|[^\s]+", text)


def _shortened(piece: Piece, *, first: bool, last: bool) -> Iterator[Piece]:
    text = piece.text
    if piece.kind != "same" or len(text) <= 2 * AROUND:
        yield piece
        return
    if not first:
        yield Piece("same", text[:AROUND])
    yield Piece("left_out", "…")
    if not last:
        yield Piece("same", text[-AROUND:])
