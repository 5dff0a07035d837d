"""Store the databases of a release, from which helpdesk/tests/test_upgrade.py upgrades.

    python -m tools.release_database 0.2.0             of the commit that is checked out, before it gets its tag
    python -m tools.release_database 0.1.0 f5c7eae     of another commit

The release's own code makes them in a work tree of its own: its migrations, then the demo's people and tickets. Writes
`helpdesk/tests/releases/<version>/`: SQL for SQLite and PostgreSQL, packed, and the names of the migrations. Needs
PostgreSQL on 127.0.0.1:5432, or starts a private one.
"""

import argparse
import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from content import sorting
from tools.servers import Postgres, postgres_answers

ROOT = Path(__file__).resolve().parent.parent
RELEASES = ROOT / "helpdesk" / "tests" / "releases"
LOCAL_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"


def fill(tree: Path, folder: Path, database: str) -> None:
    """Migrate an empty database and load the demo into it, with the code in `tree`."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("DESK_", "S3_", "REDIS"))
    }
    env |= {"DESK_VAR_DIR": str(folder), "DATABASE_URL": database, "DESK_DEMO": "1"}
    for command in (["migrate", "--verbosity=0"], ["load_demo"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=tree, env=env, check=True)


def sqlite_dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as link:
        sorting.register(link)
        return "\n".join(link.iterdump()) + "\n"


def postgres_dump(url: str) -> str:
    """Return a plain dump that one connection can execute: INSERTs, no commands of psql, and no setting that an older
    server does not know."""
    done = subprocess.run(
        [Postgres.binary("pg_dump"), "--no-owner", "--no-privileges", "--rows-per-insert=200", f"--dbname={url}"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return re.sub(r"^(?:\\(?:un)?restrict |SET transaction_timeout).*\n", "", done.stdout, flags=re.MULTILINE)


def write(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("version")
    parser.add_argument("commit", nargs="?", default="HEAD")
    arguments = parser.parse_args()
    target = RELEASES / arguments.version
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-release-")))
        tree = folder / "tree"
        tree.mkdir()
        archive = subprocess.run(
            ["git", "archive", arguments.commit], cwd=ROOT, check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "-x"], cwd=tree, input=archive, check=True)

        name = f"desk_release_{os.getpid()}"
        server = LOCAL_POSTGRES if postgres_answers(LOCAL_POSTGRES) else stack.enter_context(Postgres()).url
        url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        with psycopg.connect(server, autocommit=True) as link:
            link.execute(f"CREATE DATABASE {name}")
        try:
            fill(tree, folder / "postgresql", url)
            from_postgresql = postgres_dump(url)
        finally:
            with psycopg.connect(server, autocommit=True) as link:
                link.execute(f"DROP DATABASE {name} WITH (FORCE)")

        file = folder / "db.sqlite3"
        fill(tree, folder / "sqlite", f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as link:
            rows = link.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
        migrations: dict[str, list[str]] = {}
        for app, migration in rows:
            migrations.setdefault(app, []).append(migration)

        target.mkdir(parents=True, exist_ok=True)
        write(target / "sqlite.sql.gz", sqlite_dump(file))
        write(target / "postgresql.sql.gz", from_postgresql)
        (target / "migrations.json").write_text(json.dumps(migrations, indent=1) + "\n")


if __name__ == "__main__":
    main()
