"""Pictures are decoded in a process with limits on memory and time, and only a few at once (content.files.pictures)."""

import gc
import io
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile

from content.files import RefusedFile, make_thumbnail, pictures, reencode_image
from content.files.slots import NoSlot, slot

from . import hostile_files as made
from . import hostile_pictures as hostile

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
PER_UPLOAD = 16 * MIB
"""What an upload may cost the web process, whatever the picture is."""
LINUX = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads /proc")


@pytest.fixture(autouse=True)
def own_slots(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def status(name: str, pid: int | str = "self") -> int:
    """Return a line of /proc/<pid>/status in bytes."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def children() -> list[int]:
    """Return the running decoder processes of this process."""
    mine = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and b"decoder.py" in (entry / "cmdline").read_bytes():
                mine.append(int(entry.name))
        except (OSError, IndexError):
            continue
    return mine


@contextmanager
def watched() -> Iterator[dict[str, int]]:
    """Measure in the `with` block how much this process grows, and what its decoder processes have at most together."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    before, found, done = status("VmRSS"), {"together": 0, "at_once": 0, "grown": 0}, threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            running = children()
            sizes = [status("VmRSS", pid) for pid in running if Path(f"/proc/{pid}/status").exists()]
            found["together"] = max(found["together"], sum(sizes))
            found["at_once"] = max(found["at_once"], len(sizes))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()
        found["grown"] = status("VmHWM") - before


LIMIT = 16_000_000
HOSTILE = {
    "webp of the attack": (lambda: hostile.flat_picture("WEBP", (6324, 6324), "RGB", lossless=True), "pixels"),
    "lossless webp": (lambda: hostile.flat_picture("WEBP", (2400, 2000), "RGBA", lossless=True), ""),
    "png": (lambda: hostile.flat_png(4000), ""),
    "interlaced png": (lambda: hostile.flat_png(4000, interlaced=True), ""),
    "progressive jpeg": (lambda: hostile.flat_picture("JPEG", (4000, 4000), "RGB", progressive=True), ""),
    "ink jpeg": (lambda: hostile.flat_picture("JPEG", (4000, 4000), "CMYK", icc_profile=hostile.ink_profile()), ""),
    "gif": (lambda: hostile.flat_picture("GIF", (4000, 4000), "P"), ""),
    "long gif": (lambda: made.animation("GIF", 900, (130, 130)), ""),
    "long webp": (lambda: made.animation("WEBP", 90, (400, 400)), ""),
    "long png": (lambda: made.animation("PNG", 90, (400, 400)), ""),
    "png with a text that swells": (lambda: hostile.flat_png(20, chunks=hostile.swollen(b"zTXt")), "damaged"),
    "png with a text in utf-8 that swells": (
        lambda: hostile.flat_png(20, chunks=hostile.swollen(b"iTXt")), "damaged",
    ),
    "png with a profile that swells": (lambda: hostile.flat_png(20, chunks=hostile.swollen(b"iCCP")), "damaged"),
}  # fmt: skip


@LINUX
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_picture_costs_the_web_process_nothing(case, caplog):
    make, code = HOSTILE[case]
    data = make()
    assert len(data) < 1_500_000
    caplog.set_level(logging.DEBUG, "content.files.pictures")

    with watched() as found:
        try:
            reencode_image(io.BytesIO(data), max_pixels=LIMIT).close()
            refused = ""
        except RefusedFile as problem:
            refused = problem.code

    assert refused == code
    assert found["grown"] < PER_UPLOAD
    if code != "pixels":  # these are refused before a process starts
        peak = int(re.findall(r"VmHWM: (\d+) kB", caplog.text)[-1]) * 1024
        assert 0 < peak <= pictures.memory_limit(LIMIT)


@LINUX
def test_parallel_uploads_share_the_memory_of_two(settings):
    settings.DESK_PICTURES_AT_ONCE = 2
    data = hostile.flat_picture("WEBP", (2000, 1500), "RGBA", lossless=True)

    with watched() as found, ThreadPoolExecutor(6) as threads:
        for result in threads.map(lambda _number: reencode_image(io.BytesIO(data)), range(6)):
            result.close()

    assert found["at_once"] == 2
    assert found["together"] <= 2 * pictures.memory_limit(pictures.MAX_PIXELS)
    assert found["grown"] < 6 * PER_UPLOAD


@LINUX
@pytest.mark.parametrize(
    ("kind", "size", "memory"),
    [("WEBP", (2000, 1600), 90), ("PNG", (3200, 3200), 45), ("JPEG", (3200, 3200), 75)],
)
def test_picture_over_the_memory_limit_is_refused(kind, size, memory, monkeypatch):
    """A decoder that needs more than we know of is stopped by the limit of its process."""
    monkeypatch.setattr(pictures, "memory_limit", lambda _pixels: memory * MIB)

    with pytest.raises(RefusedFile) as refused:
        reencode_image(io.BytesIO(hostile.flat_picture(kind, size, "RGB")))

    assert refused.value.code == "memory"


def test_picture_that_takes_too_long_is_refused(monkeypatch):
    data = io.BytesIO(hostile.flat_picture("JPEG", (6300, 6300), "RGB", progressive=True))
    monkeypatch.setattr(pictures, "SECONDS", 0.01)
    with pytest.raises(RefusedFile) as refused:
        reencode_image(data)
    assert refused.value.code == "slow"

    monkeypatch.undo()
    monkeypatch.setattr(pictures, "CPU_SECONDS", 0)
    with pytest.raises(RefusedFile) as refused:
        reencode_image(data)
    assert refused.value.code == "slow"


@LINUX
def test_picture_whose_process_is_killed_is_refused():
    """So does the kernel when the machine has no memory left."""
    data = io.BytesIO(hostile.flat_png(6000))

    with ThreadPoolExecutor(1) as thread:
        upload = thread.submit(reencode_image, data)
        while not (running := children()):
            time.sleep(0.005)
        os.kill(running[0], signal.SIGKILL)
        with pytest.raises(RefusedFile) as refused:
            upload.result(timeout=30)

    assert refused.value.code == "memory"
    assert "captura" in str(refused.value)
    with reencode_image(io.BytesIO(made.image("PNG"))) as result:
        assert result.read(), "the slot is free again"


def test_uploads_wait_for_a_slot_and_are_refused_when_too_many_wait(settings, monkeypatch):
    settings.DESK_PICTURES_AT_ONCE = 1
    monkeypatch.setattr(pictures, "WAITING_SECONDS", 0.2)
    photo = io.BytesIO(made.image("PNG"))
    folder = settings.VAR_DIR / "pictures"
    started = time.monotonic()
    with slot(folder, "upload", count=1, waiting=0, seconds=0):
        with pytest.raises(RefusedFile, match="Espera un minuto") as refused:
            reencode_image(photo)
        assert time.monotonic() - started >= 0.2
        assert make_thumbnail(photo, 20), "thumbnails have slots of their own"
    assert refused.value.code == "busy"
    assert photo.tell() == 0

    monkeypatch.setattr(pictures, "WAITING_SECONDS", 60)
    with ExitStack() as taken:
        taken.enter_context(slot(folder, "upload", count=1, waiting=0, seconds=0))
        for _each in range(pictures.WAITING_PER_SLOT):
            taken.enter_context(slot(folder, "upload-waiting", count=3, waiting=0, seconds=0))
        with pytest.raises(pictures.PicturesBusy):
            reencode_image(photo)


def test_slot_is_free_when_its_process_ends(tmp_path):
    read, write = os.pipe()
    with slot(tmp_path, "s", count=1, waiting=0, seconds=0) as taken:
        os.set_inheritable(taken, True)
        os.set_inheritable(read, True)
        pid = os.posix_spawn("/bin/cat", ["cat"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, read, 0),
                             (os.POSIX_SPAWN_CLOSE, write)])  # fmt: skip
    try:
        with pytest.raises(NoSlot), slot(tmp_path, "s", count=1, waiting=0, seconds=0):
            pass
    finally:
        os.close(write)
        os.close(read)
        os.waitpid(pid, 0)
    with slot(tmp_path, "s", count=1, waiting=0, seconds=0):
        pass


