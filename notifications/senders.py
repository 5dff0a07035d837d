"""Let mail take at most half of a worker's processes, so that a slow or mute mail server holds up nothing else.

One worker may do all work, or some workers only mail (`-Q mail`) and the others everything else (`-Q desk`). Where both
kinds of work meet in one worker, `share` counts: a process that would send beyond it leaves the mail to those that are
sending.
"""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

MAIL_QUEUE = "mail"


class Share:
    """A few slots, shared by a worker's processes: byte ranges of a file without a name, which the kernel unlocks when
    the process that holds one ends, however it ends. Without `limit`, as outside a worker, there are always slots."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self.slots = 0

    def limit(self, slots: int) -> None:
        """Allow `slots` processes at a time. Call it before the processes are forked."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the worker lives)
        self.slots = slots

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextmanager
    def slot(self) -> Iterator[bool]:
        """Hold a slot for the `with` block. Yields False if all are taken."""
        if self._file is None:
            yield True
            return
        number = self._take(self._file)
        try:
            yield number is not None
        finally:
            if number is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)

    def _take(self, file: IO[bytes]) -> int | None:
        for number in range(self.slots):
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except (BlockingIOError, PermissionError):
                continue
            return number
        return None


share = Share()


def slots_of(processes: int, queues: set[str]) -> int:
    """Return how many of a worker's `processes` may send mail at the same time, given the `queues` that it reads."""
    return processes if queues == {MAIL_QUEUE} else max(1, processes // 2)
