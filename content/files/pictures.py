"""Re-encode images, which removes everything from the file except the picture, and make thumbnails.

`decoder` does it in a process with limits on memory and time, because a picture of two kilobytes can take a gigabyte to
open. A machine decodes only a few pictures at the same time. Call these functions outside transactions.
"""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .errors import RefusedFile
from .formats import HEAD_BYTES, sniff
from .images import DamagedImage, measure
from .slots import NoSlot, slot
from .streams import MB, Source, chunks, read_at, size_of

logger = logging.getLogger(__name__)

MAX_PIXELS = 40_000_000
MAX_FRAMES = 1000
SHARE = {"webp": 0.3}
"""Share of the pixels that one picture of this format may have. To decode and encode a pixel takes up to 10 bytes, in
WebP 33: its decoder keeps three copies and its encoder works on another."""
MIB = 1024 * 1024
BASE_MEMORY = 64 * MIB
BYTES_PER_PIXEL = 10
CPU_SECONDS = 20
SECONDS = 40
"""A decoder process that has not finished by then is killed; it may have waited for the processor for most of it."""
NEARLY_NOTHING = 64 * 1024
"""A disk with fewer free bytes is full."""
WAITING_SECONDS = 10
WAITING_PER_SLOT = 3
"""Uploads that may wait for each decoder process."""

_DECODER = Path(__file__).with_name("decoder.py")
_PASSED_ON = ("LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH")


class PicturesBusy(RefusedFile):
    """No picture can be decoded right now. The same file may be accepted a minute later."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "En este momento estamos revisando muchas imágenes. Espera un minuto y adjúntala otra vez; "
                "lo demás que escribiste sigue aquí."
            ),
            code="busy",
        )


class _Job(NamedTuple):
    """One picture for `decoder`. `queue` names its slots: uploads and thumbnails do not wait for each other."""

    queue: str
    at_once: int
    box: tuple[int, int] | None = None


def reencode_image(file: Source, *, max_pixels: int = MAX_PIXELS) -> IO[bytes]:
    """Return an open temporary file with the picture in the same format, upright, in sRGB and without metadata (place,
    camera, owner, comments, embedded files). Animations stay animated.

    Raises `RefusedFile` if the picture cannot be decoded completely, or takes too much memory or time; `OSError` if the
    disk for temporary files is full.
    """
    return _decoded(file, _Job("upload", settings.DESK_PICTURES_AT_ONCE), max_pixels)


def make_thumbnail(file: Source, size: int | tuple[int, int], *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Return a WebP that fits into `size` (width and height in pixels, or one number for both), upright, in sRGB and
    without metadata. Smaller images keep their size; of an animation the first frame is drawn. Raises `RefusedFile`."""
    box = (size, size) if isinstance(size, int) else size
    with _decoded(file, _Job("thumbnail", 1, box), max_pixels) as result:
        return result.read()


def memory_limit(max_pixels: int) -> int:
    """Return the bytes that a decoder process may use for pictures of up to `max_pixels`."""
    return BASE_MEMORY + BYTES_PER_PIXEL * max_pixels


def _decoded(file: Source, job: _Job, max_pixels: int) -> IO[bytes]:
    """Check the picture's pixels, decode it in a process of its own and rewind `file`. Returns the open result."""
    try:
        size = size_of(file)
        check_pixels(file, sniff(read_at(file, 0, HEAD_BYTES)), size, max_pixels=max_pixels)
        order = {
            "memory": memory_limit(max_pixels),
            "seconds": CPU_SECONDS,
            "written": 8 * MB + 8 * size,
            "max_pixels": max_pixels,
            "box": job.box,
        }
        places = {
            "count": job.at_once,
            "waiting": WAITING_PER_SLOT * job.at_once,
            "seconds": WAITING_SECONDS,
        }
        with slot(settings.VAR_DIR / "pictures", job.queue, **places) as taken, _on_disk(file) as source:
            return _run(order, source, taken)
    except NoSlot as error:
        raise PicturesBusy from error
    finally:
        file.seek(0)


@contextmanager
def _on_disk(file: Source) -> Iterator[int]:
    """Give the descriptor of `file`, or of a temporary copy if the file is only in memory.

    The process reads it without moving the position that it shares with `file`.
    """
    try:
        file.flush()
        descriptor = file.fileno()
    except (AttributeError, OSError, ValueError):
        with TemporaryFile() as copy:
            for data in chunks(file):
                copy.write(data)
            copy.flush()
            yield copy.fileno()
    else:
        yield descriptor


