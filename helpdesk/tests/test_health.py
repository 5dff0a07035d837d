import logging
import socket
import threading
import time
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from content.tests import disks
from content.tests.object_store import Bucket
from helpdesk import health, logs
from helpdesk.models import Heartbeat
from notifications.incoming.accounts import mailbox_names
from notifications.models import MailboxMark
from notifications.outgoing import holding

pytestmark = pytest.mark.django_db(transaction=True)  # the checks use database connections of their own


@pytest.fixture(autouse=True)
def never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the check of the store remember no answer of another test."""
    monkeypatch.setattr(health, "store", health.StoreCheck())


@pytest.fixture
def alive() -> Heartbeat:
    return Heartbeat.objects.create(name="scheduler", at=timezone.now())


def test_healthz_answers_for_any_host(client: Client):
    response = client.get("/healthz", headers={"Host": "10.1.2.3:8000"})

    assert (response.status_code, response.json()) == (200, {"ok": True})


def test_readyz_reports_every_check(client: Client, alive: Heartbeat, settings: Any):
    response = client.get("/readyz", headers={"Host": "10.1.2.3:8000"})

    assert response.status_code == 200, response.json()
    checks = response.json()["checks"]
    assert {name: check["ok"] for name, check in checks.items()} == {
        "database": True,
        "migrations": True,
        "broker": True,
        "mail": True,
        "scheduler": True,
        "store": True,
    }
    assert checks["scheduler"]["age_seconds"] < 30
    assert checks["mail"]["oldest_seconds"] == 0
    assert checks["store"]["free_mb"] > settings.DESK_MAX_UPLOAD_MB


def test_readyz_says_that_a_restored_copy_holds_its_mail(client: Client, alive: Heartbeat):
    holding.hold(backup_at=timezone.now())

    mail = client.get("/readyz").json()["checks"]["mail"]

    assert (mail["ok"], mail["waiting"]) == (False, 0)
    assert "release_mail" in mail["problem"]


NOT_NAMED = "203.0.113.9"


@pytest.mark.parametrize("ready", [True, False])
def test_stranger_reads_only_whether_it_is_ready(client: Client, alive: Heartbeat, ready: bool):
    if not ready:
        alive.delete()

    for address in (NOT_NAMED, "", "nonsense", "2001:db8::1"):
        response = client.get("/readyz", REMOTE_ADDR=address, headers={"X-Forwarded-For": "127.0.0.1"})

        assert response.status_code == (200 if ready else 503)
        assert response.json() == {"ready": ready}


@pytest.mark.parametrize(
    ("address", "authorization", "sees"),
    [
        ("10.1.2.3", "", True),
        ("::ffff:10.1.2.3", "", True),
        (NOT_NAMED, "", False),
        (NOT_NAMED, "Bearer a-long-random-token-1", True),
        (NOT_NAMED, "Bearer a-long-random-token-2", False),
        (NOT_NAMED, "Bearer ñ", False),
        (NOT_NAMED, "Bearer ", False),
        ("127.0.0.1", "", False),
    ],
)
def test_readyz_shows_details_to_whom_the_operator_named(
    client: Client, alive: Heartbeat, settings, address: str, authorization: str, sees: bool
):
    settings.DESK_READYZ_NETWORKS, settings.DESK_READYZ_TOKEN = ["10.0.0.0/8"], "a-long-random-token-1"

    response = client.get("/readyz", REMOTE_ADDR=address, headers={"Authorization": authorization})

    assert ("checks" in response.json()) is sees


def test_no_token_is_no_key(client: Client, alive: Heartbeat, settings):
    settings.DESK_READYZ_NETWORKS, settings.DESK_READYZ_TOKEN = [], ""

    for given in ("", "Bearer", "Bearer "):
        assert "checks" not in client.get("/readyz", headers={"Authorization": given}).json()


def test_failed_check_is_in_the_log(client: Client, caplog, monkeypatch):
    made = logging.getLogRecordFactory()

    def with_id(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made(*args, **kwargs)
        record.seen_in = logs.request_id.get()
        return record

    monkeypatch.setattr(logging, "_logRecordFactory", with_id)
    answer = client.get("/readyz", REMOTE_ADDR=NOT_NAMED)

    [line] = [
        record for record in caplog.records if record.getMessage() == "readyz: scheduler: no heartbeat yet"
    ]
    assert line.seen_in == answer["X-Request-ID"], "the check runs in a thread of its own"


def test_readyz_fails_without_a_heartbeat(client: Client):
    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert not response.json()["checks"]["scheduler"]["ok"]
    assert response.json()["checks"]["database"]["ok"]


def test_readyz_fails_with_an_old_heartbeat(client: Client, alive: Heartbeat):
    Heartbeat.objects.update(at=timezone.now() - timedelta(hours=1))

    check = client.get("/readyz").json()["checks"]["scheduler"]

    assert check["ok"] is False
    assert 3600 <= check["age_seconds"] < 3700


def test_readyz_says_that_migrations_are_missing(client: Client, alive: Heartbeat, monkeypatch):
    """New code before `prepare_production`: pages would fail on a column that is not there yet."""
    monkeypatch.setattr(health, "migrations", health.Migrated())
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("helpdesk", "0002_store_csp_reports")
    try:
        response = client.get("/readyz")
    finally:
        recorder.record_applied("helpdesk", "0002_store_csp_reports")

    assert response.status_code == 503
    check = response.json()["checks"]["migrations"]
    assert (check["ok"], check["missing"]) == (False, 1)
    assert "prepare_production" in check["problem"]
    assert client.get("/readyz").status_code == 200


def test_applied_migrations_are_read_once(django_assert_num_queries):
    check = health.Migrated()
    check()

    with django_assert_num_queries(0):
        check()


def test_readyz_hides_the_text_of_errors(client: Client, alive: Heartbeat, monkeypatch, caplog):
    def broken() -> health.Details:
        raise DatabaseError("connection to desk:hunter2@db failed")

    broken.__name__ = "database"
    monkeypatch.setattr(health, "database", broken)

    response = client.get("/readyz")

    assert response.json()["checks"]["database"]["problem"] == "does not answer"
    assert "hunter2" not in response.content.decode()
    assert "readyz: database does not work" in [record.getMessage() for record in caplog.records]


def test_readyz_stops_waiting_for_a_hanging_server(client: Client, alive: Heartbeat, monkeypatch):
    release, asked = threading.Event(), []

    def hanging() -> health.Details:
        asked.append(1)
        release.wait(30)
        return {}

    hanging.__name__ = "broker"
    monkeypatch.setattr(health, "broker", hanging)
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.2)
    try:
        started = time.monotonic()
        first, second = client.get("/readyz"), client.get("/readyz")
        assert time.monotonic() - started < 10
        assert first.status_code == second.status_code == 503
        assert first.json()["checks"]["broker"]["problem"] == "no answer within 0.2 s"
        assert first.json()["checks"]["database"]["ok"]
        assert len(asked) == 1, "asked again while the first question was still out"
    finally:
        release.set()


# --- The store of uploaded files --------------------------------------------------------------------------


def store_of(client: Client) -> dict[str, Any]:
    response = client.get("/readyz")
    check: dict[str, Any] = response.json()["checks"]["store"]
    assert (response.status_code == 200) is check["ok"]
    return check


@pytest.mark.parametrize("kind", [*disks.BROKEN, "unreachable", "refusing"])
def test_readyz_fails_while_no_file_can_be_stored(
    client: Client, alive: Heartbeat, kind: str, request, settings, tmp_path: Path
):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    bucket: Bucket | None = None
    if kind not in disks.BROKEN:
        bucket = request.getfixturevalue("bucket")
        bucket.take_away() if kind == "unreachable" else bucket.refuse()
    with disks.BROKEN[kind](tmp_path / "media") if kind in disks.BROKEN else nullcontext():
        check = store_of(client)

    assert not check["ok"]
    # A busy machine may take longer than the check waits for a server.
    assert check["problem"] in ("no file can be stored", *(["no answer within 2 s"] if bucket else []))
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file() and path.name != "ballast"]
    assert "127.0.0.1" not in str(check), "no addresses"


def test_store_that_works_again_is_seen_soon(client: Client, alive: Heartbeat, bucket: Bucket):
    bucket.take_away()
    assert not store_of(client)["ok"]
    bucket.come_back()
    assert not store_of(client)["ok"], "it was asked a moment ago"

    assert 0 < health.store.until - time.monotonic() <= health.STORE_AGAIN_SECONDS
    assert any(store_much_later(client)["ok"] for _again in range(5)), "a busy machine may need several"
    assert health.STORE_AGAIN_SECONDS < health.store.until - time.monotonic() <= health.STORE_SECONDS


def store_much_later(client: Client) -> dict[str, Any]:
    """Return the check once the last answer is not repeated any more."""
    health.store.until = 0.0
    return store_of(client)


def test_asking_often_writes_once(client: Client, alive: Heartbeat, settings, tmp_path: Path):
    """A stranger cannot wear out the disk, nor run up the bill of an object store."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    assert store_of(client)["ok"]
    incoming = tmp_path / "media" / "incoming"
    written = incoming.stat().st_mtime_ns

    for _again in range(20):
        assert client.get("/readyz", REMOTE_ADDR=NOT_NAMED).status_code == 200

    assert incoming.stat().st_mtime_ns == written
    assert list(incoming.iterdir()) == []


