"""How fast the outbox empties, and what becomes of it when everything is killed again and again.

    python -m bench.mail --mails 3000                 mails per second and per second of CPU, in one process
    python -m bench.mail --mails 10000 --kills 100    the same mails while workers, SMTP server, database and broker are
                                                      killed at random moments: how many are lost, how many came twice

The first form uses the server that DATABASE_URL names, the second starts its own PostgreSQL and Redis.
docs/performance.md has the figures.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench.database import ROOT, create
from tools.servers import Postgres, Redis, spare_port

SPEED_SECONDS = 60.0
WORKERS = 2
STUCK_SECONDS = 150  # longer than a lease, some sweeps and the first pauses of the circuit breaker
ANSWER_SECONDS = 0.01
"""How long the SMTP server takes to answer in the chaos: a kill in between makes a mail that comes twice."""
MAILS_PER_SECOND = 50
"""About how fast mails leave in the chaos, so that the kills are spread over all mails."""
WEIGHTS = {"sender": 70, "worker": 10, "smtp server": 10, "database": 5, "broker": 5}
"""What is killed, by how often."""


# --- Processes --------------------------------------------------------------------------------------------


class Process:
    """A process with a group of its own, so that it can be killed with its children."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        self.command, self.env, self.log = command, env, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )

    def children(self) -> list[int]:
        if self.process is None:
            return []
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kill the process and its children, and wait for its end."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.process = None


class Sink(Process):
    """The SMTP server. `log` tells which mails it took."""

    def __init__(self, folder: Path, seconds: float) -> None:
        """`seconds` is how long it takes from having stored a mail to saying so."""
        self.port, self.record = spare_port(), folder / "mails"
        self.record.touch()
        command = [sys.executable, "-m", "bench.mail_sink", str(self.port), str(self.record), str(seconds)]
        super().__init__(command, dict(os.environ), folder / "sink.log")

    def taken(self) -> list[str]:
        """Return the Message-IDs of the mails that it took, in order."""
        return [line[5:] for line in self._lines() if line.startswith("took ")]

    def repeated(self) -> dict[str, bool]:
        """Return the mails that were taken more than once, each with whether the sender had read the answer to one
        before the next copy came. That must not be."""
        copies: Counter[str] = Counter()
        answered: Counter[str] = Counter()
        found: dict[str, bool] = {}
        for line in self._lines():
            word, message_id = line[:4], line[5:]
            if word == "said":
                answered[message_id] += 1
                continue
            copies[message_id] += 1
            if copies[message_id] > 1:
                found[message_id] = found.get(message_id, False) or answered[message_id] > 0
        return found

    def _lines(self) -> list[str]:
        return self.record.read_text().splitlines()


def environment(database: str, smtp_port: int, folder: Path, redis: str = "") -> dict[str, str]:
    given = {
        name: value for name, value in os.environ.items() if name not in ("DEBUG", "DESK_ENV", "DESK_DEMO")
    }
    return given | {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "DESK_ENV": "development",
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
        "DESK_VAR_DIR": str(folder),
        "DESK_BASE_URL": "http://127.0.0.1",
        "CELERY_SKIP_CHECKS": "1",
        "LOG_LEVEL": "WARNING",
    }


def run(module: str, *arguments: str, env: dict[str, str]) -> str:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def sink_in(folder: Path, seconds: float = 0) -> Iterator[Sink]:
    sink = Sink(folder, seconds)
    sink.start()
    try:
        yield sink
    finally:
        sink.kill()


# --- Speed ------------------------------------------------------------------------------------------------