def _run(order: dict[str, Any], source: int, taken: int) -> IO[bytes]:
    """Run `decoder` on the picture. Returns its result, rewound. Raises `RefusedFile`."""
    result = TemporaryFile()  # noqa: SIM115  (the caller closes it)
    try:
        with TemporaryFile() as errors:
            code = _exit_code(order, source, taken, result, errors)
            errors.seek(0)
            last = errors.read().decode("utf-8", "replace").strip()[-500:]
        if code != os.EX_OK:
            _require_room(result)
            logger.warning("a picture is refused, exit code %s: %s", code, last)
            raise _refused(code)
        logger.debug("a picture is decoded: %s", last)
        result.seek(0)
    except BaseException:
        result.close()
        raise
    return result


def _require_room(file: IO[bytes]) -> None:
    """Raise `OSError` if the disk of `file` is full: then the picture failed because its result did not fit. Pillow
    reports that in many ways, like a damaged picture."""
    disk = os.fstatvfs(file.fileno())
    if disk.f_bavail * disk.f_frsize < NEARLY_NOTHING:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _exit_code(
    order: dict[str, Any], source: int, taken: int, result: IO[bytes], errors: IO[bytes]
) -> int | None:
    """Run `decoder` and return its exit code, or None if it is killed after `SECONDS`."""
    # Another folder and hardly any variables: a flaw in a decoder finds neither SECRET_KEY nor a password.
    with subprocess.Popen(  # noqa: S603  (nothing of it comes from people)
        [sys.executable, "-P", str(_DECODER), json.dumps(order)],
        stdin=source,
        stdout=result,
        stderr=errors,
        pass_fds=(taken,),
        cwd="/",
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
    ) as process:
        try:
            return process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            return None
        finally:
            process.kill()


def _refused(code: int | None) -> RefusedFile:
    """Return the error for the exit code of `decoder`. A negative one is the number of a signal; None stands for a
    process that did not end in time."""
    if code in {os.EX_OSERR, -signal.SIGKILL}:  # the kernel kills it when the machine has no memory left
        return RefusedFile(
            _("La imagen ocupa demasiado al abrirla. Redúcela, o haz una captura, y adjunta la copia."),
            code="memory",
        )
    if code in {None, -signal.SIGXCPU}:
        return RefusedFile(
            _("La imagen tarda demasiado en abrirse. Redúcela, o haz una captura, y adjunta la copia."),
            code="slow",
        )
    if code not in {os.EX_DATAERR, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS}:
        logger.error("the picture decoder does not work: exit code %s", code)
    return damaged()


def check_pixels(file: Source, key: str, size: int, *, max_pixels: int) -> None:
    """Check the pixels and frames of an image of format `key` without decoding it. Its file has `size` bytes.

    Raises `RefusedFile` for a damaged image, for one that is larger than its format's share of `max_pixels`, and for
    more than `MAX_FRAMES` frames or `max_pixels` in all frames together.
    """
    try:
        found = measure(file, key, size)
    except (DamagedImage, KeyError) as error:
        raise damaged() from error
    pixels = found.width * found.height
    if pixels > max_pixels:
        raise RefusedFile(
            _(
                "La imagen mide {width} × {height} puntos, más de los que podemos abrir. Redúcela o recórtala."
            ),
            code="pixels",
            width=found.width,
            height=found.height,
        )
    if pixels > max_pixels * SHARE.get(key, 1):
        raise RefusedFile(
            _(
                "La imagen mide {width} × {height} puntos, demasiados para este formato. Guárdala como JPG, o "
                "redúcela, y adjunta la copia."
            ),
            code="pixels",
            width=found.width,
            height=found.height,
        )
    if found.frames > 1 and (found.frames > MAX_FRAMES or found.pixels > max_pixels):
        raise RefusedFile(
            _("La animación es demasiado larga ({frames} cuadros). Adjunta un video o una captura."),
            code="pixels",
            frames=found.frames,
        )


def damaged() -> RefusedFile:
    """Return the error for a damaged image, to be raised."""
    return RefusedFile(
        _("La imagen está dañada o incompleta. Ábrela, guárdala de nuevo y adjunta la copia."), code="damaged"
    )
