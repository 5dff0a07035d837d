"""Run the bench and print its tables. docs/performance.md explains the numbers."""

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from bench.client import Answer, Browser, UnexpectedAnswer
from bench.database import ROOT, VAR_DIR, create, environment, url_for
from bench.report import Row, Samples, comparison, table
from bench.server import Server

ROUNDS, IN_A_ROW = 30, 3
SECONDS = 150.0  # measuring ends after this time, even with fewer rounds


class Desk:
    """One size: its database, server, browsers and measured samples."""

    def __init__(self, size: int) -> None:
        self.size, self.env = size, environment(size)
        create(self.env["DATABASE_URL"])
        command = [sys.executable, "-m", "bench.prepare", str(size)]
        done = subprocess.run(command, cwd=ROOT, env=self.env, check=True, stdout=subprocess.PIPE)
        prepared = json.loads(done.stdout)
        self.pages: list[dict[str, Any]] = prepared["pages"]
        self.sessions: dict[str, str] = prepared["sessions"]
        self.measured = {page["key"]: Samples() for page in self.pages}
        self.asked = dict.fromkeys(self.measured, 0)

    def open(self, stack: ExitStack) -> None:
        server = stack.enter_context(Server(self.env))
        self.browsers = {
            name: Browser(server.port, session, f"127.0.1.{number}")
            for number, (name, session) in enumerate(self.sessions.items(), start=1)
        }

    def round(self, *, is_counted: bool) -> None:
        """Ask for every page once (forms) or `IN_A_ROW` times; store the times if `is_counted`."""
        for page in self.pages:
            for _again in range(1 if page["form"] is not None else IN_A_ROW):
                answer = self.ask(page)
                if is_counted:
                    self.measured[page["key"]].seconds.append(answer.seconds)

    def count_queries(self) -> None:
        for page in self.pages:
            self.measured[page["key"]].queries = self.ask(page, count=True).queries

    def ask(self, page: dict[str, Any], *, count: bool = False) -> Answer:
        """Ask for the page with its next path and person. Raises `UnexpectedAnswer` if the status is not the page's
        `status`."""
        turn = self.asked[page["key"]]
        self.asked[page["key"]] += 1
        browser = self.browsers[page["who"][turn % len(page["who"])]]
        path = page["paths"][turn % len(page["paths"])]
        if page["form"] is None:
            answer = browser.ask("GET", path, count=count)
        else:
            path, data = self._fill_in(
                browser, page, path.replace("/bench/", f"/bench-{os.getpid()}-{turn}/")
            )
            answer = browser.ask("POST", path, data=data, count=count)
        if answer.status != page["status"]:
            raise UnexpectedAnswer(f"{page['label']}: {path} answers {answer.status}, not {page['status']}")
        return answer

    @staticmethod
    def _fill_in(browser: Browser, page: dict[str, Any], path: str) -> tuple[str, dict[str, str]]:
        """Post the step before the last one. Returns the path and the data of the last step."""
        step = browser.ask("POST", path.partition("?")[0], data=browser.form(path) | page["before"])
        if not step.location:
            raise UnexpectedAnswer(f"{page['label']}: {path} answers {step.status}")
        return step.location, browser.form(step.location) | page["form"]


def measure(desks: list[Desk], seconds: float) -> None:
    """Measure all pages of all sizes in alternating rounds, so that other load on the machine affects all sizes
    alike."""
    for desk in desks:
        desk.round(is_counted=False)
        desk.count_queries()
    deadline = time.monotonic() + seconds
    for _round in range(ROUNDS):
        for desk in desks:
            desk.round(is_counted=True)
        if time.monotonic() > deadline:
            break


def rows_of(desk: Desk) -> list[Row]:
    return [Row(p["key"], p["label"], p["times_floor"], p["times_smaller"]) for p in desk.pages]


def save(desk: Desk) -> None:
    result = {
        key: {"queries": samples.queries, "seconds": [round(value, 6) for value in samples.seconds]}
        for key, samples in desk.measured.items()
    }
    (VAR_DIR / str(desk.size) / "measured.json").write_text(json.dumps(result))


def spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "sizes", type=int, nargs="+", metavar="N", help="number of tickets; several are compared"
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="measure no longer than this")
    arguments = parser.parse_args()
    sizes = sorted(set(arguments.sizes))
    kind = urlsplit(url_for(sizes[0])).scheme.split(":")[0]
    with ExitStack() as stack:
        desks = [Desk(size) for size in sizes]
        for desk in desks:
            desk.open(stack)
        try:
            measure(desks, arguments.seconds)
        except UnexpectedAnswer as problem:
            raise SystemExit(f"Not measured: {problem}") from None
    for desk in desks:
        save(desk)
        print(f"\n{spaced(desk.size)} tickets on {kind}, one client\n")
        print("\n".join(table(rows_of(desk), desk.measured)))
    for small, large in pairwise(desks):
        print(f"\nfrom {spaced(small.size)} to {spaced(large.size)} tickets\n")
        print("\n".join(comparison(rows_of(large), small.measured, large.measured)))


if __name__ == "__main__":
    main()
