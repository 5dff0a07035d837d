"""A column that holds the words of a text as stems, and finds them on both databases (decision 39).

PostgreSQL keeps a `tsvector` with a GIN index. SQLite keeps the words as text, and beside it an FTS5 table that
triggers keep equal. Both hold the stems that `content.search` makes, so both find the same.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Lookup

from .search import stems_of, words_of

LONGEST_WORD = 60
TOKENIZER = "unicode61 remove_diacritics 0 tokenchars '=_-'"
_WORD = re.compile(r"\w+")
_FOUND = '{key} IN (SELECT rowid FROM "{fts}" WHERE "{fts}" MATCH %s)'
_GONE = "INSERT INTO {fts}({fts}, rowid, {column}) VALUES ('delete', old.{key}, old.{column});"
_NEW = "INSERT INTO {fts}(rowid, {column}) VALUES (new.{key}, new.{column});"
_STATEMENTS = (
    """CREATE VIRTUAL TABLE {fts}
    USING fts5({column}, content='{table}', content_rowid='{key}', tokenize="{tokenizer}")""",
    "CREATE TRIGGER {fts}_insert AFTER INSERT ON {table} BEGIN {new} END",
    "CREATE TRIGGER {fts}_delete AFTER DELETE ON {table} BEGIN {gone} END",
    "CREATE TRIGGER {fts}_update AFTER UPDATE ON {table} BEGIN {gone} {new} END",
)

Query = Sequence[Collection[str]]
"""Words that a text must all have, each as the stems of which it must have one."""


def stems_in(text: str) -> set[str]:
    """Return the stems of all words of a text."""
    found: set[str] = set()
    for word in _WORD.findall(text.lower()):
        if len(word) < LONGEST_WORD:
            found |= stems_of(word)
    return found


def query_of(text: str) -> Query:
    """Return what `text` looks for; empty if it has no words."""
    return [sorted(stems) for word in words_of(text) if (stems := stems_of(word))]


class WordsField(models.Field):
    """Holds a set of words, none of which has a blank. It is written whole, and read by the lookup `has` alone."""

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return "array_to_tsvector(%s::text[])" if connection.vendor == "postgresql" else "%s"

    def get_db_prep_value(self, value: Iterable[str], connection: Any, prepared: bool = False) -> Any:
        words = sorted(value)
        return words if connection.vendor == "postgresql" else " ".join(words)


@WordsField.register_lookup
class Has(Lookup):
    """`words__has=query_of("pagos con tarjeta")`: every word, in any of its forms. Without words it finds nothing."""

    lookup_name = "has"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} @@ %s::tsquery", (*params, _written(self.rhs, "'", " | ", " & "))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        meta = self.lhs.target.model._meta
        key, params = compiler.compile(models.expressions.Col(self.lhs.alias, meta.pk))
        sql = _FOUND.format(key=key, fts=fts_table(meta.db_table))
        return sql, (*params, _written(self.rhs, '"', " OR ", " AND "))


def _written(query: Query, quote: str, either: str, every: str) -> str:
    """Write a query with quoted words, so that none is read as an operator."""
    if not query:
        raise EmptyResultSet
    words = (
        either.join(f"{quote}{stem.replace(quote, quote * 2)}{quote}" for stem in stems) for stems in query
    )
    return every.join(f"({word})" for word in words)


def fts_table(table: str) -> str:
    """Return the name of the FTS5 table beside a table with a `WordsField`."""
    return f"{table}_fts"


def fts_statements(table: str, key: str, column: str) -> list[str]:
    """Return the statements that make the FTS5 table of a column on SQLite, and the triggers that keep it equal."""
    names = {"fts": fts_table(table), "table": table, "key": key, "column": column, "tokenizer": TOKENIZER}
    changes = {"gone": _GONE.format(**names), "new": _NEW.format(**names)}
    return [statement.format(**names, **changes) for statement in _STATEMENTS]
