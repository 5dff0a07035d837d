"""Check a backup, and put it into an installation that has no data."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
from django.core.files.storage import Storage, default_storage
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from helpdesk.models import Heartbeat

from . import databases, places
from .making import Say, file_fields
from .manifest import FILES, MANIFEST, BadBackup, Manifest, parts_in, secret_key_mark

NO_DATA = frozenset(
    {
        "django_migrations",
        "django_content_type",
        "auth_permission",
        "django_session",
        "helpdesk_heartbeat",
        "helpdesk_taskrun",
        "helpdesk_cspreport",
        "notifications_mailhold",
    }
)
"""Tables that also an installation without data fills: migrations, visitors and the scheduler do."""
UNCHANGED = "Nothing of this installation has changed."
SOME_FILES = "Some files have been restored and the database has not changed: mend that and run the same command again."
SOME_ROWS = (
    "All files have been restored, the database perhaps in part: do not start the desk; mend that and run the same "
    "command again, with --replace-existing-data if it asks for it."
)
SILENT_FOR = timedelta(seconds=60)


def open_backup(address: str) -> tuple[Storage, Manifest]:
    """Return the backup at `address` and its manifest. Raises `BadBackup`."""
    source = places.place(address)
    try:
        with source.open(MANIFEST, "rb") as file:
            return source, Manifest.load(file.read())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadBackup(
            f"{address} has no {MANIFEST}: it is no backup, or one that was interrupted."
        ) from error


def check(source: Storage, manifest: Manifest, folder: Path, *, say: Say) -> tuple[Path, Path]:
    """Compare every byte of the backup with its manifest. Returns where the copy of the database and the list of files
    are now. Raises `BadBackup`, which names the first fault."""
    dump, names = folder / Path(manifest.database.name).name, folder / Path(manifest.file_list.name).name
    places.fetch(source, manifest.database, dump)
    places.fetch(source, manifest.file_list, names)
    count = 0
    with names.open("rb") as lines:
        for part in parts_in(lines):
            name = f"{FILES}/{part.name}"
            try:
                found = places.read(source, name, part_name=part.name)
            except FileNotFoundError as error:
                raise BadBackup(f"{name} is missing.") from error
            if found != part:
                raise BadBackup(f"{name} is damaged: its checksum differs from the manifest.")
            count += 1
    if count != manifest.file_count:
        raise BadBackup(f"The list has {count} files; the manifest says {manifest.file_count}.")
    say(f"The backup is whole: {sum(manifest.rows.values())} rows, {count} files.")
    return dump, names


def require_fitting(manifest: Manifest) -> None:
    """Raise `BadBackup` if this installation cannot take the backup: other database, or older version."""
    if manifest.vendor != connection.vendor:
        raise BadBackup(f"The backup is of {manifest.vendor}; this installation uses {connection.vendor}.")
    known = set(MigrationLoader(None).disk_migrations)
    applied = {(app, name) for app, names in manifest.migrations.items() for name in names}
    # The app of the invented data is not installed in production.
    unknown = {(app, name) for app, name in applied - known if app in {app for app, _name in known}}
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in sorted(unknown))
        raise BadBackup(
            f"The backup was made by version {manifest.version}, which is newer than this one: {names}. "
            "Restore it with that version."
        )


def require_stopped() -> None:
    """Raise `BadBackup` while other processes of the desk run on this database: they would write into it meanwhile."""
    if connection.vendor == "postgresql":
        databases.disconnect()
        with psycopg.connect(databases.connection_string(), **databases.secrets()) as link:
            found = link.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).fetchone()
        if found and found[0]:
            raise BadBackup(
                f"{found[0]} other connections use the database. Stop web, worker and beat first."
            )
    elif Heartbeat._meta.db_table in databases.tables():
        since = timezone.now() - SILENT_FOR
        if Heartbeat.objects.filter(name="scheduler", at__gte=since).exists():
            raise BadBackup(
                f"The scheduler ran less than {SILENT_FOR.seconds} s ago. Stop all processes first."
            )


def existing_data() -> dict[str, int]:
    """Return how many rows each table has that holds data."""
    counts = {}
    with connection.cursor() as cursor:
        for table in databases.tables():
            if table not in NO_DATA:
                cursor.execute(f"SELECT COUNT(*) FROM {databases.quoted(table)}")  # noqa: S608
                counts[table] = cursor.fetchone()[0]
    return {table: count for table, count in counts.items() if count}


def restore(address: str, *, replace: bool, say: Say) -> Manifest:
    """Put the backup at `address` into this installation: files first, then rows, in which all mail is held.

    Nothing changes before the whole backup has been read and found whole. With `replace`, existing rows are deleted;
    without, `BadBackup` is raised if there are any.
    """
    source, manifest = open_backup(address)
    require_fitting(manifest)
    require_stopped()
    data = existing_data()
    if data and not replace:
        most = sorted(data.items(), key=lambda item: -item[1])[:5]
        raise BadBackup(
            "This installation has data: "
            + ", ".join(f"{table} {count} rows" for table, count in most)
            + ". Restore into an empty database, or delete all that is here with --replace-existing-data."
        )
    with saying(UNCHANGED), places.scratch() as folder:
        dump, names = check(source, manifest, folder, say=say)
        with saying(SOME_FILES), names.open("rb") as lines:
            for part in parts_in(lines):
                places.copy(source, f"{FILES}/{part.name}", default_storage, part.name, expected=part)
        say(f"Restored {manifest.file_count} files.")
        with saying(SOME_ROWS):
            databases.replace(dump, backup_at=manifest.made)
    compare(manifest)
    say(f"Restored {sum(manifest.rows.values())} rows. No mail leaves until: manage.py release_mail")
    call_command("migrate", interactive=False, verbosity=0)
    forget(manifest.deleted_meanwhile)
    if manifest.secret_key_mark != secret_key_mark():
        say("SECRET_KEY is not that of the backup: everybody must sign in again, and guests' links are void.")
    return manifest


@contextmanager
def saying(sentence: str) -> Iterator[None]:
    """Note on an error, or an interruption, of the block what it leaves behind. The innermost note counts."""
    try:
        yield
    except BaseException as error:
        if not getattr(error, "__notes__", None):
            error.add_note(sentence)
        raise


def compare(manifest: Manifest) -> None:
    """Raise `BadBackup` if a table has another number of rows than the manifest says."""
    expected = {table: count for table, count in manifest.rows.items() if table not in NO_DATA}
    found = dict.fromkeys(expected, 0) | existing_data()
    if found != expected:
        wrong = sorted(table for table in {*found, *expected} if found.get(table) != expected.get(table))
        raise BadBackup(f"Rows are missing after the restore: {', '.join(wrong)}")


def forget(names: list[str]) -> None:
    """Delete the rows of files that were deleted while the backup was made; of a thumbnail only its name."""
    for field in file_fields():
        rows = field.model._default_manager.filter(**{f"{field.name}__in": names})
        if field.blank:
            rows.update(**{field.name: ""})
        else:
            rows.delete()
