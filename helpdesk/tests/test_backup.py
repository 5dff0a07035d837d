"""Back up a desk that is in use, and restore it into another installation."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from psycopg import sql

from accounts.tests.factories import make_agent, make_supervisor
from content import sorting
from helpdesk import installation, tasks
from helpdesk.backup import making
from helpdesk.models import Heartbeat, TaskRun
from notifications.enums import MailState
from notifications.models import OutgoingEmail
from portal.tests.factories import png
from tickets import attachments
from tickets.models import Attachment
from tickets.tests.factories import make_ticket
from tickets.workflow.conversation import add_internal_note, reply

pytestmark = pytest.mark.django_db(transaction=True)

CHANGED_BY_A_RESTORE = {
    "notifications_mailhold", "helpdesk_heartbeat", "helpdesk_taskrun", "django_migrations",
}  # fmt: skip
BUCKET = "mesa-de-prueba"


def fill() -> None:
    """File tickets with messages, notes, pictures with thumbnails, unsent files and mails in several states."""
    make_supervisor()
    agent = make_agent()
    for number in range(3):
        ticket = make_ticket(title=f"La «ñandú» número {number} no abre")
        key = f"files-{number}"
        limits = attachments.widest_limits(ticket)
        attachments.keep_draft(
            png(), name="captura.png", draft_key=key, actor=ticket.requester, limits=limits
        )
        reply(ticket, body="Adjunto la captura.", actor=ticket.requester, draft_key=key)
        add_internal_note(ticket, body="Nota interna con ácentos.", actor=agent)
        attachments.keep_draft(
            png(), name="otra.png", draft_key=f"unsent-{number}", actor=agent, limits=limits
        )
    attachments.draw_missing_thumbnails()
    sent = OutgoingEmail.objects.order_by("pk").first()
    OutgoingEmail.objects.filter(pk=sent.pk).update(state=MailState.SENT, sent_at=timezone.now())


class Installation:
    """An installation of its own: a database, a store of files, and commands with its settings."""

    def __init__(self, folder: Path, database: str, **env: str) -> None:
        self.folder, self.database = folder, database
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DESK_", "S3_", "AWS_", "EMAIL_")) and name != "REDIS_URL"
        }
        self.env = clean | {
            "DESK_ENV": "development",
            "DESK_VAR_DIR": str(folder),
            "DATABASE_URL": database,
            "SECRET_KEY": settings.SECRET_KEY,
            "EMAIL_URL": f"filemail:///{folder}/mails",
            "PYTHONWARNINGS": "ignore",  # of libraries, when they are imported outside pytest
            **env,
        }

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *command],
            cwd=settings.BASE_DIR, env=self.env, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def manage(self, *arguments: str) -> str:
        done = self.run("manage.py", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refusal(self, *arguments: str) -> str:
        done = self.run("manage.py", *arguments)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr

    def send_mail(self) -> None:
        """Send what may leave, as a worker does."""
        code = "import django; django.setup(); from notifications.outgoing.delivery import drain; drain()"
        done = self.run("-c", code)
        assert done.returncode == 0, done.stderr

    def sent_mails(self) -> int:
        mails = "".join(path.read_text() for path in (self.folder / "mails").glob("*"))
        return mails.count("\nMessage-ID: ")

    def rows(self) -> dict[str, list[Any]]:
        if self.database.startswith("sqlite"):
            with closing(sqlite3.connect(self.database.removeprefix("sqlite:///"))) as link:
                sorting.register(link)
                names = link.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                return all_rows(link, [name for (name,) in names if not name.startswith("sqlite_")])
        with psycopg.connect(self.database) as link:
            names = link.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            return all_rows(link, [name for (name,) in names])

    def files(self) -> dict[str, bytes]:
        media = self.folder / "media"
        return {
            str(path.relative_to(media)): path.read_bytes() for path in media.rglob("*") if path.is_file()
        }


def all_rows(link: Any, tables: list[str]) -> dict[str, list[Any]]:
    """Return every row of every table as the database gives it, in the order of its text."""
    return {
        table: sorted(link.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr)
        for table in tables
        if table not in CHANGED_BY_A_RESTORE
    }


def rows_here() -> dict[str, list[Any]]:
    """Return every row of the test's own database, with the same driver as `Installation.rows`."""
    connection.ensure_connection()
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return Installation(Path(), f"sqlite:///{name}").rows()
    with psycopg.connect(**_plain_parameters()) as link:
        names = link.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return all_rows(link, [name for (name,) in names])


def _plain_parameters() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    return {
        name: parameters[name]
        for name in ("host", "port", "user", "password", "dbname")
        if parameters.get(name)
    }


def files_here() -> dict[str, bytes]:
    named = [file for row in Attachment.objects.all() for file in (row.file, row.thumbnail) if file]
    return {file.name: bytes_of(default_storage, file.name) for file in named}


