"""Let only a few processes of a machine do something heavy at the same time, on SQLite and without Redis too.

A slot is a lock on a file. The system frees it when the last process that has the file open ends, however it ends.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PAUSE_SECONDS = 0.05


class NoSlot(Exception):
    """Every slot is taken, and so is every place to wait, or the wait was too long."""


@contextmanager
def slot(folder: Path, name: str, *, count: int, waiting: int, seconds: float) -> Iterator[int]:
    """Take one of `count` slots for the `with` block and return its file descriptor.

    Give the descriptor to a child process, and the slot is taken until that process has ended too. If every slot is
    taken, up to `waiting` callers wait, each for up to `seconds`. Nobody else waits: threads of a web server that wait
    serve no pages. Raises `NoSlot`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    slots = [folder / f"{name}-{number}" for number in range(count)]
    taken = _first_free(slots)
    if taken is None:
        taken = _wait_for(slots, [folder / f"{name}-waiting-{number}" for number in range(waiting)], seconds)
    try:
        yield taken
    finally:
        os.close(taken)


def _wait_for(slots: list[Path], places: list[Path], seconds: float) -> int:
    place = _first_free(places)
    if place is None:
        raise NoSlot
    try:
        until = time.monotonic() + seconds
        while (taken := _first_free(slots)) is None:
            if time.monotonic() > until:
                raise NoSlot
            time.sleep(_PAUSE_SECONDS)
        return taken
    finally:
        os.close(place)


def _first_free(paths: Iterable[Path]) -> int | None:
    """Lock the first file that nobody has locked. Returns its descriptor, or None."""
    for path in paths:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        os.close(descriptor)
    return None