def test_decoder_gets_no_secret_of_the_server(monkeypatch, tmp_path):
    """What breaks into a decoder must not find the settings."""
    monkeypatch.setenv("SECRET_KEY", "no-lo-digas")
    spy = tmp_path / "spy.py"
    spy.write_text("import os\nos.write(1, repr((dict(os.environ), os.getcwd())).encode())\n")
    monkeypatch.setattr(pictures, "_DECODER", spy)

    with reencode_image(io.BytesIO(made.image("PNG"))) as result:
        seen = result.read()

    assert b"PATH" in seen
    assert b"no-lo-digas" not in seen
    assert b"SETTINGS_MODULE" not in seen
    assert str(Path.cwd()).encode() not in seen


def test_upload_on_disk_is_read_without_a_copy_and_can_be_read_again():
    data = made.image("PNG", (300, 200))
    with TemporaryUploadedFile("a.png", "image/png", 0, None) as upload:
        upload.write(data)
        upload.seek(5)
        upload.read(3)
        with reencode_image(upload) as result:
            assert made.size_of_picture(result.read()) == (300, 200)
        assert upload.read() == data


def test_broken_decoder_is_logged_as_an_error(monkeypatch, tmp_path, caplog):
    broken = tmp_path / "decoder.py"
    broken.write_text("import no_such_module\n")
    monkeypatch.setattr(pictures, "_DECODER", broken)

    with pytest.raises(RefusedFile):
        reencode_image(io.BytesIO(made.image("PNG")))

    assert "no_such_module" in caplog.text
    assert [record.levelname for record in caplog.records][-1] == "ERROR"
