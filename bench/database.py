"""The bench's databases: one for each size, on the server that DATABASE_URL names."""

import os
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
VAR_DIR = ROOT / "var" / "bench"
TABLES = {"tickets": "tickets_ticket", "mails": "notifications_outgoingemail"}
"""The tables whose updates are watched: most updates of a desk are theirs."""
PRODUCTION = {
    "DESK_ENV": "production",
    "DESK_ALLOW_HTTP": "1",
    "SECRET_KEY": "".join(chr(33 + i % 90) for i in range(80)),
    "ALLOWED_HOSTS": "127.0.0.1",
    "DESK_SUPPORT_EMAIL": "soporte@example.com",
    "EMAIL_URL": "smtp://127.0.0.1:9",  # mails stay in the outbox: nothing listens
}


def environment(size: int) -> dict[str, str]:
    """Return the environment of the processes of this size.

    With PostgreSQL and Redis it is that of production. DATABASE_URL is never the configured one: it names a database of
    the bench on the same server.
    """
    folder = VAR_DIR / str(size)
    folder.mkdir(parents=True, exist_ok=True)
    url = url_for(size)
    given = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DESK_") and name not in ("DEBUG", "SENTRY_DSN", "EMAIL_URL")
    }
    is_whole = not url.startswith("sqlite") and bool(given.get("REDIS_URL"))
    size_of_desk = PRODUCTION if is_whole else {"DESK_ENV": "development", "EMAIL_URL": "dummymail://"}
    return (
        given
        | size_of_desk
        | {
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DATABASE_URL": url,
            "DESK_VAR_DIR": str(folder),
            "DESK_BASE_URL": "http://127.0.0.1",
            "DESK_TRUSTED_PROXIES": "127.0.0.1",  # the client names each visitor's address, as nginx does
            "CELERY_SKIP_CHECKS": "1",
            "LOG_LEVEL": "WARNING",
        }
    )


def url_for(size: int) -> str:
    configured = os.environ.get("DATABASE_URL", "")
    if not configured or configured.startswith("sqlite"):
        return f"sqlite:///{VAR_DIR / str(size) / 'db.sqlite3'}"
    parts = urlsplit(configured)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/') or '/desk'}_bench_{size}"))


def create(url: str) -> None:
    """Create the database if it does not exist. SQLite creates its file by itself."""
    if url.startswith("sqlite"):
        return
    parts = urlsplit(url)
    name = parts.path.removeprefix("/")
    server = urlunsplit(parts._replace(scheme="postgresql", path="/postgres"))
    with psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


class Watch:
    """What PostgreSQL tells about the desk's database. It tells nothing of SQLite."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = None
        if parts.scheme != "sqlite":
            self._server = psycopg.connect(urlunsplit(parts._replace(scheme="postgresql")), autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._server is not None:
            self._server.close()

    def backends(self) -> list[int]:
        """Return the ids of the processes that work for the desk."""
        if self._server is None:
            return []
        rows = self._server.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in rows]

    def updates(self) -> dict[str, tuple[int, int]]:
        """Return how many rows of each watched table were updated so far, and how many of them without any index being
        touched (HOT)."""
        if self._server is None:
            return {}
        query = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = %s"
        found = {name: self._server.execute(query, [table]).fetchone() for name, table in TABLES.items()}
        return {name: (row[0], row[1]) for name, row in found.items() if row is not None}
