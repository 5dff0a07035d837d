"""Run the bench and print its tables. docs/performance.md explains the numbers."""

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

from bench import balance, machine, report
from bench.client import UnexpectedAnswer
from bench.database import ROOT, VAR_DIR, Watch, create, environment
from bench.load import Samples, Target, merged
from bench.pages import FLOOR, Page, page_from
from bench.server import Server, options_of

DRAINED = 10  # seconds; long enough to judge the updates of the outbox
PAGES_PER_FLOOR = 4
TO_NOBODY = {"DESK_ENV": "development", "EMAIL_URL": "dummymail://"}
FLUSHED = 1.5  # seconds after which PostgreSQL has counted the last updates


class Desk:
    """One size: its database, its server and what was measured."""

    def __init__(self, size: int, *, anew: bool) -> None:
        self.size, self.env = size, environment(size)
        create(self.env["DATABASE_URL"])
        command = [sys.executable, "-m", "bench.prepare", str(size), *(["--anew"] if anew else [])]
        done = subprocess.run(command, cwd=ROOT, env=self.env, check=True, stdout=subprocess.PIPE)
        prepared = json.loads(done.stdout)
        self.pages: list[Page] = [page_from(page) for page in prepared["pages"]]
        self.sessions: dict[str, str] = prepared["people"]
        self.folios: dict[str, list[float]] = prepared["folios"]
        self.rounds: dict[tuple[str, int], list[Samples]] = {}
        self.queries: dict[str, int] = {}

    def open(self, stack: ExitStack) -> None:
        self.watch = stack.enter_context(Watch(self.env["DATABASE_URL"]))
        self.target = Target(stack.enter_context(Server(self.env)), self.watch, self.sessions)
        self.updates = self.watch.updates()

    def drain(self) -> None:
        """Send mails that the measuring has caused, for some seconds. Nobody gets them."""
        command = [sys.executable, "-m", "bench.prepare", str(self.size), "--drain", str(DRAINED)]
        subprocess.run(command, cwd=ROOT, env=self.env | TO_NOBODY, check=True)

    def result(self, noise: float) -> report.Size:
        measured = {key: merged(rounds, noise) for key, rounds in self.rounds.items()}
        return report.Size(self.size, measured, self.queries)


def measure(desks: list[Desk], keys: list[str], options: argparse.Namespace) -> None:
    """Measure all pages in rounds. Each page is measured at all sizes before the next, so that other work on the
    machine disturbs all sizes alike. The floor is measured again after every few pages."""
    for number in range(options.rounds):
        for key in with_floors(keys):
            for desk in desks:
                page = next(page for page in desk.pages if page.key == key)
                if key not in desk.queries:
                    desk.queries[key] = desk.target.queries(page)
                for clients in options.clients:
                    machine.wait_until_quiet(options.noise / 100, options.patience)
                    samples = desk.target.measure(
                        page,
                        clients=clients,
                        count=options.requests,
                        seconds=options.seconds,
                        is_fresh=options.fresh,
                    )
                    desk.rounds.setdefault((key, clients), []).append(samples)
        print(f"round {number + 1} of {options.rounds} measured", file=sys.stderr, flush=True)


def with_floors(keys: list[str]) -> list[str]:
    """Return the keys of pages with the floor before every `PAGES_PER_FLOOR` of them, and at the end."""
    pages = [key for key in keys if key != FLOOR]
    parts = [pages[first : first + PAGES_PER_FLOOR] for first in range(0, len(pages), PAGES_PER_FLOOR)]
    return [key for part in parts for key in (FLOOR, *part)] + [FLOOR]


def show(desks: list[Desk], keys: list[str], options: argparse.Namespace) -> int:
    """Print the tables. Returns how many promises are broken."""
    noise, clients = options.noise / 100, options.clients
    pages = [page for page in desks[0].pages if page.key in keys]
    sizes = [desk.result(noise) for desk in desks]
    for desk, size in zip(desks, sizes, strict=True):
        kind = desk.env["DATABASE_URL"].partition(":")[0]
        print(f"\n{spaced(desk.size)} tickets on {kind}; load of the machine {os.getloadavg()[0]:.1f}\n")
        print("\n".join(report.table(pages, size, clients=clients, noise=noise)))
        print(f"\n{report.held(desk.folios)}")
        print("\n".join(report.updates(desk.updates, desk.watch.updates())))
    if len(sizes) > 1:
        print(f"\nfrom {spaced(sizes[0].tickets)} to {spaced(sizes[-1].tickets)} tickets\n")
        print("\n".join(report.comparison(pages, sizes[0], sizes[-1], clients=clients)))
    return report.broken(pages, sizes, clients=clients)


def save(desk: Desk) -> None:
    result = [
        {"page": page, "clients": clients, "round": number, **vars(samples)}
        for (page, clients), rounds in desk.rounds.items()
        for number, samples in enumerate(rounds)
    ]
    (VAR_DIR / str(desk.size) / "measured.json").write_text(json.dumps(result))


def spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add: Any = parser.add_argument
    add("sizes", type=int, nargs="+", metavar="N", help="number of tickets; several are compared")
    add("--rounds", type=int, default=3)
    add("--requests", type=int, default=100, help="for each page, number of clients and round")
    add("--seconds", type=float, default=8, help="measure a page no longer than this in one round")
    add("--clients", type=int, nargs="+", default=[1, 8])
    add("--pages", nargs="+", metavar="KEY", help="only these of bench/pages.py, and the floor")
    add("--fresh", action="store_true", help="a new connection for each request, as nginx makes them")
    add("--noise", type=float, default=12, help="percent of the machine that others may use")
    add(
        "--patience",
        type=float,
        default=3,
        help="seconds to wait for a quiet machine before each measurement",
    )
    add("--anew", action="store_true", help="fill the databases anew")
    add("--strict", action="store_true", help="fail if a promise is broken")
    add("--server", type=lambda text: text.split(","), help="compare these: gthread:2x8,sync:2")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse(sys.argv[1:])
    for name in options.server or ():
        options_of(name)
    desks = [Desk(size, anew=options.anew) for size in sorted(set(options.sizes))]
    if options.server:
        compare_servers(desks[0], options)
        return
    keys = [page.key for page in desks[0].pages if page.key in (FLOOR, *(options.pages or [page.key]))]
    with ExitStack() as stack:
        for desk in desks:
            desk.open(stack)
        try:
            measure(desks, keys, options)
        except UnexpectedAnswer as problem:
            raise SystemExit(f"Not measured: {problem}") from None
        for desk in desks:
            save(desk)
            desk.drain()
        time.sleep(FLUSHED)
        broken = show(desks, keys, options)
    if options.strict and broken:
        raise SystemExit(f"{broken} promises are broken")


def compare_servers(desk: Desk, options: argparse.Namespace) -> None:
    page = next(page for page in desk.pages if page.key == "ticket")
    lines = balance.compare(
        options.server, desk.env, page, desk.sessions, rounds=options.rounds, noise=options.noise / 100
    )
    print(f"\nticket page, {balance.CLIENTS} clients, {spaced(desk.size)} tickets\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
