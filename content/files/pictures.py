"""Re-encode images, which removes everything from the file except the picture, and make thumbnails.

Decoding takes memory and seconds: call these functions outside transactions.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from django.utils.translation import gettext_lazy as _
from PIL import Image

from .errors import RefusedFile
from .formats import HEAD_BYTES, sniff
from .images import DamagedImage, measure
from .streams import Source, read_at, size_of

MAX_PIXELS = 40_000_000
MAX_FRAMES = 1000
_QUALITY = {"JPEG": {"quality": 90, "optimize": True}, "WEBP": {"quality": 90}, "PNG": {}, "GIF": {}}
_OF_AN_ANIMATION = {"loop", "duration", "transparency", "background"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DECODING = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    struct.error,
    Image.DecompressionBombError,
)


def reencode_image(file: Source, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Return the picture in the same format without metadata (place, camera, owner, comments, embedded files).

    The EXIF rotation of a still image is applied to its pixels. Animated GIF and WebP stay animated. Raises
    `RefusedFile` if the image cannot be decoded completely or has too many pixels.
    """
    with _decoded(file, max_pixels) as image:
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        target = BytesIO()
        if getattr(image, "n_frames", 1) > 1 and kind in {"GIF", "WEBP"}:
            image.info = {key: value for key, value in image.info.items() if key in _OF_AN_ANIMATION}
            image.save(target, kind, save_all=True, **_QUALITY[kind])
        else:
            _bare(image, kind).save(target, kind, **_QUALITY[kind])
        return target.getvalue()


def make_thumbnail(file: Source, size: int | tuple[int, int], *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Return a WebP that fits into `size` (width and height in pixels, or one number for both), upright and without
    metadata. Smaller images keep their size. Raises `RefusedFile`."""
    box = (size, size) if isinstance(size, int) else size
    with _decoded(file, max_pixels) as image:
        largest = 2 * max(box)
        image.draft("RGB", (largest, largest))  # a JPEG is then decoded at a reduced size, which is faster
        picture = _bare(image, "WEBP")
        picture.thumbnail(box)
        target = BytesIO()
        picture.save(target, "WEBP", quality=80)
        return target.getvalue()


def _bare(image: Image.Image, kind: str) -> Image.Image:
    """Return an upright copy in a mode that the format `kind` can store, without metadata except transparency."""
    turn = _TURNS.get(_orientation(image))
    picture = image.transpose(turn) if turn is not None else image.copy()
    picture.info = {key: value for key, value in picture.info.items() if key == "transparency"}
    if kind == "JPEG" and picture.mode not in {"L", "RGB"}:
        picture = picture.convert("RGB")
    if kind == "WEBP" and picture.mode not in {"RGB", "RGBA"}:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, or 1 (upright) if it cannot be read: a picture with broken metadata is accepted."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except (*_DECODING, TypeError, AttributeError):
        return 1


@contextmanager
def _decoded(file: Source, max_pixels: int) -> Iterator[Image.Image]:
    """Open `file` as an image for the `with` block and rewind it afterwards. Raises `RefusedFile`, also for errors of
    decoding inside the block."""
    try:
        check_pixels(file, sniff(read_at(file, 0, HEAD_BYTES)), size_of(file), max_pixels=max_pixels)
        file.seek(0)
        with Image.open(file, formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
            yield image
    except _DECODING as error:
        raise damaged() from error
    finally:
        file.seek(0)


def check_pixels(file: Source, key: str, size: int, *, max_pixels: int) -> None:
    """Check the pixels and frames of an image of format `key` without decoding it. Its file has `size` bytes.

    Raises `RefusedFile` for a damaged image, more than `MAX_FRAMES` frames or more than `max_pixels` in all frames
    together.
    """
    try:
        found = measure(file, key, size)
    except (DamagedImage, KeyError) as error:
        raise damaged() from error
    if found.width * found.height > max_pixels:
        raise RefusedFile(
            _(
                "La imagen mide {width} × {height} puntos, más de los que podemos abrir. Redúcela o recórtala."
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
