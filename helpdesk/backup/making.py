"""Write a backup: first the database, then the files that its rows name, and the manifest last.

Files are written before their rows and deleted after them, and never change. So every file that a row of the snapshot
names is still there afterwards, unless it was deleted since; tasks that delete files wait (`is_running`).
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic

from django.apps import apps
from django.core.files.storage import Storage, default_storage
from django.db import Error, models
from django.utils import timezone

from helpdesk import __version__
from helpdesk.models import Heartbeat
from helpdesk.watching import runs

from . import databases, places
from .databases import Query, quoted
from .manifest import FILE_LIST, FILES, MANIFEST, Manifest, Part, secret_key_mark

RUNNING = "backup"
BEAT_SECONDS = 20
RUNNING_FOR = timedelta(minutes=2)
"""A backup that has not reported for this long has died."""

Say = Callable[[str], None]


def file_fields() -> "list[models.FileField]":
    """Return every field of the product that names a file in the store."""
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, models.FileField)
    ]


def is_running() -> bool:
    """Whether a backup is being made now. Tasks that delete files ask, and wait for their next run."""
    since = timezone.now() - RUNNING_FOR
    return Heartbeat.objects.filter(name=RUNNING, at__gte=since).exists()


class Beat:
    """Reports that the backup goes on, at most every `BEAT_SECONDS`."""

    def __init__(self) -> None:
        self.last = float("-inf")

    def __call__(self) -> None:
        if monotonic() - self.last > BEAT_SECONDS:
            Heartbeat.objects.update_or_create(name=RUNNING, defaults={"at": timezone.now()})
            self.last = monotonic()


def make(target: str, *, say: Say) -> tuple[str, Manifest]:
    """Write a backup into a new folder of `target`. Returns its address and manifest. If that fails, nothing of it
    stays in a folder: part of a backup would keep a full disk full."""
    made_at = timezone.now()
    address = places.join(target, f"desk-{made_at:%Y%m%dT%H%M%SZ}")
    to = places.new_place(address)
    beat, started = Beat(), monotonic()
    try:
        beat()
        with places.workspace(target) as folder:
            dump = folder / databases.dump_name()
            with databases.snapshot(dump) as ask:
                rows = {table: _count(ask, table) for table in databases.tables()}
                migrations = _migrations(ask)
                names = folder / "names"
                _write_names(ask, names)
            database = places.store(to, databases.dump_name(), dump)
            say(f"{databases.dump_name()}: {sum(rows.values())} rows in {len(rows)} tables")
            copying = Copying(to, folder / FILE_LIST, beat)
            copying.run(names)
            file_list = places.store(to, FILE_LIST, folder / FILE_LIST)
            say(f"{FILES}: {copying.files} files, {copying.bytes} bytes")
            manifest = Manifest(
                version=__version__,
                made_at=made_at.isoformat(),
                vendor=databases.connection.vendor,
                secret_key_mark=secret_key_mark(),
                database=database,
                file_list=file_list,
                file_count=copying.files,
                file_bytes=copying.bytes,
                rows=rows,
                migrations=migrations,
                missing=copying.missing,
                deleted_meanwhile=copying.deleted_meanwhile,
            )
            last = folder / MANIFEST
            last.write_bytes(manifest.dump())
            places.store(to, MANIFEST, last)
        runs.record(runs.BACKUP, seconds=monotonic() - started)
    except BaseException as error:
        error.add_note(places.forget(address))
        raise
    finally:
        with suppress(Error):  # the database may be what failed
            Heartbeat.objects.filter(name=RUNNING).delete()
    return address, manifest


def _count(ask: Query, table: str) -> int:
    ((count,),) = ask(f"SELECT COUNT(*) FROM {quoted(table)}")  # noqa: S608  (a name from the database itself)
    return int(count)


def _migrations(ask: Query) -> dict[str, list[str]]:
    applied: dict[str, list[str]] = {}
    for app, name in ask("SELECT app, name FROM django_migrations ORDER BY app, name"):
        applied.setdefault(app, []).append(name)
    return applied


def _write_names(ask: Query, path: Path) -> None:
    """Write the names of all files that rows of the snapshot name, one a line."""
    with path.open("w") as into:
        for field in file_fields():
            column, table = quoted(str(field.column)), quoted(field.model._meta.db_table)
            question = f"SELECT {column} FROM {table} WHERE {column} <> '' ORDER BY {column}"  # noqa: S608
            for (name,) in ask(question):
                into.write(f"{name}\n")


class Copying:
    """Copies the files from the store into the backup."""

    def __init__(self, to: Storage, file_list: Path, beat: Beat) -> None:
        self.to, self.file_list, self.beat = to, file_list, beat
        self.files = self.bytes = 0
        self.missing: list[str] = []
        self.deleted_meanwhile: list[str] = []

    def run(self, names: Path) -> None:
        with self.file_list.open("wb") as into:
            for part in self._copied(names):
                into.write(part.line())
                self.files += 1
                self.bytes += part.size
                self.beat()

    def _copied(self, names: Path) -> Iterator[Part]:
        with names.open() as lines:
            for name in map(str.rstrip, lines):
                try:
                    yield places.copy(default_storage, name, self.to, f"{FILES}/{name}")
                except FileNotFoundError:
                    (self.missing if _is_named(name) else self.deleted_meanwhile).append(name)


def _is_named(name: str) -> bool:
    """Whether a row names this file now: then the store has lost it."""
    return any(field.model._default_manager.filter(**{field.name: name}).exists() for field in file_fields())
