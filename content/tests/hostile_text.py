"""Texts that cost much to clean, fold or draw, for tests that measure."""

from collections.abc import Callable
from time import process_time
from typing import Any

HOSTILE = {
    "marks out of order": "\u0301\u0316",
    "marks that decompose": "\u0f73\u0344",
    "marks of kana": "\uff9e\u0316",
    "a letter and many marks": "a" + "\u0301\u0316" * 40,
    "long decompositions": "\ufdfa",
    "accents": "e\u0301ñ",
    "emoji": "👩\u200d💻",
    "hidden characters": "\u200b\u202e",
    "tags of flags": "\U0001f3f4\U000e0067",
    "spaces": " ",
    "line breaks": "\r\n",
    "spaces and a word": " " * 200 + "a",
    "addresses": "a@b.",
    "dots": ".",
    "brackets": "[](",
    "digits": "9",
    "tags": "<a b='",
    "slashes": "/\\",
    "percent signs": "%2",
}


def hostile(kind: str, size: int) -> str:
    """Return a hostile text of about `size` bytes in UTF-8."""
    piece = HOSTILE[kind]
    return piece * (size // len(piece.encode()) + 1)


def seconds(work: Callable[[], Any], *, rounds: int = 3) -> float:
    """Return the least processor time of `rounds` calls. Exceptions of `work` are part of it."""
    times = []
    for _round in range(rounds):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


def assert_grows_linearly(work: Callable[[int], Any], *, short: int, floor: float) -> None:
    """Ten times the bytes may cost at most 25 times as much. Less than `floor` seconds counts as `floor`.

    Measures up to four times, because other processes disturb it. Quadratic work would cost a hundred times as much.
    """
    measured = []
    for _attempt in range(4):
        once, ten_times = seconds(lambda: work(short)), seconds(lambda: work(short * 10))
        if ten_times <= 25 * max(once, floor):
            return
        measured.append(f"{once * 1000:.1f} ms → {ten_times * 1000:.1f} ms")
    raise AssertionError(", ".join(measured))
