"""Processor time: of processes, and of everything else on the machine. Reads /proc; elsewhere all figures are 0."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROCESSORS = os.cpu_count() or 1
LOOK = 0.3  # seconds


def children(pid: int) -> list[int]:
    with suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for task in tasks for child in task.read_text().split()]
    return []


def used(pid: int) -> float:
    """Return the seconds of processor time that the process has used."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def busy() -> float:
    """Return the seconds that all processors together have worked, for whomever."""
    with suppress(OSError):
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return (sum(fields) - fields[3] - fields[4]) / TICKS  # without idling and waiting for disks
    return 0.0


class Meter:
    """Reads the processor time of groups of processes now, and the difference later."""

    def __init__(self, **groups: Iterable[int]) -> None:
        self.began = time.perf_counter()
        self._busy, self._own = busy(), time.process_time()
        self._first = {name: {pid: used(pid) for pid in pids} for name, pids in groups.items()}

    def stop(self, **groups: Iterable[int]) -> tuple[dict[str, float], float]:
        """Return the seconds that each group has used, and the share of the machine (0 to 1) that all others used.

        A process that is only now in its group has used all its time since the beginning.
        """
        wall = max(time.perf_counter() - self.began, 1e-9)
        spent = {
            name: sum(used(pid) - self._first[name].get(pid, 0.0) for pid in pids)
            for name, pids in groups.items()
        }
        known = sum(spent.values()) + time.process_time() - self._own
        return spent, max(0.0, busy() - self._busy - known) / wall / PROCESSORS


def wait_until_quiet(limit: float, patience: float) -> None:
    """Wait until others use less than `limit` of the machine, but no longer than `patience` seconds."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        meter = Meter()
        time.sleep(LOOK)
        if meter.stop()[1] < limit:
            return
