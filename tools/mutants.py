"""`make mutants`: break each rule and value of the shipped process files, one at a time, and list what
no test notices.

    python -m tools.mutants                          what ten minutes allow; `--seconds 5400` for everything
    python -m tools.mutants --only S2 --kind guards  one process (also by its key), one kind
    python -m tools.mutants --only guards.py:49 tickets/tests/test_workflow.py     one place of --list, only these tests
    python -m tools.mutants --list                   what would be broken

Collects the tests once, runs each of them unbroken and notes which values of the definitions it reads. Then forks a
child for each mutant: the child changes the text that `library()` returns, or a registered function, in its own memory
and runs the tests that read the changed value until one fails. No file is changed.

Leaves out the demo, the bench and the browser journeys: they are slow and were not written to prove a process's rules.
"""

import argparse
import gc
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass
from multiprocessing import connection as pipes
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path

import django
import pytest

from tools import mutations
from tools.mutations import KINDS, Mutant, Site

TESTS = ("tickets", "agents", "portal", "notifications")
READ_THE_TEXT = "tickets/tests/test_process_docs.py"
"""Tests that read the text of every process file, so no read of a definition tells which mutants they can notice."""
SLICE = 4
"""Seconds of tests after which a mutant that nothing has noticed yet waits until all others have had as much."""
HANGS = 120
"""Seconds after which a child is ended; its mutant counts as noticed."""
READING = 0.4
"""The part of the time that running the tests unbroken may take."""
FORK = get_context("fork")


@dataclass
class Trial:
    mutant: Mutant
    is_refused: bool  # the checker does not let the file be published
    left: list[pytest.Item] | None = None  # tests still to run; None before the first
    ran: int = 0
    noticed_by: str = ""

    @property
    def verdict(self) -> str:
        if self.noticed_by:
            return "noticed"
        return "survived" if self.left == [] else "unfinished"


@pytest.fixture(scope="session", autouse=True)
def migrated_database(django_db_setup: None) -> None:
    """Make the database that each child copies, before the first test."""


