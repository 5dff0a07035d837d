"""Write rows that have their ids already: with COPY on PostgreSQL, else with `bulk_create`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from django.db import connection, models
from django.db.models import Field, FileField, GeneratedField, JSONField, Model
from psycopg.types.json import Jsonb

from content.words import WordsField

INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), conname, pg_get_constraintdef(c.oid)
    FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('u', 'p', 'x')
    WHERE indrelid = %s::regclass AND NOT indisprimary ORDER BY 1
"""


def write(rows: Iterable[Model]) -> None:
    """Write the rows, those of one model after another in the order given."""
    for model, some in groupby(rows, key=_model_of):
        if connection.vendor == "postgresql":
            copy(model, list(some))
        else:
            model._default_manager.bulk_create(list(some), batch_size=5000)


def _model_of(row: Model) -> type[Model]:
    return type(row)


def copy(model: type[Model], rows: Sequence[Model]) -> None:
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, GeneratedField)]
    columns = ", ".join(quoted(str(field.column)) for field in fields)
    values = [_value(field) for field in fields]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {quoted(model._meta.db_table)} ({columns}) FROM STDIN") as stream,
    ):
        for row in rows:
            stream.write_row([value(row) for value in values])


def _value(field: "Field[Any, Any]") -> Callable[[Model], Any]:
    """Return the function that reads the column's value from a row."""
    name = field.attname
    if isinstance(field, JSONField):
        return lambda row: Jsonb(getattr(row, name))
    if isinstance(field, WordsField):
        return lambda row: " ".join(f"'{word}'" for word in sorted(getattr(row, name)))
    if isinstance(field, FileField):
        return lambda row: str(getattr(row, name))
    if type(field).pre_save is not models.Field.pre_save and not isinstance(field, models.DateTimeField):
        return lambda row: field.pre_save(row, add=True)
    return lambda row: getattr(row, name)


@contextmanager
def without_indexes(tables: Sequence[str]) -> Iterator[None]:
    """Drop the tables' indexes but those of their primary keys, and make them again after the block, as they were."""
    again: list[str] = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(INDEXES, [quoted(table)])
            for index, definition, constraint, text in cursor.fetchall():
                if constraint is None:
                    cursor.execute(f"DROP INDEX {index}")
                    again.append(definition)
                else:
                    name = quoted(constraint)
                    cursor.execute(f"ALTER TABLE {quoted(table)} DROP CONSTRAINT {name}")
                    again.append(f"ALTER TABLE {quoted(table)} ADD CONSTRAINT {name} {text}")
        yield
        for statement in again:
            cursor.execute(statement)


def continue_ids(models_written: Iterable[type[Model]]) -> None:
    """Let the database's own ids go on after the highest that was written."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(_no_style(), list(models_written)):
            cursor.execute(statement)


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _no_style() -> Any:
    from django.core.management.color import no_style

    return no_style()
