"""Files that no row names are deleted, and no other file, whenever the sweep comes."""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from io import BytesIO, StringIO
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from content.files import NotStored
from content.files.lost import LostUpload
from content.stores.local import LocalStore
from content.tests import disks
from tickets import attachments, stored_files
from tickets.definitions.definition import FileLimits
from tickets.models import Attachment, ReportDraft
from tickets.tests.test_attachments import keep, picture

LONG = timedelta(days=stored_files.UNNEEDED_DAYS, hours=1)
NOBODYS = "attachments/ab/ab" + "0" * 30


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> str:
    if request.param == "bucket":
        request.getfixturevalue("bucket")
    return request.param


def stored() -> set[str]:
    return {file.name for file in chain.from_iterable(map(default_storage.walk, stored_files.FOLDERS))}


def later(act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `act` after the time in which nothing is deleted."""
    with time_machine.travel(timezone.now() + LONG, tick=True):
        return act(*args, **kwargs)


# --- The sweep --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_old_file_without_row_is_deleted(place: str):
    kept = keep()
    attachments.draw_thumbnail(kept)
    default_storage.save(NOBODYS, ContentFile(b"1"))
    default_storage.save(NOBODYS.replace("attachments", "thumbnails") + ".webp", ContentFile(b"1"))
    everything = stored()

    assert (stored_files.sweep(), stored()) == (0, everything), "they are too young"
    assert later(stored_files.sweep) == 2
    assert stored() == {kept.file.name, kept.thumbnail.name}


@pytest.mark.django_db
def test_sweep_leaves_names_that_are_not_ours(place: str):
    for name in ("attachments/ab/notes.txt", "attachments/ab/cd" + "0" * 30, "other/ab/ab" + "0" * 30):
        default_storage.save(name, ContentFile(b"1"))

    assert later(stored_files.sweep) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [3, 100])
def test_sweeps_of_a_day_look_at_every_file(limit: int):
    """Each looks at a few, and begins elsewhere."""
    for number in range(40):
        start = f"{number * 1638:04x}"
        default_storage.save(f"attachments/{start[:2]}/{start}{'0' * 28}", ContentFile(b"1"))
    Attachment.objects.bulk_create(
        Attachment(uuid=stored_files.uuid_of(name), file=name, name="a", size=1)
        for name in sorted(stored())[:20]
    )

    begin = timezone.now() + LONG
    for hour in range(48):
        with time_machine.travel(begin + timedelta(hours=hour), tick=False):
            assert stored_files.sweep(limit=limit) <= limit

    assert len(stored()) == 20


@pytest.mark.django_db
def test_sweep_deletes_nothing_beside_the_wrong_database(caplog: pytest.LogCaptureFixture):
    keep()
    for number in range(stored_files.FEW + 1):
        default_storage.save(f"attachments/{number:02x}/{number:02x}{'0' * 30}", ContentFile(b"1"))

    assert later(stored_files.sweep) == 0
    assert "is this the right database" in caplog.text
    assert len(stored()) == stored_files.FEW + 2


@pytest.mark.django_db
def test_sweep_of_an_absent_store_raises_and_deletes_nothing(bucket: Any):
    default_storage.save(NOBODYS, ContentFile(b"1"))
    bucket.take_away()
    with pytest.raises(OSError, match="endpoint"):
        later(stored_files.sweep)
    bucket.come_back()
    assert stored() == {NOBODYS}


# --- A file whose row is being written --------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ["before the file", "before its name", "after its name"])
def test_sweep_and_clean_up_at_any_moment_of_an_upload(monkeypatch: pytest.MonkeyPatch, moment: str):
    """The writer is held up for weeks. What it then says is true: kept, or not stored and nothing left."""

    def clean_up() -> None:
        later(stored_files.sweep)
        later(attachments.discard_old_drafts)
        later(stored_files.sweep)

    save = LocalStore._save

    def held_up(self: LocalStore, name: str, content: Any) -> str:
        if moment == "before the file":
            clean_up()
        written = save(self, name, content)
        if moment == "before its name":
            clean_up()
        return written

    monkeypatch.setattr(LocalStore, "_save", held_up)
    if moment == "after its name":
        kept = keep()
        later(stored_files.sweep)
        assert stored() == {kept.file.name}
        return
    with pytest.raises(NotStored):
        keep()
    assert not Attachment.objects.exists()
    assert stored() == set()


@pytest.mark.django_db(transaction=True)
def test_sweep_of_another_process_keeps_an_upload_in_progress(monkeypatch: pytest.MonkeyPatch):
    """The sweep has connections of its own, and sees only what is committed."""
    save, written, go_on, kept = LocalStore._save, threading.Event(), threading.Event(), []

    def waiting(self: LocalStore, name: str, content: Any) -> str:
        found = save(self, name, content)
        written.set()
        assert go_on.wait(30)
        return found

    def upload() -> None:
        try:
            kept.append(keep())
        finally:
            connection.close()

    monkeypatch.setattr(LocalStore, "_save", waiting)
    monkeypatch.setattr(stored_files, "UNNEEDED_DAYS", -1)
    uploading = threading.Thread(target=upload)
    uploading.start()
    assert written.wait(30)
    try:
        assert stored_files.sweep() == 0
        assert attachments.keep_drafts([], draft_key="k", actor=None, limits=FileLimits()) == []
        assert not Attachment.objects.drafts("k").exists(), "no page shows it yet"
    finally:
        go_on.set()
        uploading.join()

    assert stored_files.sweep() == 0
    assert stored() == {kept[0].file.name}
    assert list(Attachment.objects.drafts("k")) == kept


class Killed(BaseException):
    pass


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ["file", "row"])
def test_killed_upload_leaves_nothing_after_a_day(monkeypatch: pytest.MonkeyPatch, moment: str):
    """Killed while the file is written, or before the row names it. The report to which it belonged lives on."""
    report = ReportDraft.objects.create(code="a", visitor="v", values={"title": ["x"]})
    save = LocalStore._give_name if moment == "file" else LocalStore._save

    def killed(self: LocalStore, *args: Any) -> str:
        if moment == "row":
            save(self, *args)
        os.link(self.path(args[0]), self.path("incoming/half")) if moment == "file" else None
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, save.__name__, killed)
        patch.setattr("django.db.models.query.QuerySet.delete", lambda self: None)  # it cannot clean up
        with pytest.raises(Killed):
            keep(key=report.files_key)
    assert Attachment.objects.get().file.name == ""
    assert not Attachment.objects.drafts(report.files_key).exists()

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        stored_files.sweep()
        assert attachments.discard_old_drafts() == 1

    assert (stored(), list(default_storage.walk("incoming"))) == (set(), [])


# --- Thumbnails -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_thumbnail_of_a_killed_process_is_adopted_once(place: str, monkeypatch: pytest.MonkeyPatch):
    kept = keep()
    for _again in range(3):
        with monkeypatch.context() as patch:
            patch.setattr("django.db.models.query.QuerySet.update", lambda self, **values: 1)
            attachments.draw_thumbnail(Attachment.objects.get())
    assert len(stored()) == 4

    assert later(stored_files.sweep) == 2
    kept.refresh_from_db()
    assert stored() == {kept.file.name, kept.thumbnail.name}
    assert default_storage.size(kept.thumbnail.name)


@pytest.mark.django_db
def test_part_of_a_thumbnail_is_not_adopted():
    kept = keep()
    default_storage.save(
        f"thumbnails/{kept.uuid.hex[:2]}/{kept.uuid.hex}.webp", ContentFile(b"RIFF\x20\0\0\0WE")
    )

    assert later(stored_files.sweep) == 1
    kept.refresh_from_db()
    assert not kept.thumbnail


@pytest.mark.django_db
def test_sweep_during_drawing_keeps_the_thumbnail(monkeypatch: pytest.MonkeyPatch):
    """It comes between the file and the row, a week later: both write the same name, and the file stays."""
    kept, save = keep(), LocalStore._save

    def held_up(self: LocalStore, name: str, content: Any) -> str:
        written = save(self, name, content)
        later(stored_files.sweep)
        return written

    monkeypatch.setattr(LocalStore, "_save", held_up)
    attachments.draw_thumbnail(kept)

    kept.refresh_from_db()
    assert stored() == {kept.file.name, kept.thumbnail.name}


# --- Full, read-only, absent ------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("kind", disks.BROKEN)
def test_upload_to_a_store_that_keeps_nothing_leaves_nothing(folder: Path, kind: str):
    with disks.BROKEN[kind](folder):
        before = sorted(path.name for path in folder.rglob("*") if path.is_file())
        for _again in range(3):
            with pytest.raises(NotStored, match="Lo demás que escribiste sigue aquí"):
                keep()
        assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == before
    assert not Attachment.objects.exists()


@pytest.mark.django_db
def test_full_disk_for_temporary_files_is_no_damaged_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The picture is decoded in a process that writes its result there."""
    with disks.disk_of(64, tmp_path / "tmp") as is_real:
        if not is_real:  # as if the process had found no room
            monkeypatch.setattr("content.files.pictures.NEARLY_NOTHING", 2**62)
            monkeypatch.setattr("content.files.pictures._exit_code", lambda *arguments: os.EX_DATAERR)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
        noise = BytesIO()
        from PIL import Image

        Image.frombytes("RGB", (300, 300), os.urandom(300 * 300 * 3)).save(noise, "PNG")
        with pytest.raises(NotStored):
            keep(content=noise)
        assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.django_db
def test_upload_that_could_not_be_received_is_no_empty_file():
    with pytest.raises(NotStored):
        keep(content=LostUpload(name="captura.png"))


@pytest.mark.django_db
def test_mute_store_is_waited_for_once(bucket: Any, monkeypatch: pytest.MonkeyPatch):
    """With five files the person would wait for minutes, and nginx for one."""
    monkeypatch.setattr(attachments, "STORE_PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr("content.stores.s3.READ_SECONDS", 0.2)
    limits = FileLimits(kinds=("image",), max_files=5)
    with socket.create_server(("127.0.0.1", 0), backlog=50) as mute:
        bucket._use(endpoint_url=f"http://127.0.0.1:{mute.getsockname()[1]}")
        mute.settimeout(0.1)
        problems = attachments.keep_drafts(
            [SimpleUploadedFile(f"{number}.png", picture().read()) for number in range(5)],
            draft_key="k", actor=None, limits=limits,
        )  # fmt: skip
        asked = 0
        with suppress(TimeoutError):
            while True:
                mute.accept()[0].close()
                asked += 1

    assert [problem.split(":")[0] for problem in problems] == [f"{number}.png" for number in range(5)]
    assert all("Ahora mismo no podemos guardar archivos" in problem for problem in problems)
    assert asked <= 2, "one file, tried twice"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", disks.BROKEN)
def test_thumbnails_wait_for_the_store(folder: Path, kind: str, caplog: pytest.LogCaptureFixture):
    """One line for each of two pictures, no traceback, no file, and they are drawn later."""
    elsewhere = folder.with_name("elsewhere")
    kept = [keep(key=str(number)) for number in range(4)]
    folder.rename(elsewhere)
    with disks.BROKEN[kind](folder):
        attachments.draw_missing_thumbnails()
    assert all(record.exc_info is None for record in caplog.records)
    assert len(caplog.records) <= len(kept)
    assert not Attachment.objects.exclude(thumbnail="").exists()
    folder.unlink() if folder.is_file() else folder.rmdir()
    elsewhere.rename(folder)

    attachments.draw_missing_thumbnails()
    assert Attachment.objects.exclude(thumbnail="").count() == len(kept)


# --- manage.py check_files --------------------------------------------------------------------------------


def check(*arguments: str) -> str:
    out = StringIO()
    call_command("check_files", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_check_lists_both_kinds_and_deletes_one_on_demand(place: str):
    whole, lost, no_thumbnail = keep(key="a"), keep(key="b"), keep(key="c")
    attachments.draw_thumbnail(whole), attachments.draw_thumbnail(no_thumbnail)
    default_storage.delete(lost.file.name), default_storage.delete(no_thumbnail.thumbnail.name)
    default_storage.save(NOBODYS, ContentFile(b"1"))
    default_storage.save("attachments/ab/notes.txt", ContentFile(b"1"))
    everything = stored()

    assert "Rows without file: 0. Files without row: 0, deleted 0." in check(), "all is younger than a day"
    out = StringIO()
    with pytest.raises(CommandError, match="lost"):
        later(call_command, "check_files", stdout=out)
    assert sorted(
        line.split()[-2] for line in out.getvalue().splitlines() if "row without" in line
    ) == sorted(str(row.uuid) for row in (lost, no_thumbnail))
    assert f"file without row: {NOBODYS}" in out.getvalue()
    assert (
        "Rows without file: 2. Files without row: 1, deleted 0. Files with names of others: 1."
        in out.getvalue()
    )
    assert stored() == everything

    Attachment.objects.filter(pk__in=[lost.pk, no_thumbnail.pk]).delete()
    assert "Rows without file: 0. Files without row: 2, deleted 2." in later(check, "--delete")
    assert stored() == {whole.file.name, whole.thumbnail.name, "attachments/ab/notes.txt"}
    assert "Files without row: 0" in later(check)


@pytest.mark.django_db
def test_check_says_that_the_store_is_away(bucket: Any):
    bucket.take_away()
    with pytest.raises(CommandError, match="cannot be read"):
        check()


@pytest.mark.django_db
def test_check_reads_as_many_rows_whatever_there_are(django_assert_max_num_queries: Any):
    for number in range(3):
        keep(key=str(number), content=picture())
    with django_assert_max_num_queries(256 + 3):
        later(check)