class Runner:
    """A pytest plugin that runs the collected tests against each mutant."""

    def __init__(self, trials: list[Trial], library: dict[str, str], until: float, children: int) -> None:
        self.trials, self.library, self.until, self.children = trials, library, until, children
        self.readings: dict = {}
        """By test: how many seconds it takes, and the sites that it reads."""
        self.noticed: Counter = Counter()
        """By test: how many mutants it noticed."""
        self.outcomes: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        from django.db import connection

        from tickets.definitions.loading import definition_of
        from tickets.workflow.checking import load

        if session.testsfailed:
            return None  # pytest says what it could not collect
        session.config.pluginmanager.unregister(name="terminalreporter")
        self.session = session
        self._run(session.items[0])  # makes the database
        connection.close()
        for text in self.library.values():  # checked once, here: the checker reads every value
            load(text)
            definition_of(text)
        gc.freeze()
        self._read()
        print(
            f"{len(self.readings)} of {len(session.items)} tests pass unbroken; {self._time_left()}",
            flush=True,
        )
        if self.readings:
            self._try()
        return True

    def pytest_runtest_logreport(self, report):
        self.outcomes.add(report.outcome)

    def _run(self, item):
        """Run one test and return its outcomes. Fixtures of the session stay."""
        self.outcomes.clear()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=self.session)
        return self.outcomes

    def _read(self):
        """Run each test unbroken and store its readings; leave out tests that fail, are skipped or get no time."""
        limit = time.monotonic() + READING * (self.until - time.monotonic())
        parts = [
            self._start(self._readings, self.session.items[n :: self.children], limit)
            for n in range(self.children)
        ]
        for process, reader in parts:
            self.readings |= reader.recv()
            process.join()

    def _readings(self, items, limit):
        seen, result = watch(), {}
        for item in items:
            seen.clear()
            begun = time.monotonic()
            if begun < limit and self._run(item) == {"passed"}:
                result[item.nodeid] = time.monotonic() - begun, frozenset(seen)
        return result

    def _chosen(self, mutant):
        """Return the tests that read the changed value: first those that carry the action out, then those that noticed
        most mutants so far, then the quick ones."""
        uses, acts = ("Definition", mutant.process, ""), {(*site[:2], "effects") for site in mutant.sites}
        ranks = {}
        for item in self.session.items:
            seconds, sites = self.readings.get(item.nodeid, (0, frozenset()))
            reads = sites & mutant.sites and (not mutant.process or uses in sites)
            if reads or (mutant.process and item.nodeid.startswith(READ_THE_TEXT)):
                ranks[item] = not acts & sites, -self.noticed[item.nodeid], seconds
        return sorted(ranks, key=ranks.__getitem__)

    def _try(self):
        waiting = deque(self.trials)
        running: dict[pipes.Connection, tuple[Trial, list[pytest.Item], ForkProcess]] = {}
        while (waiting or running) and time.monotonic() < self.until:
            while waiting and len(running) < self.children:
                trial = waiting.popleft()
                trial.left = self._chosen(trial.mutant) if trial.left is None else trial.left
                if trial.left:
                    part = self._slice(trial.left)
                    process, reader = self._start(self._first_failure, trial.mutant, part)
                    running[reader] = trial, part, process
            ready = pipes.wait(list(running), timeout=max(0, self.until - time.monotonic()))
            for reader in [each for each in running if each in ready]:
                trial, part, process = running.pop(reader)
                try:
                    trial.noticed_by = reader.recv()
                except EOFError:
                    process.join()
                    if process.exitcode != -signal.SIGALRM:
                        raise
                    trial.noticed_by = f"a test that did not end within {HANGS} s"
                self.noticed[trial.noticed_by] += 1
                trial.left, trial.ran = (trial.left or [])[len(part) :], trial.ran + len(part)
                if trial.left and not trial.noticed_by:
                    waiting.append(trial)
                if self.noticed.total() % 50 == 0:
                    begun = sum(trial.left is not None for trial in self.trials)
                    print(f"{begun} of {len(self.trials)} mutants begun; {self._time_left()}", flush=True)
        for _trial, _part, process in running.values():
            process.terminate()
            process.join()

    def _slice(self, items):
        seconds = 0
        for count, item in enumerate(items):
            if seconds > SLICE:
                return items[:count]
            seconds += self.readings[item.nodeid][0]
        return items

    def _first_failure(self, mutant, items):
        signal.alarm(HANGS)
        mutant.apply(self.library)
        return next((item.nodeid for item in items if "failed" in self._run(item)), "")

    def _start(self, work, *arguments):
        """Call `work` in a forked child with its own copy of the database; the result comes through the pipe."""
        reader, writer = FORK.Pipe(duplex=False)
        sys.stdout.flush()
        process = FORK.Process(target=self._child, args=(writer, work, arguments))
        process.start()
        writer.close()
        return process, reader

    def _child(self, writer, work, arguments):
        from django.db import connection
        from django.test import override_settings

        database, quiet, errors = connection.settings_dict, os.open(os.devnull, os.O_WRONLY), os.dup(2)
        with tempfile.TemporaryDirectory(dir=Path(database["NAME"]).parent) as folder:
            database["NAME"] = shutil.copy(database["NAME"], folder)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            with override_settings(MEDIA_ROOT=f"{folder}/media"):
                try:
                    writer.send(work(*arguments))
                finally:
                    os.dup2(errors, 2)  # for a traceback of this file's own

    def _time_left(self):
        return f"{max(0, self.until - time.monotonic()):.0f} s left"


def watch() -> set[Site]:
    """Patch definitions and registered functions so that each read adds its `Site` to the returned set. Never undone.

    Publishing reads every action to find the departments that it names. That is not noted: most tests publish first, so
    most would count as readers of everything.
    """
    from tickets.definitions.conditions import CONDITIONS
    from tickets.definitions.definition import (
        Action,
        CategoryDefinition,
        Definition,
        FieldDefinition,
        Need,
        Response,
        Stage,
    )
    from tickets.workflow import publishing
    from tickets.workflow.effects import EFFECTS
    from tickets.workflow.guards import GUARDS

    seen: set[Site] = set()

    def watch_class(cls):
        read = cls.__getattribute__

        def noting(self, name):
            key = read(self, "key")
            seen.update(((cls.__name__, key, name), (cls.__name__, key, "")))
            return read(self, name)

        cls.__getattribute__ = noting

    def watched(function, site):
        def noting(*arguments):
            seen.add(site)
            return function(*arguments)

        return noting

    def unwatched(function):
        def reading(*arguments):
            before = frozenset(seen)
            try:
                return function(*arguments)
            finally:
                seen.intersection_update(before)

        return reading

    for cls in (Action, CategoryDefinition, Definition, FieldDefinition, Need, Response, Stage):
        watch_class(cls)
    publishing.check_for_desk = unwatched(publishing.check_for_desk)
    for kind, registry in (("guard", GUARDS), ("effect", EFFECTS), ("condition", CONDITIONS)):
        registry.update({key: watched(function, (kind, key, "")) for key, function in registry.items()})
    return seen