def test_full_disk_is_seen_before_an_upload_fails(client: Client, alive: Heartbeat, settings):
    settings.DESK_MAX_UPLOAD_MB = 10**9

    check = store_of(client)

    assert check["problem"] == "a disk has no room for one more file"
    assert check["free_mb"] > 0


def test_mute_store_delays_readyz_by_two_seconds_at_most(client: Client, alive: Heartbeat, bucket: Bucket):
    """It takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        bucket._use(endpoint_url=f"http://127.0.0.1:{mute.getsockname()[1]}")
        started = time.monotonic()
        check = store_of(client)
        taken = time.monotonic() - started

    assert not check["ok"]
    assert taken < health.CHECK_SECONDS + 2


def test_readyz_says_that_a_mailbox_cannot_be_read(client: Client, alive: Heartbeat, settings: Any):
    settings.DESK_MAILBOXES = ["imaps://ana:clave@mail.test/INBOX"]
    unread = client.get("/readyz").json()["checks"]["mailboxes"]
    mark = MailboxMark.objects.create(name=mailbox_names()[0], read_at=timezone.now())
    read = client.get("/readyz").json()["checks"]["mailboxes"]
    MailboxMark.objects.filter(pk=mark.pk).update(read_at=timezone.now() - timedelta(hours=1))
    stale = client.get("/readyz").json()

    assert (unread["ok"], read["ok"], stale["ready"]) == (False, True, False)
    assert "clave" not in str(stale)
