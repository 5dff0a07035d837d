"""Copy a database into one file and back: PostgreSQL with pg_dump and pg_restore, SQLite with its backup API."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql
from psycopg.conninfo import make_conninfo

from content import sorting
from notifications.models import MailHold, OutgoingEmail

from .manifest import BadBackup

Query = Callable[[str], list[tuple[Any, ...]]]
"""Runs one SELECT on the snapshot of the database."""

PASSWORDS = {"password": "PGPASSWORD", "passfile": "PGPASSFILE"}
"""Parameters that travel in the environment: everybody on the machine can read the arguments of a process."""


def dump_name() -> str:
    return "database.pgdump" if connection.vendor == "postgresql" else "database.sqlite3"


@contextmanager
def snapshot(path: Path) -> Iterator[Query]:
    """Copy the database to the file at `path`, and let the caller ask questions of exactly that state."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Limits that protect the pages must not end this long transaction, which is idle while pg_dump runs.
            cursor.execute(
                "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
            )
            cursor.execute("SELECT pg_export_snapshot()")
            (name,) = cursor.fetchone()
            options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={name}"]
            run_tool("pg_dump", [*options, f"--file={path}"])

            def ask(question: str) -> list[tuple[Any, ...]]:
                cursor.execute(question)
                return list(cursor.fetchall())

            yield ask
        return
    connection.ensure_connection()
    with closing(sqlite3.connect(path)) as copy:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        yield lambda question: copy.execute(question).fetchall()


def tables() -> list[str]:
    """Return the names of all tables of the database, sorted."""
    with connection.cursor() as cursor:
        return sorted(connection.introspection.table_names(cursor))


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


# --- Putting a copy back ----------------------------------------------------------------------------------


def replace(path: Path, *, backup_at: datetime) -> None:
    """Replace the whole database by the copy at `path`, in which all mail is held.

    The hold is there before the mails are, so that no worker can send one in between. Raises `BadBackup` if the copy
    cannot be read; the database is then as it was, or empty.
    """
    disconnect()
    if connection.vendor == "postgresql":
        _replace_on_postgresql(path, backup_at)
    else:
        _replace_on_sqlite(path, backup_at)
    disconnect()


def disconnect() -> None:
    """Close this process's connections to the database, those of the pool too."""
    connection.close()
    if close_pool := getattr(connection, "close_pool", None):
        close_pool()


def _replace_on_sqlite(path: Path, backup_at: datetime) -> None:
    table = MailHold._meta.db_table
    with closing(sqlite3.connect(path)) as copy:
        sorting.register(copy)
        (answer,) = copy.execute("PRAGMA integrity_check").fetchone()
        if answer != "ok":
            raise BadBackup(f"The copy of the database is damaged: {answer}")
        values = [connection.ops.adapt_datetimefield_value(at) for at in (timezone.now(), backup_at)]
        copy.execute(f"DELETE FROM {quoted(table)}")  # noqa: S608  (our own name)
        copy.execute(f"INSERT INTO {quoted(table)} (since, backup_at) VALUES (?, ?)", values)  # noqa: S608
        copy.commit()
        connection.ensure_connection()
        copy.backup(connection.connection)


def _replace_on_postgresql(path: Path, backup_at: datetime) -> None:
    entries = run_tool("pg_restore", ["--list", str(path)], connects=False).splitlines()
    mails = [line for line in entries if f" TABLE DATA public {OutgoingEmail._meta.db_table} " in line]
    if not mails:  # then they would come with the rest, before they are held
        raise BadBackup("The copy of the database has no table of mails in the schema «public».")
    # The schema exists, and only its owner may drop it.
    others = [line for line in entries if line not in mails and not re.search(r" (?:-|SCHEMA) public ", line)]
    with psycopg.connect(connection_string(), **secrets(), autocommit=True) as link:
        _drop_tables(link)
        _restore_entries(path, others, "--clean", "--if-exists")
        hold = sql.Identifier(MailHold._meta.db_table)
        with link.transaction():
            link.execute(sql.SQL("DELETE FROM {}").format(hold))
            link.execute(
                sql.SQL("INSERT INTO {} (since, backup_at) VALUES (%s, %s)").format(hold),
                [timezone.now(), backup_at],
            )
        _restore_entries(path, mails)


def _drop_tables(link: "psycopg.Connection[Any]") -> None:
    """Drop every table of the desk's schema, also those that the backup does not have."""
    found = link.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    if found:
        names = sql.SQL(", ").join(sql.Identifier(name) for (name,) in found)
        link.execute(sql.SQL("DROP TABLE {} CASCADE").format(names))


def _restore_entries(path: Path, entries: list[str], *options: str) -> None:
    chosen = path.with_suffix(".list")
    chosen.write_text("\n".join(entries))
    fixed = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    run_tool("pg_restore", [*fixed, *options, f"--use-list={chosen}", str(path)])


# --- Programs of PostgreSQL -------------------------------------------------------------------------------


def run_tool(name: str, arguments: list[str], *, connects: bool = True) -> str:
    """Run a program of PostgreSQL on the desk's database and return its output. Raises `BadBackup` if it fails."""
    target = [f"--dbname={connection_string()}"] if connects else []
    command = [find_tool(name), *target, *arguments]
    done = subprocess.run(  # noqa: S603  (our own arguments)
        command, env=os.environ | _environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BadBackup(f"{name} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def find_tool(name: str) -> str:
    """Return the path of a program of the server's own version, or else of the next later one that is installed.

    Debian keeps several versions under /usr/lib/postgresql. Raises `BadBackup` if there is none that fits.
    """
    paths = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    paths += [found] if (found := shutil.which(name)) else []
    with psycopg.connect(connection_string(), **secrets()) as link:
        server = link.info.server_version // 10_000
    fitting = sorted((version, path) for path in paths if (version := _major(path)) >= server)
    if not fitting:
        raise BadBackup(f"{name} of PostgreSQL {server} or later is not installed (postgresql-client).")
    return fitting[0][1]


def _major(path: str) -> int:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"(\d+)", done.stdout)
    return int(found[1]) if found else 0


def connection_string() -> str:
    """Return the connection's own parameters (host, port, user, name, TLS …) for libpq, without its password."""
    return make_conninfo(**{name: value for name, value in _parameters().items() if name not in PASSWORDS})


def _parameters() -> dict[str, Any]:
    """Return those parameters of Django's connection that libpq knows."""
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    given = connection.get_connection_params()
    return {name: value for name, value in given.items() if name in known and value not in (None, "")}


def _environment() -> dict[str, str]:
    return {PASSWORDS[name]: str(value) for name, value in _parameters().items() if name in PASSWORDS}


def secrets() -> dict[str, Any]:
    """Return the parameters that `connection_string` leaves out."""
    return {name: value for name, value in _parameters().items() if name in PASSWORDS}
