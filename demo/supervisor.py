"""Start a few processes from one terminal and restart them when they die; `make demo` uses it.

Each child has a session of its own, so that Ctrl-C reaches only the supervisor, and stopping a child also stops the
child's own children. On Linux the kernel ends the children if the supervisor is killed.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
# After this time `stop` kills the children that still run. A worker without Redis needs up to six seconds to end, which
# is too long after Ctrl-C. Killing it loses no mail, because the outbox is a table.
STOP_SECONDS = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 30.0
STABLE_SECONDS = 20.0  # if a child lived longer, its next death counts as the first one
GIVE_UP_AFTER = 6  # deaths in a row, each before STABLE_SECONDS
LOG_LIMIT = 5_000_000

libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ChildKeepsDying(Exception):
    """A child ends soon after every start. The message names its log file."""


@dataclass
class Child:
    """One process that the supervisor starts, with its command, log file and environment."""

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()
    niceness: int = 0
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    short_lives: int = 0
    retry_at: float = 0.0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        too_long = self.log.exists() and self.log.stat().st_size > LOG_LIMIT
        parent = os.getpid()

        def prepare() -> None:
            os.nice(self.niceness)
            if libc is not None:
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
                if os.getppid() != parent:
                    os._exit(1)

        with self.log.open("wb" if too_long else "ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.env),
                start_new_session=True,
                pass_fds=self.pass_fds,
                preexec_fn=prepare,  # noqa: PLW1509  (the supervisor has one thread)
            )
        self.started = time.monotonic()

    def signal_group(self, number: int) -> None:
        """Send the signal to the child and all its descendants."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass


@dataclass
class Supervisor:
    """Starts children, restarts those that die, and stops them all at the end."""

    say: Callable[[str], None] = print
    children: list[Child] = field(default_factory=list)
    stopping: bool = False

    def listen(self) -> None:
        """Handle SIGINT, SIGTERM and SIGHUP by setting `stopping`."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stopping:  # the second signal: do not wait for the children to end
            for child in self.children:
                child.signal_group(signal.SIGKILL)
        self.stopping = True

    def start(self, child: Child) -> None:
        child.start()
        self.children.append(child)

    def restart_dead(self) -> None:
        """Restart the children that have died. Call it a few times a second. Raises `ChildKeepsDying`."""
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.retry_at and not self.stopping:
                    child.start()
            elif (code := child.process.poll()) is not None and not self.stopping:
                child.signal_group(signal.SIGKILL)  # its own children may still run
                child.process = None
                child.short_lives = 1 if now - child.started > STABLE_SECONDS else child.short_lives + 1
                if child.short_lives >= GIVE_UP_AFTER:
                    raise ChildKeepsDying(f"{child.name} no arranca (código {code}). Mira {child.log}")
                pause = min(FIRST_PAUSE * 2 ** (child.short_lives - 1), LONGEST_PAUSE)
                child.retry_at = now + pause
                self.say(f"{child.name} terminó (código {code}); vuelve en {pause:.1f} s")

    def stop(self) -> None:
        """Terminate all children; kill those that still run after `STOP_SECONDS`."""
        self.stopping = True
        for child in self.children:
            if child.process is not None:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and any(
            c.process and c.process.poll() is None for c in self.children
        ):
            time.sleep(0.05)
        for child in self.children:
            child.signal_group(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
