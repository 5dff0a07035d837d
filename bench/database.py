"""The bench's databases: one for each size, on the server that DATABASE_URL names."""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
VAR_DIR = ROOT / "var" / "bench"


def environment(size: int) -> dict[str, str]:
    """Return the environment of the processes of this size. DATABASE_URL is never the configured one: it names a
    database of the bench on the same server."""
    folder = VAR_DIR / str(size)
    folder.mkdir(parents=True, exist_ok=True)
    given = {
        name: value for name, value in os.environ.items() if name not in ("DEBUG", "DESK_ENV", "DESK_DEMO")
    }
    return given | {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "DESK_ENV": "development",
        "DATABASE_URL": url_for(size),
        "DESK_VAR_DIR": str(folder),
        "DESK_BASE_URL": "http://127.0.0.1",
        "EMAIL_URL": "dummymail://",
        "CELERY_SKIP_CHECKS": "1",
        "LOG_LEVEL": "WARNING",
    }


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