def speed(mails: int) -> dict[str, float]:
    """Send `mails` mails in one process to an SMTP server in another. Returns the figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-mail-")))
        sink = stack.enter_context(sink_in(folder))
        url = os.environ.get("DATABASE_URL") or stack.enter_context(Postgres()).url
        if url.startswith("sqlite"):
            url = f"sqlite:///{folder / 'db.sqlite3'}"
        else:
            parts = urlsplit(url)
            url = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/') or '/desk'}_bench_mail"))
            create(url)
        env = environment(url, sink.port, folder)
        run("bench.mail_filling", str(mails), env=env)
        figures: dict[str, float] = json.loads(run("bench.mail_draining", str(SPEED_SECONDS), env=env))
        return figures


def speed_report(figures: dict[str, float]) -> list[str]:
    sent = figures["sent"]
    return [
        f"{sent:>8.0f}  mails in {figures['seconds']:.1f} s",
        f"{sent / figures['seconds']:>8.1f}  mails per second",
        f"{sent / figures['cpu']:>8.1f}  mails per second of CPU of the sending process",
        f"{figures['queries'] / sent:>8.2f}  queries per mail",
        f"{figures['updates'] / sent:>8.2f}  updates of the outbox per mail",
        f"{(figures['updates'] - figures['hot']) / sent:>8.2f}  of them touch the indexes, the others are HOT",
    ]


# --- Chaos ------------------------------------------------------------------------------------------------


@dataclass
class Result:
    mails: int
    kills: Counter[str]
    seconds: float
    lost: set[str]
    states: Counter[str]
    uncertain_but_taken: int
    repeated: int
    repeated_after_answer: set[str]
    second_copies: int = 0

    @property
    def is_right(self) -> bool:
        return not self.lost and not self.repeated_after_answer

    def lines(self) -> list[str]:
        kills = ", ".join(f"{count} × {kind}" for kind, count in self.kills.most_common())
        states = ", ".join(f"{count} {state}" for state, count in self.states.most_common())
        return [
            f"{self.mails:>6}  mails in {self.seconds:.0f} s",
            f"{self.kills.total():>6}  kills: {kills}",
            f"{len(self.lost):>6}  lost",
            f"{self.repeated:>6}  came twice: the server took them, and its answer was never read",
            f"{len(self.repeated_after_answer):>6}  came twice although the sender had read the answer",
            f"{self.second_copies:>6}  were in doubt and sent once more",
            f"        in the end: {states}; of the uncertain ones {self.uncertain_but_taken} had arrived",
        ]


@dataclass
class Chaos:
    """The outbox, its workers and its servers, of which one after the other is killed."""

    mails: int
    kills: int
    seed: int = 0
    say: Callable[[str], None] = print
    weights: dict[str, int] = field(default_factory=lambda: dict(WEIGHTS))

    def __enter__(self) -> Self:
        self.stack = ExitStack()
        self.random = random.Random(self.seed)
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-chaos-")))
        self.postgres = self.stack.enter_context(Postgres())
        self.redis = self.stack.enter_context(Redis())
        self.sink = self.stack.enter_context(sink_in(self.folder, ANSWER_SECONDS))
        self.env = environment(self.postgres.url, self.sink.port, self.folder, self.redis.url)
        celery = [sys.executable, "-m", "celery", "-A", "helpdesk"]
        work = [*celery, "worker", "--concurrency=2", "--without-gossip", "--without-mingle"]
        self.workers = [
            Process([*work, f"--hostname=w{number}@%h"], self.env, self.folder / f"worker{number}.log")
            for number in range(WORKERS)
        ]
        self.beat = Process([*celery, "beat", "--pidfile="], self.env, self.folder / "beat.log")
        for process in (*self.workers, self.beat):
            self.stack.callback(process.kill)
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def run(self) -> Result:
        run("bench.mail_filling", str(self.mails), env=self.env)
        self.say(f"{self.mails} mails wait")
        began = time.monotonic()
        for process in (*self.workers, self.beat):
            process.start()
        killed: Counter[str] = Counter()
        while killed.total() < self.kills and self._wait_for_progress():
            time.sleep(self.random.uniform(0, self.mails / self.kills / MAILS_PER_SECOND))
            kind = self.random.choices([*self.weights], [*self.weights.values()])[0]
            self._kill(kind)
            killed[kind] += 1
            self.say(f"{killed.total():>4}  killed: {kind}; {len(set(self.sink.taken()))} mails arrived")
        self._wait_until_settled()
        return self._result(killed, time.monotonic() - began)

    def _wait_for_progress(self) -> bool:
        """Wait until another mail arrives. Returns False if none waits any more."""
        seen, until = len(self.sink.taken()), time.monotonic() + STUCK_SECONDS
        while len(self.sink.taken()) == seen:
            if self._waiting() == 0:
                return False
            if time.monotonic() > until:
                raise SystemExit(f"No mail arrives any more.\n{self.logs()}")
            self._bring_second_copies_forward()
            time.sleep(0.2)
        return True

    def _wait_until_settled(self) -> None:
        seen, until = -1, time.monotonic() + STUCK_SECONDS
        while (waiting := self._waiting()) > 0:
            if waiting != seen:
                seen, until = waiting, time.monotonic() + STUCK_SECONDS
            if time.monotonic() > until:
                raise SystemExit(f"{waiting} mails do not leave.\n{self.logs()}")
            self._bring_second_copies_forward()
            time.sleep(0.5)

    def _kill(self, kind: str) -> None:
        match kind:
            case "sender":
                for child in self.random.choice(self.workers).children():
                    try:
                        os.kill(child, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            case "worker":
                worker = self.random.choice(self.workers)
                worker.kill()
                worker.start()
            case "smtp server":
                self.sink.kill()
                self.sink.start()
            case "database":
                self.postgres.stop(signal.SIGQUIT)  # «immediate»: without writing anything more
                self.postgres.start()
            case "broker":
                self.redis.stop(signal.SIGKILL)
                self.redis.start()

    def _bring_second_copies_forward(self) -> None:
        """Let no mail wait for its next attempt: this bench is not about patience."""
        self._ask(
            "UPDATE notifications_outgoingemail SET next_attempt_at = now() "
            "WHERE state = 'queued' AND claim IS NULL AND next_attempt_at > now() RETURNING id"
        )

    def _waiting(self) -> int:
        return len(self._ask("SELECT id FROM notifications_outgoingemail WHERE state = 'queued'"))

    def _ask(self, query: str) -> list[tuple[str, ...]]:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def _result(self, killed: Counter[str], seconds: float) -> Result:
        rows = self._ask("SELECT message_id, state, is_second_copy::text FROM notifications_outgoingemail")
        taken, repeated = set(self.sink.taken()), self.sink.repeated()
        return Result(
            mails=len(rows),
            kills=killed,
            seconds=seconds,
            lost={name for name, state, _again in rows if name not in taken and state != "uncertain"},
            states=Counter(state for _name, state, _again in rows),
            uncertain_but_taken=sum(state == "uncertain" and name in taken for name, state, _again in rows),
            repeated=sum(not answered for answered in repeated.values()),
            repeated_after_answer={name for name, answered in repeated.items() if answered},
            second_copies=sum(again == "true" for _name, _state, again in rows),
        )

    def logs(self) -> str:
        """Return the end of every log."""
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in self.folder.glob("*.log")
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.mail", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=3000, help="how many mails to send")
    parser.add_argument("--kills", type=int, default=0, help="how often to kill something meanwhile")
    parser.add_argument("--seed", type=int, default=0, help="another order of kills")
    arguments = parser.parse_args()
    if not arguments.kills:
        print("\n".join(speed_report(speed(arguments.mails))))
        return
    with Chaos(arguments.mails, arguments.kills, arguments.seed, say=report) as chaos:
        result = chaos.run()
    print("\n".join(result.lines()))
    if not result.is_right:
        raise SystemExit(1)


def report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
