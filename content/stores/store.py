"""The methods that both stores have beside Django's storage API."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

INCOMING = "incoming"
"""The folder of files that are being written. No row names a file in it."""


class Readable(Protocol):
    """What `Store.part` returns."""

    def read(self, amount: int = -1, /) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that the store has: its name, and when it was last written."""

    name: str
    modified: datetime


class Store(Protocol):
    @property
    def is_local(self) -> bool:
        """Whether the files are in a folder of this machine, from which the front server may send them."""

    def size(self, name: str) -> int: ...
    def delete(self, name: str) -> None: ...

    def part(self, name: str, start: int, length: int) -> Readable:
        """Return `length` bytes from `start` as a stream that holds only a chunk in memory."""

    def public_url(self, name: str, *, method: str, content_type: str, disposition: str) -> str:
        """Return a short-lived address that browsers can reach; empty if the store has none."""

    def walk(self, folder: str, *, after: str = "") -> Iterator[Stored]:
        """Yield the files of `folder` whose names come after `after`, in the order of their names."""

    def forget_unfinished(self, before: datetime, *folders: str) -> int:
        """Delete what was begun before then in `folders` and never finished, because its process was killed. Returns
        how many."""

    def probe(self) -> dict[str, Any]:
        """Write a few bytes, delete them and return what else is known. Takes up to two seconds."""
