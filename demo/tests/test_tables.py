"""The demo's tables, made from the models, are those that the migrations make."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db.utils import ConnectionHandler

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
MIGRATE = ["manage.py", "migrate", "--verbosity=0"]
MAKE_TABLES = """
import django
django.setup()
from django.db import connection
from demo.tables import make_tables
make_tables(connection)
"""


class Database:
    """A SQLite database, as the demo's is, that commands in processes of their own fill."""

    def __init__(self, path):
        self.path = path

    def run(self, *arguments):
        """Run Python with these arguments on the database. Returns its exit status."""
        env = os.environ | {
            "DATABASE_URL": f"sqlite:///{self.path}",
            "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        }
        return subprocess.run(
            [sys.executable, *arguments], cwd=settings.BASE_DIR, env=env, check=False
        ).returncode

    def tables(self):
        """Return the columns, constraints and indexes of every table, whatever their order."""
        handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": self.path}})
        database = handler["default"]
        with database.cursor() as cursor:
            found = {
                name: (
                    _columns(database, cursor, name),
                    _constraints(database, cursor, name),
                    _indexes(cursor, name),
                )
                for name in database.introspection.table_names(cursor)
            }
        database.close()
        return found


def _columns(database, cursor, table):
    return {
        (each.name, each.type_code, each.display_size, each.null_ok, each.default, each.collation)
        for each in database.introspection.get_table_description(cursor, table)
    }


def _constraints(database, cursor, table):
    found = database.introspection.get_constraints(cursor, table).values()
    return sorted(
        repr({**each, "columns": tuple(each["columns"]), "orders": tuple(each.get("orders") or ())})
        for each in found
    )


def _indexes(cursor, table):
    cursor.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL",
        [table],
    )
    return sorted(cursor.fetchall())


@pytest.fixture
def made(tmp_path):
    database = Database(tmp_path / "made.sqlite3")
    assert database.run("-c", MAKE_TABLES) == 0
    return database


def test_tables_made_from_the_models_are_those_of_the_migrations(made, tmp_path):
    migrated = Database(tmp_path / "migrated.sqlite3")
    assert migrated.run(*MIGRATE) == 0
    expected, found = migrated.tables(), made.tables()
    assert set(found) == set(expected)
    for table, parts in expected.items():
        assert found[table] == parts, table


def test_every_migration_counts_as_applied(made):
    assert made.run(*MIGRATE, "--check") == 0
