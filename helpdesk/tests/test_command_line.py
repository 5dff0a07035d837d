"""Commands of operators: what they can mend is said in one sentence, with status 1 and no traceback."""

import errno
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError

from content.stores import StoreUnavailable
from content.tests.object_store import Bucket, serving
from helpdesk.backup import databases, making, places, restoring
from helpdesk.backup.manifest import BadBackup
from helpdesk.command_line import FOR_OPERATORS, in_words
from helpdesk.management.commands import prepare_production
from helpdesk.management.commands.check_files import hours
from helpdesk.tests.test_variables import start
from tools.production import PRODUCTION

NO_DATABASE = {"DATABASE_URL": "postgres://desk@127.0.0.1:1/desk"}
NO_STORE = {
    "S3_BUCKET": "mesa",
    "S3_ENDPOINT_URL": "http://127.0.0.1:1",
    "S3_ACCESS_KEY_ID": "AKIA",
    "S3_SECRET_ACCESS_KEY": "secret",
}


def refusal(*command: str, **env: str) -> str:
    done = start("manage.py", *command, **PRODUCTION | env)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("prepare_production",),
        ("make_administrator", "ana@example.com"),
        ("backup", "{folder}"),
        ("processes", "list"),
    ],
)
def test_command_without_database_says_so(command: tuple[str, ...], tmp_path: Path):
    said = refusal(*(word.format(folder=tmp_path) for word in command), **NO_DATABASE)

    assert "The database does not answer" in said
    assert "DATABASE_URL" in said
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_preparation_without_store_changes_nothing():
    """The database is not even asked: it is away, too, and nothing says so."""
    said = refusal("prepare_production", **NO_DATABASE, **NO_STORE)

    assert "The store of files does not work" in said
    assert "Nothing has changed." in said
    assert len(said.splitlines()) == 1


def test_preparation_makes_the_bucket_once(settings):
    with serving() as url:
        bucket = Bucket(url, settings)
        bucket.client.delete_bucket(Bucket=bucket.name)
        settings.S3_BUCKET, out = bucket.name, StringIO()

        prepare_production.Command(stdout=out).require_store()
        prepare_production.Command(stdout=out).require_store()

        assert bucket.names() == set()
    assert out.getvalue() == f"Created the bucket {bucket.name}\n"


def test_preparation_refuses_a_wrong_address_before_it_changes_anything():
    assert "no address. Nothing has changed." in refusal(
        "prepare_production", "--administrator", "ana", **NO_DATABASE
    )


@pytest.mark.parametrize("command", sorted(FOR_OPERATORS))
def test_command_about_a_desk_wants_to_know_which(command: str, tmp_path: Path):
    """Without the variables, `backup` wrote a good copy of an empty database every night."""
    done = start("manage.py", command, "x", DESK_VAR_DIR=str(tmp_path))

    assert done.returncode == 1
    assert "DESK_ENV is missing" in done.stderr
    assert list(tmp_path.iterdir()) == []


class DriverError(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def caused(error: Exception, sqlstate: str) -> Exception:
    error.__cause__ = DriverError(sqlstate)
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            caused(ProgrammingError('relation "x" does not exist'), "42P01"),
            "Run manage.py prepare_production",
        ),
        (OperationalError("no such table: x"), "Run manage.py prepare_production"),
        (caused(ProgrammingError("permission denied for schema public"), "42501"), "must own the database"),
        (OperationalError("database or disk is full"), "cannot work: database or disk is full."),
        (OSError(errno.ENOSPC, "full", "/backups/x"), "No space left on device: /backups/x."),
        (StoreUnavailable(errno.EROFS, "read-only"), "Look at DESK_VAR_DIR"),
        (ValueError("a fault of ours"), ""),
        (caused(ProgrammingError("syntax error"), "42601"), ""),
    ],
)
def test_only_what_an_operator_can_mend_is_put_in_words(error: Exception, words: str):
    found = in_words(error)

    assert words in found
    assert bool(words) == bool(found)


@pytest.mark.parametrize("target", ["", " ", "s3://", "s3:/bucket", "file:///backups"])
def test_backup_wants_a_folder_or_a_bucket(target: str):
    with pytest.raises(CommandError, match="neither a folder nor s3://bucket/path"):
        call_command("backup", target)


@pytest.mark.parametrize("number", ["-5", "99999999999", "x"])
def test_hours_of_check_files_are_a_sane_number(number: str):
    with pytest.raises(ValueError, match=number):
        hours(number)
    assert hours("0") == 0


def no_space(*args: Any, **options: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "database.sqlite3")


@pytest.mark.django_db
def test_failed_backup_leaves_nothing_and_says_so(tmp_path: Path, monkeypatch):
    """Part of a backup would keep a full disk full, and every night's would add to it."""
    monkeypatch.setattr(databases, "snapshot", no_space)

    with pytest.raises(OSError, match="No space left") as caught:
        making.make(str(tmp_path), say=print)

    assert caught.value.__notes__ == ["No backup was made, and nothing of it is left."]
    assert list(tmp_path.iterdir()) == []
    assert not making.is_running()


def test_backup_never_writes_into_a_folder_that_exists(tmp_path: Path):
    places.new_place(f"{tmp_path}/desk-1")

    with pytest.raises(BadBackup, match="exists already"):
        places.new_place(f"{tmp_path}/desk-1")


def test_innermost_block_says_what_a_failed_restore_leaves():
    with pytest.raises(BadBackup) as caught, restoring.saying("outer"), restoring.saying("inner"):
        raise BadBackup("damaged")

    assert caught.value.__notes__ == ["inner"]
