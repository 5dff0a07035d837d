"""The demo's tables, made from the models, are those that the migrations make."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import ConnectionHandler

from demo.tables import make_tables

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the demo's database is SQLite"),
]


@pytest.fixture
def made(tmp_path):
    """A database whose tables were made from the models."""
    handler = ConnectionHandler(
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "db.sqlite3"}}
    )
    make_tables(handler["default"])
    yield handler["default"]
    handler["default"].close()


def tables_of(database):
    """Return the columns and constraints of every table, whatever their order."""
    found = {}
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            columns = {
                (
                    column.name,
                    column.type_code,
                    column.display_size,
                    column.null_ok,
                    column.default,
                    column.collation,
                )
                for column in database.introspection.get_table_description(cursor, table)
            }
            constraints = [
                {**each, "columns": tuple(each["columns"]), "orders": tuple(each.get("orders") or ())}
                for each in database.introspection.get_constraints(cursor, table).values()
            ]
            found[table] = (columns, sorted(map(repr, constraints)), _indexes(cursor, table))
    return found


def _indexes(cursor, table):
    cursor.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL",
        [table],
    )
    return sorted(cursor.fetchall())


def test_tables_made_from_the_models_are_those_of_the_migrations(made):
    migrated, from_models = tables_of(connection), tables_of(made)
    assert set(migrated) == set(from_models)
    for table, parts in migrated.items():
        assert from_models[table] == parts, table


def test_every_migration_counts_as_applied(made):
    executor = MigrationExecutor(made)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