def bytes_of(store: Any, name: str) -> bytes:
    with store.open(name) as file:
        return file.read()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Installation]:
    """An installation without a single table, on the same kind of database as the test's own."""
    with empty_database(tmp_path) as url:
        yield Installation(tmp_path / "target", url)


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """Make a database without tables and yield its URL."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'target.sqlite3'}"
        return
    name = f"desk_restore_{os.getpid()}"
    _execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _execute("CREATE DATABASE {}", name)
    given = _plain_parameters()
    password = f":{given['password']}" if "password" in given else ""
    yield f"postgres://{given.get('user', '')}{password}@{given['host']}:{given.get('port', 5432)}/{name}"
    _execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(command: str, name: str) -> None:
    with psycopg.connect(**_plain_parameters() | {"dbname": "postgres"}, autocommit=True) as link:
        link.execute(sql.SQL(command).format(sql.Identifier(name)))


def back_up(target: str) -> str:
    """Back up the test's own desk and return the address of the backup."""
    said = StringIO()
    call_command("backup", target, stdout=said)
    return said.getvalue().splitlines()[-1]


def test_restored_desk_has_every_row_and_every_byte(tmp_path: Path, target: Installation):
    fill()
    backup = back_up(str(tmp_path / "backups"))
    rows, files = rows_here(), files_here()

    said = target.manage("restore", backup)

    assert target.rows() == rows
    assert target.files() == files
    assert len(files) == 12
    assert TaskRun.objects.get(task="backup").has_failed is False
    assert installation.backups().is_done, "«Puesta en marcha» knows of it"
    assert "No mail leaves" in said
    assert "SECRET_KEY" not in said


def test_restored_desk_sends_no_mail_until_it_is_told(tmp_path: Path, target: Installation):
    fill()
    waiting = OutgoingEmail.objects.waiting().count()
    target.manage("restore", back_up(str(tmp_path / "backups")))

    target.send_mail()

    assert target.sent_mails() == 0
    assert waiting > 0
    assert (
        f"{waiting} mails wait. {waiting} of them waited already"
        in target.run("manage.py", "release_mail").stdout
    )
    target.manage("release_mail", "--send-all")
    target.send_mail()
    assert target.sent_mails() == waiting


@pytest.mark.slow
def test_restore_refuses_an_installation_with_data(tmp_path: Path, target: Installation):
    fill()
    backup = back_up(str(tmp_path / "backups"))
    rows = rows_here()
    target.manage("migrate", "--verbosity=0")
    target.manage("load_demo", "--without-tickets")
    before = target.rows()

    assert "This installation has data: " in target.refusal("restore", backup)
    assert target.rows() == before

    target.manage("restore", backup, "--replace-existing-data")
    assert target.rows() == rows


@pytest.mark.slow
def test_restore_into_a_migrated_installation(tmp_path: Path, target: Installation):
    fill()
    target.manage("migrate", "--verbosity=0")

    target.manage("restore", back_up(str(tmp_path / "backups")))

    assert target.rows() == rows_here()


