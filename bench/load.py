"""Measure one page at one size: some clients ask for it, each waits for its answer before it asks again."""

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from statistics import median

from bench import machine
from bench.client import Connection, Journey, Person, UnexpectedAnswer
from bench.database import Watch
from bench.pages import Page
from bench.server import Server

WARM_UP = 3
LEAST = 3  # journeys of a client, however long they take


@dataclass
class Samples:
    """The times of one page with some number of clients, from one round or from several."""

    seconds: list[float] = field(default_factory=list)
    wall: float = 0.0
    app: float = 0.0
    """Processor seconds of the web processes."""
    database: float = 0.0
    foreign: float = 0.0
    """The share of the machine that others used meanwhile."""

    @property
    def p50(self) -> float:
        return median(self.seconds) * 1000

    @property
    def p99(self) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.wall

    @property
    def app_ms(self) -> float:
        return self.app / len(self.seconds) * 1000

    @property
    def database_ms(self) -> float:
        return self.database / len(self.seconds) * 1000


def merged(rounds: list[Samples], noise: float) -> Samples:
    """Put rounds together: those in which others used at most `noise` of the machine, or the quietest of all."""
    quiet = [one for one in rounds if one.foreign <= noise] or [min(rounds, key=lambda one: one.foreign)]
    return Samples(
        [second for one in quiet for second in one.seconds],
        sum(one.wall for one in quiet),
        sum(one.app for one in quiet),
        sum(one.database for one in quiet),
        sum(one.foreign * one.wall for one in quiet) / sum(one.wall for one in quiet),
    )


@dataclass
class Target:
    """A running server with the people who are signed in to it."""

    server: Server
    watch: Watch
    sessions: dict[str, str]
    rng: Random = field(default_factory=Random)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(int(time.time())))

    def journeys(self, page: Page, count: int) -> list[Journey]:
        """Return journeys that have taken the steps that are not measured."""
        connection, made = Connection(self.server.port), []
        for _ in range(count):
            number = next(self._numbers)
            values = page.values[number % len(page.values)] | {"n": str(number)}
            journey = Journey(self._person(page, number), values)
            journey.go(connection, page.before)
            made.append(journey)
        connection.close()
        return made

    def _person(self, page: Page, number: int) -> Person:
        address = "10." + ".".join(str(self.rng.randrange(1, 255)) for _ in range(3))
        if not page.who:
            return Person(address)
        return Person(address, {"desk_session": self.sessions[page.who[number % len(page.who)]]})

    def queries(self, page: Page) -> int:
        """Return how many queries the page takes, once what is kept for everybody is kept."""
        first, last = self.journeys(page, 2)
        connection = Connection(self.server.port)
        first.go(connection, page.steps)
        count = last.go(connection, page.steps, count=True)[1]
        connection.close()
        return count

    def measure(
        self, page: Page, *, clients: int, count: int, seconds: float, is_fresh: bool = False
    ) -> Samples:
        """Let `clients` take `count` journeys altogether, or as many as they can within `seconds`."""
        self._warm_up(page)
        waiting = iter(enumerate(self.journeys(page, max(count, clients * LEAST))))
        crowd = [
            _Client(self.server.port, page, waiting, clients * LEAST, seconds, is_fresh=is_fresh)
            for _ in range(clients)
        ]
        meter = machine.Meter(app=self._web(), database=self.watch.backends())
        for client in crowd:
            client.start()
        for client in crowd:
            client.join()
        wall = time.perf_counter() - meter.began
        spent, foreign = meter.stop(app=self._web(), database=self.watch.backends())
        for client in crowd:
            if client.problem is not None:
                raise client.problem
        times = [second for client in crowd for second in client.seconds]
        return Samples(times, wall, spent["app"], spent["database"], foreign)

    def _warm_up(self, page: Page) -> None:
        connection = Connection(self.server.port)
        for journey in self.journeys(page, WARM_UP):
            journey.go(connection, page.steps)
        connection.close()

    def _web(self) -> list[int]:
        return [self.server.process.pid, *self.server.workers()]


_turn = threading.Lock()


class _Client(threading.Thread):
    def __init__(
        self,
        port: int,
        page: Page,
        waiting: Iterator[tuple[int, Journey]],
        least: int,
        limit: float,
        *,
        is_fresh: bool,
    ) -> None:
        super().__init__()
        self.page, self.waiting, self.least = page, waiting, least
        self.until = time.perf_counter() + limit
        self.connection = Connection(port, is_fresh=is_fresh)
        self.seconds: list[float] = []
        self.problem: Exception | None = None

    def run(self) -> None:
        try:
            while (journey := self._next()) is not None:
                self.seconds.append(journey.go(self.connection, self.page.steps)[0])
        except (UnexpectedAnswer, OSError) as problem:
            self.problem = problem
        self.connection.close()

    def _next(self) -> Journey | None:
        with _turn:
            number, journey = next(self.waiting, (0, None))
        return None if number >= self.least and time.perf_counter() > self.until else journey
