"""Both stores: files are whole or not there, errors have one name, and nothing unfinished stays."""

import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from content.stores import INCOMING, StoreUnavailable
from content.stores.local import LocalStore
from content.tests import disks
from content.tests.object_store import Bucket


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "folder":
        return LocalStore(location=tmp_path / "media")
    request.getfixturevalue("bucket")
    return default_storage


def read(store: Any, name: str) -> bytes:
    with store.open(name) as file:
        return bytes(file.read())


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_file_is_read_whole_and_in_parts(store: Any):
    name = store.save("attachments/ab/abc", ContentFile(b"0123456789"))

    assert (name, store.size(name), store.exists(name)) == ("attachments/ab/abc", 10, True)
    assert read(store, name) == b"0123456789"
    part = store.part(name, 3, 4)
    assert part.read(2) == b"34"
    part.close()
    none = store.part(name, 0, 0)
    assert none.read(0) == b""
    none.close()


def test_no_file_replaces_another(store: Any):
    first, second = (store.save("attachments/ab/abc", ContentFile(text)) for text in (b"one", b"two"))

    assert first != second
    assert [read(store, name) for name in (first, second)] == [b"one", b"two"]


def test_lost_file_is_no_error_of_the_store(store: Any):
    store.save("attachments/ab/abc", ContentFile(b"1"))
    for ask in (store.size, store.open, lambda name: store.part(name, 0, 1).read()):
        with pytest.raises(FileNotFoundError):
            ask("attachments/ab/lost")
    assert not store.exists("attachments/ab/lost")
    store.delete("attachments/ab/lost")


def test_walk_lists_the_files_of_a_folder_in_order(store: Any):
    names = [f"attachments/{start}/{start}x" for start in ("00", "01", "10", "ff")]
    for name in [*reversed(names), "thumbnails/00/00x.webp"]:
        store.save(name, ContentFile(b"1"))

    found = list(store.walk("attachments"))

    assert [file.name for file in found] == names
    assert all(abs(file.modified - datetime.now(UTC)) < timedelta(minutes=1) for file in found)
    assert [file.name for file in store.walk("attachments", after="attachments/01/01x")] == names[2:]
    assert [file.name for file in store.walk("attachments", after="attachments/02")] == names[2:]
    assert list(store.walk("absent")) == []


def test_probe_leaves_nothing(store: Any, request: pytest.FixtureRequest):
    assert store.probe() in ({}, {"free_mb": pytest.approx(disks.free_bytes(Path("/")) // 10**6, abs=10**6)})

    if isinstance(store, LocalStore):
        assert files_below(Path(store.location)) == []
    else:
        bucket: Bucket = request.getfixturevalue("bucket")
        assert bucket.names() == set()
        assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)


# --- A store that does not work ---------------------------------------------------------------------------


@pytest.fixture(params=[*disks.BROKEN, "unreachable", "refusing"])
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A store that can keep nothing."""
    if kind := disks.BROKEN.get(request.param):
        with kind(tmp_path / "media"):
            yield LocalStore(location=tmp_path / "media")
        return
    bucket = request.getfixturevalue("bucket")
    bucket.take_away() if request.param == "unreachable" else bucket.refuse()
    yield default_storage


def test_store_that_keeps_nothing_says_so(broken: Any):
    for act in (lambda: broken.save("attachments/ab/abc", ContentFile(bytes(100_000))), broken.probe):
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            act()
        assert time.monotonic() - started < 20


def test_mute_server_is_not_waited_for_long(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    """It takes connections and never answers."""
    monkeypatch.setattr("content.stores.s3.READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        bucket.url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        bucket._use(endpoint_url=bucket.url)
        started = time.monotonic()
        for act in (lambda: default_storage.save("a", ContentFile(b"1")), default_storage.probe):
            with pytest.raises(StoreUnavailable):
                act()
        assert time.monotonic() - started < 10


def test_upload_that_does_not_fit_leaves_the_disk_as_it_was(tmp_path: Path):
    """A first file fits, a larger one does not, and then the same small one fits again."""
    folder = tmp_path / "media"
    with disks.disk_of(64, folder) as is_real:
        store = LocalStore(location=folder)
        for _again in range(3):
            with nullcontext() if is_real else no_file_above(50_000):
                kept = store.save("attachments/ab/small", ContentFile(bytes(30_000)))
                with pytest.raises(StoreUnavailable):
                    store.save("attachments/ab/large", ContentFile(bytes(60_000)))
            assert files_below(folder) == [kept]
            store.delete(kept)
        assert files_below(folder) == []


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let the system write no file of this process beyond `size`: for machines on which no disk can be mounted."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# --- Killed in the middle ---------------------------------------------------------------------------------


def test_name_appears_only_with_the_whole_file(tmp_path: Path):
    """Another process looks between two chunks."""
    store, seen = LocalStore(location=tmp_path), []

    class Slow(File):
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            for _part in range(3):
                yield b"x" * 1000
                seen.append((store.exists("attachments/ab/abc"), files_below(tmp_path)))

    store.save("attachments/ab/abc", Slow(ContentFile(b"").file))

    assert [exists for exists, _files in seen] == [False] * 3
    assert all(file.startswith(f"{INCOMING}/") for _exists, files in seen for file in files)
    assert files_below(tmp_path) == ["attachments/ab/abc"]
    assert store.size("attachments/ab/abc") == 3000


def test_two_writers_of_one_name_keep_both_files(tmp_path: Path):
    store, names = LocalStore(location=tmp_path), []
    ready = threading.Barrier(2)

    def write(text: bytes) -> None:
        ready.wait()
        names.append(store.save("thumbnails/ab/abc.webp", ContentFile(text)))

    writers = [threading.Thread(target=write, args=[text]) for text in (b"one", b"two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(set(names)) == 2
    assert {read(store, name) for name in names} == {b"one", b"two"}


def begun_in(store: Any, bucket: Callable[[], Bucket]) -> Callable[[], int]:
    """Begin a file that nobody finishes. Returns a function that counts such files."""
    if isinstance(store, LocalStore):
        folder = Path(store.path(INCOMING))
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"1")
        return lambda: len(os.listdir(folder))
    client, name = bucket().client, bucket().name
    client.create_multipart_upload(Bucket=name, Key="attachments/ab/abc")
    client.create_multipart_upload(Bucket=name, Key="of-another-program/abc")
    return lambda: len(client.list_multipart_uploads(Bucket=name).get("Uploads", ())) - 1


def test_unfinished_files_are_forgotten(store: Any, request: pytest.FixtureRequest):
    count = begun_in(store, lambda: request.getfixturevalue("bucket"))

    assert (
        store.forget_unfinished(datetime(2001, 1, 1, tzinfo=UTC), "attachments") == 0
    )  # moto dates them 2010
    assert count() == 1
    assert store.forget_unfinished(datetime.now(UTC) + timedelta(seconds=5), "attachments") == 1
    assert count() == 0
