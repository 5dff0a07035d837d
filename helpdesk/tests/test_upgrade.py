"""A desk that an earlier release made is upgraded: nothing is lost, and people go on working on it.

`tools.release_database` stores the databases of each release in releases/, made by the release's own code. See
docs/releasing.md.
"""

import gzip
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from content import sorting
from helpdesk.tests.test_backup import Installation, empty_database
from helpdesk.tests.test_version import RELEASES as NAMED
from helpdesk.tests.test_version import numbers

RELEASES = Path(__file__).parent / "releases"
VERSIONS = sorted((path.name for path in RELEASES.iterdir()), key=numbers)

GONE: dict[str, set[str]] = {}
"""Columns, and with an empty set tables, that later releases have removed. Say in CHANGELOG.md what becomes of them."""
REWRITTEN = {"tickets_ticket": {"due_order"}}
"""Columns that migrations compute anew from others."""

USE = """
import django
django.setup()
import json
from django.test import Client
from accounts.enums import Role
from accounts.models import User
from tickets.models import Ticket
from tickets.workflow import conversation

staff, answers, replied = Client(HTTP_HOST="127.0.0.1"), {}, 0
supervisor = User.objects.filter(role=Role.SUPERVISOR, is_active=True).first()
staff.force_login(supervisor)
for path in ("/agentes/", "/agentes/preparar/", "/agentes/salud/", "/agentes/colas/cerrados/", "/agentes/colas/todos/"):
    answers[path] = staff.get(path, follow=True).status_code
for ticket in Ticket.objects.order_by("stage_kind", "pk")[::3]:
    answers[f"/agentes/tickets/{ticket.folio}/"] = staff.get(f"/agentes/tickets/{ticket.folio}/").status_code
    if ticket.requester is not None and ticket.requester.is_active:
        customer = Client(HTTP_HOST="127.0.0.1")
        customer.force_login(ticket.requester)
        answers[f"/tickets/{ticket.folio}/"] = customer.get(f"/tickets/{ticket.folio}/").status_code
        if ticket.is_open:
            conversation.reply(ticket, body="Sigo esperando.", actor=ticket.requester)
            replied += 1
print(json.dumps({"wrong": {path: code for path, code in answers.items() if code != 200}, "pages": len(answers),
    "replied": replied}))
"""


def load(version: str, url: str) -> None:
    """Put the database of that release into the empty one at `url`."""
    name = "sqlite" if url.startswith("sqlite") else "postgresql"
    source = gzip.decompress((RELEASES / version / f"{name}.sql.gz").read_bytes()).decode()
    if name == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as link:
            sorting.register(link)
            link.executescript(source)
    else:
        with psycopg.connect(url) as link:
            link.execute(source)


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table as a dictionary, by table."""
    found = {}
    for link, tables in _tables(url):
        for table in tables:
            cursor = link.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            found[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return found


def _tables(url: str) -> Iterator[tuple[Any, list[str]]]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as link:
            sorting.register(link)
            names = link.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            yield link, [name for (name,) in names if not name.startswith("sqlite_")]
        return
    with psycopg.connect(url) as link:
        names = link.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        yield link, [name for (name,) in names]


def by_key(found: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Return the rows by their primary key; tables without `id` have another column first."""
    return {row.get("id", next(iter(row.values()))): row for row in found}


def differences(table: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    """Return what the upgrade lost or changed of a table's rows, besides `GONE` and `REWRITTEN`."""
    now, found = by_key(after), []
    for key, row in by_key(before).items():
        if key not in now:
            found.append(f"{table} {key} is gone")
            continue
        kept = row.keys() - GONE.get(table, set()) - REWRITTEN.get(table, set())
        found += [
            f"{table} {key}: {column} was {row[column]!r}, is {now[key].get(column, 'gone')!r}"
            for column in sorted(kept)
            if column not in now[key] or now[key][column] != row[column]
        ]
    return found


@pytest.fixture(params=VERSIONS)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Installation]]:
    """An installation whose database is that of a release."""
    with empty_database(tmp_path) as url:
        load(request.param, url)
        yield request.param, Installation(tmp_path / "desk", url, DESK_DEMO="1")


@pytest.mark.django_db(transaction=True)
def test_desk_of_an_earlier_release_keeps_everything_and_works(release: tuple[str, Installation]):
    version, desk = release
    before = rows(desk.database)
    recorded = json.loads((RELEASES / version / "migrations.json").read_text())
    assert {(row["app"], row["name"]) for row in before["django_migrations"]} == {
        (app, name) for app, names in recorded.items() for name in names
    }
    assert len(before["tickets_ticket"]) > 50

    desk.manage("migrate", "--verbosity=0")

    after = rows(desk.database)
    lost = {table for table in before if table not in after}
    assert lost == {table for table, columns in GONE.items() if not columns and table in before}
    wrong = [
        line for table in before.keys() - lost for line in differences(table, before[table], after[table])
    ]
    assert wrong == []
    done = desk.run("-c", USE)
    assert done.returncode == 0, done.stderr
    used = json.loads(done.stdout.splitlines()[-1])
    assert used["wrong"] == {}
    assert used["pages"] > 40
    assert used["replied"] > 5


def test_newest_release_has_its_databases():
    """`tools.release_database` was run for it: docs/releasing.md."""
    assert NAMED[0][0] in VERSIONS


def test_migrations_of_releases_are_history():
    """No migration that a release has run is gone: an installation could not be upgraded."""
    from django.db.migrations.loader import MigrationLoader

    known = set(MigrationLoader(None).disk_migrations)
    for version in VERSIONS:
        recorded = json.loads((RELEASES / version / "migrations.json").read_text())
        ours = {
            (app, name)
            for app, names in recorded.items()
            for name in names
            if (settings.BASE_DIR / app).is_dir()
        }
        assert ours - known == set(), version


def test_every_migration_of_a_release_says_what_it_locks():
    """docs/upgrades.md has a line for each migration that a release added to the one before it."""
    text = (settings.BASE_DIR / "docs" / "upgrades.md").read_text("utf-8")
    sections = dict(re.findall(r"(?ms)^## (\S+)$(.*?)(?=^## |\Z)", text))
    for earlier, later in pairwise(VERSIONS):
        former, added = (
            json.loads((RELEASES / name / "migrations.json").read_text()) for name in (earlier, later)
        )
        new = {
            f"`{app}.{name}`"
            for app, names in added.items()
            for name in set(names) - set(former.get(app, ()))
            if (settings.BASE_DIR / app).is_dir()
        }
        assert {line for line in new if line not in sections[later]} == set(), later
