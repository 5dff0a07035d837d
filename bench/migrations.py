"""Measure what each migration since a release locks, and for how long, on a filled PostgreSQL database.

    python -m bench.migrations                 since the newest release, at 200 000 tickets
    python -m bench.migrations 50000 --since 0.1.0

Fills a database of the bench with the present code, undoes the migrations since the release, and applies them again,
one at a time. After each statement it asks PostgreSQL which locks on tables the migration holds: a lock lasts from the
start of its statement to the migration's end. For migrations outside a transaction, a second connection asks meanwhile.
Prints a table for docs/upgrades.md. DATABASE_URL names the server; the database is one of the bench's own.
"""

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.database import create, environment

RELEASES = Path(__file__).resolve().parent.parent / "helpdesk" / "tests" / "releases"
SIZE = 200_000
LOCAL_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
WATCHED_EVERY = 0.002

BLOCKS = {
    "AccessExclusiveLock": "reading and writing",
    "ExclusiveLock": "writing",
    "ShareRowExclusiveLock": "writing",
    "ShareLock": "writing",
}
"""What each mode of lock keeps others from doing. Weaker modes stop only other migrations."""
LOCKS = """
SELECT relation::regclass::text, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation
WHERE pid = %s AND granted AND relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
"""


@dataclass
class Measured:
    """One applied migration: its time, and for each table and mode of lock the time for which it was held."""

    name: str
    seconds: float = 0.0
    locks: dict[tuple[str, str], float] = field(default_factory=dict)

    @property
    def blocking(self) -> dict[tuple[str, str], float]:
        return {held: seconds for held, seconds in self.locks.items() if held[1] in BLOCKS}


def releases() -> list[str]:
    return sorted(
        (path.name for path in RELEASES.iterdir()), key=lambda name: tuple(map(int, name.split(".")))
    )


def leaves(version: str) -> list[tuple[str, str]]:
    """Return the last migration of each app in that release."""
    recorded: dict[str, list[str]] = json.loads((RELEASES / version / "migrations.json").read_text())
    return [(app, names[-1]) for app, names in recorded.items()]


class Watch:
    """Notes which locks the migration holds that runs on Django's connection."""

    def __init__(self, measured: Measured) -> None:
        from django.db import connection

        self.connection, self.measured = connection, measured
        with connection.cursor() as cursor:
            self.tables = set(connection.introspection.table_names(cursor))
        self.first: dict[tuple[str, str], float] = {}
        self.pid = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        import psycopg

        with self.connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (self.pid,) = cursor.fetchone()
        stop = threading.Event()
        seen: dict[tuple[str, str], tuple[float, float]] = {}

        def look() -> None:
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as link:
                while not stop.wait(WATCHED_EVERY):
                    for table, mode in link.execute(LOCKS, [self.pid]).fetchall():
                        now = perf_counter()
                        seen[table, mode] = (seen.get((table, mode), (now, now))[0], now)

        thread = threading.Thread(target=look)
        thread.start()
        started = perf_counter()
        try:
            with self.connection.execute_wrapper(self._after_each):
                yield
        finally:
            ended = perf_counter()
            stop.set()
            thread.join()
        self.measured.seconds = ended - started
        self._keep(seen, ended)

    def _keep(self, seen: dict[tuple[str, str], tuple[float, float]], ended: float) -> None:
        """Store how long each lock was held. Tables that the migration has made are left out: nobody waits for them."""
        for held, (first, last) in seen.items():
            self.measured.locks[held] = last - first
        for held, first in self.first.items():  # exact, because they last until the end of the transaction
            self.measured.locks[held] = max(ended - first, self.measured.locks.get(held, 0.0))
        self.measured.locks = {
            held: seconds for held, seconds in self.measured.locks.items() if held[0] in self.tables
        }

    def _after_each(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        started = perf_counter()
        result = execute(sql, params, many, context)
        if self.connection.in_atomic_block:
            with self.connection.connection.cursor() as cursor:
                cursor.execute(LOCKS, [self.pid])
                for table, mode in cursor.fetchall():
                    self.first.setdefault((table, mode), started)
        return result


def measure(version: str) -> list[Measured]:
    """Undo the migrations since `version`, and apply them again, measuring each."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    known = executor.loader.disk_migrations
    targets = [leaf for leaf in leaves(version) if leaf in known]
    new_apps = {app for app, _name in known} - {app for app, _name in targets}
    executor.migrate(targets + [(app, None) for app in sorted(new_apps)])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    state = executor._create_project_state(with_applied_migrations=True)  # type: ignore[attr-defined]  # not in the stubs
    found = []
    for migration, _backwards in plan:
        measured = Measured(f"{migration.app_label}.{migration.name}")
        state.apps  # noqa: B018  (rendered before, so that its time is not counted)
        with Watch(measured).running():
            state = executor.apply_migration(state, migration)
        print(f"{measured.name}: {measured.seconds * 1000:.0f} ms", file=sys.stderr)
        found.append(measured)
    return found


def table(found: list[Measured]) -> list[str]:
    lines = ["| migration | time | blocks |", "|---|---|---|"]
    for measured in found:
        blocking = sorted(measured.blocking.items(), key=lambda item: -item[1])
        text = "; ".join(
            f"{BLOCKS[mode]} `{name}` {_time(seconds)}"
            for (name, mode), seconds in _strongest(blocking).items()
        )
        lines.append(f"| `{measured.name}` | {_time(measured.seconds)} | {text or 'nothing'} |")
    return lines


def _strongest(blocking: list[tuple[tuple[str, str], float]]) -> dict[tuple[str, str], float]:
    """Leave out weaker locks on a table that a stronger one already blocks for as long."""
    kept: dict[tuple[str, str], float] = {}
    order = list(BLOCKS)
    for (name, mode), seconds in sorted(blocking, key=lambda item: (order.index(item[0][1]), -item[1])):
        if not any(other == name and held >= seconds * 0.99 for (other, _mode), held in kept.items()):
            kept[name, mode] = seconds
    return kept


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("size", type=int, nargs="?", default=SIZE)
    parser.add_argument("--since", choices=releases(), default=releases()[-1])
    arguments = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        os.environ["DATABASE_URL"] = LOCAL_POSTGRES
    env = environment(arguments.size)
    env["DATABASE_URL"] += "_migrations"
    os.environ.update(env)
    create(env["DATABASE_URL"])

    import django

    django.setup()
    from django.core.management import call_command

    from bench.filling import be_filled

    call_command("migrate", verbosity=0)
    be_filled(arguments.size, say=lambda text: print(text, file=sys.stderr))
    found = measure(arguments.since)
    print(f"Since {arguments.since}, at {arguments.size} tickets:\n")
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
