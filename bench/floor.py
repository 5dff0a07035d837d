"""The floor page: the lowest cost of a signed-in page with a list on this server. Other pages are compared with it.

It reads the session, the user and fifty rows of a small table of its own with one indexed query, makes no objects of
them, formats no dates and has no frame. Every middleware of the product runs as on any other page.
"""

from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import engines

from bench.words import FIRST_NAMES, TITLES

TABLE, SIZE, ROWS = "bench_floor", 10_000, 50
FIELDS = ("id", "queue", "status", "priority", "title", "email", "created")
MAKE = (
    f"CREATE TABLE {TABLE} (id integer PRIMARY KEY, queue smallint NOT NULL, status smallint NOT NULL,"
    " priority smallint NOT NULL, title varchar(200) NOT NULL, email varchar(254) NOT NULL,"
    " created varchar(16) NOT NULL)"
)
INDEX = f"CREATE INDEX {TABLE}_queue ON {TABLE} (queue, created)"
INSERT = f"INSERT INTO {TABLE} ({', '.join(FIELDS)}) VALUES (%s, %s, %s, %s, %s, %s, %s)"  # noqa: S608
SELECT = f"SELECT {', '.join(FIELDS)} FROM {TABLE} WHERE queue = %s ORDER BY created DESC LIMIT {ROWS}"  # noqa: S608
PAGE = """<!doctype html><html lang="es"><head><title>Floor</title></head><body><table>
{% for row in rows %}<tr><td><a href="/{{ row.id }}/">{{ row.id }}</a></td><td>{{ row.title }}</td>
<td>{{ row.queue }}</td><td>{{ row.status }}</td><td>{{ row.priority }}</td><td>{{ row.email }}</td>
<td>{{ row.created }}</td></tr>
{% endfor %}</table></body></html>"""
_template = None


@login_required
def floor(request: HttpRequest) -> HttpResponse:
    global _template  # noqa: PLW0603  (template engines are not ready while the URLs are imported)
    if _template is None:
        _template = engines["django"].from_string(PAGE)
    with connection.cursor() as cursor:
        cursor.execute(SELECT, [0])
        rows = [dict(zip(FIELDS, row, strict=True)) for row in cursor.fetchall()]
    return HttpResponse(_template.render({"rows": rows}, request))


def is_made() -> bool:
    return TABLE in connection.introspection.table_names()


def make() -> None:
    """Make the table, with an index for the page's query."""
    rows = [
        (
            number + 1,
            number % 5,
            number % 3,
            number % 4,
            TITLES[number % len(TITLES)],
            f"{FIRST_NAMES[number % len(FIRST_NAMES)]}{number}@bench.test",
            f"2026-{number // 840 + 1:02}-{number // 30 % 28 + 1:02} {number // 60 % 24:02}:{number % 60:02}",
        )
        for number in range(SIZE)
    ]
    with connection.cursor() as cursor:
        cursor.execute(MAKE)
        cursor.executemany(INSERT, rows)
        cursor.execute(INDEX)


def drop() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