def make_damage(backup: Path, damage: str) -> str:
    """Damage the backup, and return the complaint that a check of it must make."""
    some_file = next(path for path in (backup / "files").rglob("*") if path.is_file())
    if damage == "missing file":
        some_file.unlink()
        return f"{some_file.name} is missing"
    if damage == "no manifest":
        (backup / "manifest.json").unlink()
        return "no backup, or one that was interrupted"
    path = some_file if damage == "file" else next(backup.glob("database.*"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    return f"{path.name} is damaged"


@pytest.mark.parametrize("damage", ["database", "file", "missing file", "no manifest"])
def test_check_finds_a_damaged_backup(tmp_path: Path, damage: str):
    fill()
    backup = Path(back_up(str(tmp_path / "backups")))
    call_command("restore", "--check", str(backup), stdout=StringIO())
    complaint = make_damage(backup, damage)

    with pytest.raises(CommandError, match=complaint):
        call_command("restore", "--check", str(backup))


@pytest.mark.slow
def test_restore_of_a_damaged_backup_changes_nothing(tmp_path: Path, target: Installation):
    fill()
    backup = Path(back_up(str(tmp_path / "backups")))
    complaint = make_damage(backup, "file")

    assert complaint in target.refusal("restore", str(backup))

    assert target.rows() == {}
    assert target.files() == {}


def test_restore_refuses_a_newer_backup_and_another_database(tmp_path: Path):
    backup = Path(back_up(str(tmp_path / "backups")))
    manifest = json.loads((backup / "manifest.json").read_text())
    later = manifest["migrations"] | {"tickets": [*manifest["migrations"]["tickets"], "9999_of_tomorrow"]}

    for changes, complaint in (
        ({"migrations": later}, "tickets.9999_of_tomorrow"),
        ({"vendor": "oracle"}, "this installation uses"),
        ({"format": 2}, "has format 2"),
    ):
        (backup / "manifest.json").write_text(json.dumps(manifest | changes))
        with pytest.raises(CommandError, match=complaint):
            call_command("restore", str(backup))


@pytest.mark.slow
def test_restore_refuses_while_the_desk_runs(tmp_path: Path, target: Installation):
    backup = back_up(str(tmp_path / "backups"))
    target.manage("migrate", "--verbosity=0")
    if connection.vendor == "postgresql":
        with psycopg.connect(target.database):
            assert "1 other connections use the database" in target.refusal("restore", backup)
    else:
        target.run("-c", "import django; django.setup(); from helpdesk.tasks import heartbeat; heartbeat()")
        assert "Stop all processes first" in target.refusal("restore", backup)


@pytest.mark.slow
def test_backup_names_files_that_the_store_has_lost(tmp_path: Path, target: Installation):
    fill()
    lost = Attachment.objects.order_by("pk").first()
    lost.file.storage.delete(lost.file.name)
    said = StringIO()

    with pytest.raises(CommandError, match=f"1 files that rows name are not in the store: {lost.file.name}"):
        call_command("backup", str(tmp_path / "backups"), stdout=said)

    target.manage("restore", said.getvalue().splitlines()[-1])
    assert target.rows() == rows_here()


@pytest.mark.slow
def test_file_deleted_during_the_backup_leaves_no_row(tmp_path: Path, target: Installation, monkeypatch):
    fill()
    unsent = Attachment.objects.filter(ticket=None).order_by("pk").first()
    store = making.places.store

    def discard_then_store(to: Any, name: str, path: Path) -> Any:
        """Discard a file after the snapshot and before the files are copied."""
        if name.startswith("database"):
            attachments.discard_draft(unsent.draft_key, str(unsent.uuid), actor=unsent.uploader)
        return store(to, name, path)

    monkeypatch.setattr(making.places, "store", discard_then_store)
    backup = back_up(str(tmp_path / "backups"))

    target.manage("restore", backup)

    assert target.rows() == rows_here()
    assert target.files() == files_here()


def test_clean_up_deletes_no_files_during_a_backup():
    fill()
    Attachment.objects.filter(ticket=None).update(created_at=timezone.now() - timedelta(days=3))
    Heartbeat.objects.create(name=making.RUNNING)

    tasks.clean_up()
    assert Attachment.objects.filter(ticket=None).count() == 3

    Heartbeat.objects.update(at=timezone.now() - making.RUNNING_FOR - timedelta(seconds=1))
    tasks.clean_up()
    assert not Attachment.objects.filter(ticket=None).exists()


@pytest.mark.slow  # on PostgreSQL, whose programs it runs
def test_password_is_no_argument_of_pg_dump(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL's programs")
    from helpdesk.backup import databases

    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "s3creta")
    run, seen = subprocess.run, []

    def spy(command: list[str], **options: Any) -> Any:
        seen.append((command, options.get("env", {})))
        return run(command, **options)

    monkeypatch.setattr(databases.subprocess, "run", spy)
    databases.run_tool("pg_dump", ["--schema-only", "--file=/dev/null"])

    assert not any("s3creta" in argument for command, _env in seen for argument in command)
    assert seen[-1][1]["PGPASSWORD"] == "s3creta"
    assert f"dbname={connection.settings_dict['NAME']}" in seen[-1][0][1]


@pytest.fixture
def s3(monkeypatch) -> Iterator[dict[str, str]]:
    """A server that speaks S3, with an empty bucket. Returns the variables that name it."""
    import boto3
    from moto.server import ThreadedMotoServer

    for name in ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"):
        monkeypatch.setenv(name, "WHEN_REQUIRED")  # as helpdesk.settings does with S3_BUCKET
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    env = {
        "S3_ENDPOINT_URL": f"http://{host}:{port}",
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY_ID": "clave",
        "S3_SECRET_ACCESS_KEY": "secreta",
    }
    client = boto3.client(
        "s3", endpoint_url=env["S3_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id="clave", aws_secret_access_key="secreta",
    )  # fmt: skip
    client.create_bucket(Bucket=BUCKET)
    client.close()
    yield env
    server.stop()


@pytest.mark.slow
def test_files_and_backup_live_in_s3(target: Installation, s3: dict[str, str]):
    """Both stores are buckets: the desk's own, the target's, and the place of the backup."""
    connection_of_s3 = {
        "endpoint_url": s3["S3_ENDPOINT_URL"],
        "region_name": s3["S3_REGION"],
        "access_key": s3["S3_ACCESS_KEY_ID"],
        "secret_key": s3["S3_SECRET_ACCESS_KEY"],
    }
    options = {"bucket_name": BUCKET, "location": "origen", "file_overwrite": False, **connection_of_s3}
    in_s3 = settings.STORAGES | {"default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}}
    with override_settings(STORAGES=in_s3, S3_CONNECTION=connection_of_s3):
        fill()
        backup = back_up(f"s3://{BUCKET}/copias")
        files = files_here()
        store = storages.create_storage(in_s3["default"])
        assert default_storage.exists(next(iter(files)))

    target.env |= s3 | {"S3_BUCKET": BUCKET}
    target.manage("restore", backup)

    restored = storages.create_storage(
        {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options | {"location": ""}}
    )
    assert {name: bytes_of(restored, name) for name in files} == files
    assert target.rows() == rows_here()
    store.connection.meta.client.close()