def report(trials: list[Trial]) -> str:
    row = "{:28}{:11}{:>8}{:>9}{:>11}{:>10}{:>12}".format
    lines = [row("process", "kind", "made", "noticed", "(refused)", "survived", "unfinished")]
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in sorted(trials, key=lambda trial: (not trial.mutant.process, trial.mutant.process)):
        groups.setdefault((trial.mutant.process or "Python", trial.mutant.kind), []).append(trial)
    for (process, kind), group in [*groups.items(), (("all", ""), trials)]:
        counts = Counter(trial.verdict for trial in group)
        refused = sum(trial.is_refused and bool(trial.noticed_by) for trial in group)
        figures = (counts["noticed"], refused, counts["survived"], counts["unfinished"])
        lines.append(row(process, kind, len(group), *figures))
    lines.append("(refused): those of the noticed that the checker lets nobody publish")
    for verdict, title in (
        ("survived", "No test notices"),
        ("unfinished", "Not noticed when the time was over"),
    ):
        found = [trial for trial in trials if trial.verdict == verdict]
        lines.append(
            f"\n{title}: {len(found)}. After each: the tests that ran, of those that read it; how to repeat it."
        )
        for trial in found:
            mutant, read = trial.mutant, "?" if trial.left is None else trial.ran + len(trial.left)
            lines.append(f"{mutant.place}  {mutant.change}  ({trial.ran} of {read})")
            lines.append(f"    python -m tools.mutants --only {Path(mutant.place).name} --kind {mutant.kind}")
    return "\n".join(lines) + "\n"


def main() -> int:
    begun = time.monotonic()
    parser = argparse.ArgumentParser(description="Break rules one at a time and list what no test notices.")
    parser.add_argument(
        "tests", nargs="*", default=TESTS, help="files, folders or tests to use instead of all"
    )
    parser.add_argument("--only", default="", help="S2, the key of a process, or file:line")
    parser.add_argument("--kind", choices=KINDS, action="append", help="may be given more than once")
    parser.add_argument("--children", type=int, default=2, help="how many mutants to try at once")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    django.setup()

    from django.conf import settings

    from tickets.definitions import loading
    from tickets.definitions.problems import DefinitionError
    from tickets.workflow.checking import load

    def is_refused(mutant: Mutant) -> bool:
        try:
            return bool(mutant.text and not load(mutant.text))
        except DefinitionError:
            return True

    def is_named(mutant: Mutant) -> bool:
        # A file begins with «# S2 · ».
        document = library[mutant.process].split()[1] if mutant.process else ""
        only = options.only in ("", mutant.process, document) or mutant.place.endswith(f"/{options.only}")
        return only and (not options.kind or mutant.kind in options.kind)

    library = loading.library()
    # One dict for all who import it after this: a child changes a text in it.
    loading.library = lambda: library
    mutants = list(filter(is_named, (*mutations.of_files(library), *mutations.of_functions())))
    if options.list:
        print(*(f"{mutant.place}  {mutant.change}" for mutant in mutants), sep="\n")
        return 0
    trials = [Trial(mutant, is_refused(mutant)) for mutant in mutants]
    arguments = [
        "-qq", "--no-header", "--capture=sys", "-p", "no:cacheprovider", "--hypothesis-profile=ci",
        "-o", "addopts=", "-m", "not e2e and not topology and not slow",
    ]  # fmt: skip
    runner = Runner(trials, library, begun + options.seconds, options.children)
    pytest.main([*arguments, *options.tests], plugins=[runner, sys.modules[__name__]])
    if not runner.readings:
        return 1
    text, file = report(trials), settings.VAR_DIR / "mutants.txt"
    file.write_text(text, "utf-8")
    print(f"\n{text}\n{time.monotonic() - begun:.0f} s. Also in {file}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
