"""Read large files in small parts, so that never more than a chunk is in memory."""

from collections.abc import Iterator
from typing import IO, Any, TypeAlias

from django.core.files.base import File

Source: TypeAlias = "IO[bytes] | File[Any]"

MB = 1_000_000
"""A megabyte is a million bytes, as in `rules.filesize` and js/behaviours/upload.js."""
CHUNK = 64 * 1024


def size_of(file: Source) -> int:
    """Return the real size of `file` in bytes, whatever size the upload declared. Moves to the end of the file."""
    file.seek(0, 2)
    return int(file.tell())


def read_at(file: Source, offset: int, length: int) -> bytes:
    """Return up to `length` bytes from `offset`; fewer or none at the end of the file."""
    file.seek(max(offset, 0))
    return bytes(file.read(length))


def chunks(file: Source, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield the bytes from `start` to `end` in chunks. The caller may seek in the file between two chunks."""
    position = start
    while data := read_at(file, position, CHUNK if end is None else min(CHUNK, end - position)):
        yield data
        position += len(data)


def has_any(file: Source, needles: tuple[bytes, ...], *, start: int = 0) -> bool:
    """Whether the file contains any of `needles` from `start` on. Ignores case; `needles` must be in lower case."""
    overlap = max(map(len, needles)) - 1
    before = b""
    for data in chunks(file, start):
        text = before + data.lower()
        if any(needle in text for needle in needles):
            return True
        before = text[-overlap:]
    return False
