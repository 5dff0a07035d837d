"""Small reads from files that may be large: never more than a chunk in memory."""

from collections.abc import Iterator
from typing import IO, Any, TypeAlias

from django.core.files.base import File

Source: TypeAlias = "IO[bytes] | File[Any]"

MB = 1_000_000
"""As `filesize` says it, here and in js/behaviours/upload.js."""
CHUNK = 64 * 1024


def size_of(file: Source) -> int:
    """The size that the bytes have, not the one that somebody declared."""
    file.seek(0, 2)
    return int(file.tell())


def read_at(file: Source, offset: int, length: int) -> bytes:
    """Up to `length` bytes; fewer, or none, past the end."""
    file.seek(max(offset, 0))
    return bytes(file.read(length))


def chunks(file: Source, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes from `start` to `end`, wherever the file is moved between two of them."""
    position = start
    while data := read_at(file, position, CHUNK if end is None else min(CHUNK, end - position)):
        yield data
        position += len(data)


def has_any(file: Source, needles: tuple[bytes, ...], *, start: int = 0) -> bool:
    """Whether any of `needles`, written in lower case, occurs in any case."""
    overlap = max(map(len, needles)) - 1
    before = b""
    for data in chunks(file, start):
        text = before + data.lower()
        if any(needle in text for needle in needles):
            return True
        before = text[-overlap:]
    return False
