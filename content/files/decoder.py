"""Decode one picture and write it anew, in a process of its own that may use little memory and time.

`pictures` starts this file as a script: the picture is the standard input, the result goes to the standard output, and
the exit code says why there is none: `os.EX_DATAERR` for a damaged picture, `os.EX_OSERR` for one that needs too much
memory. It imports neither Django nor our packages: it starts in 80 ms, and a flaw in a decoder finds no settings and
no database here.
"""

import io
import json
import os
import resource
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO, Any

from PIL import Image, ImageCms, PngImagePlugin

_QUALITY: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90, "optimize": True},
    "WEBP": {"quality": 90},
    "PNG": {},
    "GIF": {},
}
_ANIMATED = {"GIF", "WEBP", "PNG"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}
DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
    struct.error,
)
"""Errors that Pillow raises for a picture that it cannot decode or encode."""
_SHRINKS = {"L", "RGB", "RGBA", "CMYK"}  # modes whose pixels Pillow can average
_COLOURS_OF_PNG = (b"gAMA", b"cHRM", b"cICP")
_CHUNKS_BEFORE_PIXELS = 200
_WEBP_ANIMATED, _WEBP_ALPHA = 0x02, 0x10


class _TooManyPixels(ValueError):
    """The decoder found more pixels than `images.measure` did."""


def reencode(source: IO[bytes], target: IO[bytes], *, max_pixels: int) -> None:
    """Write the picture in the same format without metadata (place, camera, owner, comments, embedded files).

    It is upright, whatever its EXIF orientation was, and its colours are those of sRGB, because the colour profile is
    metadata too. GIF, WebP and PNG keep their animation.
    """
    image = _open(source, max_pixels)
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    if kind in _ANIMATED and getattr(image, "n_frames", 1) > 1:
        _save_animation(image, target, kind)
        return
    options = dict(_QUALITY[kind])
    if kind == "PNG" and "icc_profile" not in image.info:
        options["pnginfo"] = _colours_of_png(source)
    _save(_bare(image, kind), target, kind, **options)


def thumbnail(source: IO[bytes], target: IO[bytes], *, max_pixels: int, box: tuple[int, int]) -> None:
    """Write a WebP of the first frame that fits into `box`. Smaller pictures keep their size."""
    image = _open(source, max_pixels)
    largest = 2 * max(box)
    image.draft("RGB", (largest, largest))  # a JPEG is then decoded at a reduced size, which is faster
    if image.mode in _SHRINKS:  # shrink it first: everything else is then cheap
        image.thumbnail(box[::-1] if _turn_of(image) in _SIDEWAYS else box)
        picture = _bare(image, "WEBP")
    else:
        picture = _bare(image, "WEBP")
        picture.thumbnail(box)
    _save(picture, target, "WEBP", quality=80)


def _save(picture: Image.Image, target: IO[bytes], kind: str, **options: Any) -> None:
    """Encode a picture that has been decoded. It cannot be damaged any more, so an error means that there is too little
    memory or that the result is too large; encoders report that in many ways. Raises `MemoryError`."""
    try:
        picture.save(target, kind, **options)
        target.flush()
    except DAMAGED as error:
        raise MemoryError(str(error)) from error


def _open(source: IO[bytes], max_pixels: int) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None  # ours is the limit; Pillow's own would only warn
    image = Image.open(_with_alpha(source), formats=("PNG", "JPEG", "GIF", "WEBP"))
    if image.width * image.height > max_pixels:
        raise _TooManyPixels
    return image


def _with_alpha(source: IO[bytes]) -> IO[bytes]:
    """Return `source`, or a copy in memory of an animated WebP that announces transparency.

    libwebp writes a transparent animation without announcing it if every frame is opaque where it draws. Browsers leave
    the rest transparent, Pillow would make it black. Pillow reads a WebP into memory anyway.
    """
    head = source.read(21)
    source.seek(0)
    if not (head[8:16] == b"WEBPVP8X" and head[20:] and head[20] & _WEBP_ANIMATED):
        return source
    data = bytearray(source.read())
    data[20] |= _WEBP_ALPHA
    return io.BytesIO(data)


# --- One picture ------------------------------------------------------------------------------------------


def _bare(image: Image.Image, kind: str) -> Image.Image:
    """Return the picture upright, in sRGB and in a mode that the format `kind` can store. Of its metadata only
    transparency stays. Closes `image` if it had to be copied, so that no more than two copies are in memory."""
    turn = _turn_of(image)
    image.load()
    picture = image
    if turn is not None:
        picture = _instead_of(picture, picture.transpose(turn))
    picture = _in_srgb(picture)
    picture.info = {key: value for key, value in picture.info.items() if key == "transparency"}
    if picture.mode.startswith("I;16") and kind != "PNG":
        picture = _instead_of(picture, picture.point(lambda value: value / 256).convert("L"))
    if kind == "JPEG" and picture.mode not in {"L", "RGB"}:
        picture = _instead_of(picture, picture.convert("RGB"))
    if kind == "WEBP" and picture.mode not in {"RGB", "RGBA"}:
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        picture = _instead_of(picture, picture.convert(mode))
    return picture


def _instead_of(old: Image.Image, new: Image.Image) -> Image.Image:
    """Release the pixels of `old` and return `new`."""
    if new is not old:
        old.close()
    return new


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    """Return how to turn the picture upright, or None if it is upright or its orientation cannot be read: a picture
    with broken metadata is accepted."""
    try:
        return _TURNS.get(int(image.getexif().get(0x0112, 1)))
    except DAMAGED:
        return None


# --- Colours ----------------------------------------------------------------------------------------------


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Return the picture with the colours that its profile means, as sRGB. Without a profile, with a broken one or with
    one for other kinds of pixels it is returned unchanged, as browsers show it."""
    profile = picture.info.get("icc_profile")
    if not profile:
        return picture
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = given.profile.xcolor_space.strip()
        return _SPACES[space](picture, given) if space in _SPACES else picture
    except (ImageCms.PyCMSError, *DAMAGED):
        return picture


def _from_rgb(picture: Image.Image, given: ImageCms.ImageCmsProfile) -> Image.Image:
    if picture.mode == "RGB" and "transparency" in picture.info:  # a colour, which would change
        picture = _instead_of(picture, picture.convert("RGBA"))
    if picture.mode in {"RGB", "RGBA"}:
        return _converted(picture, given, picture.mode)
    if picture.mode == "P" and picture.palette is not None and picture.palette.mode == "RGB":
        colours = bytes(picture.getpalette() or ())
        strip = Image.frombytes("RGB", (len(colours) // 3, 1), colours)
        picture.putpalette(_converted(strip, given, "RGB").tobytes())
    return picture


def _from_grey(picture: Image.Image, given: ImageCms.ImageCmsProfile) -> Image.Image:
    if picture.mode == "L" and "transparency" in picture.info:
        picture = _instead_of(picture, picture.convert("LA"))
    if picture.mode == "L":
        return _instead_of(picture, _converted(picture, given, "RGB")).convert("L")
    if picture.mode == "LA":
        grey, alpha = picture.split()
        return Image.merge("LA", (_converted(grey, given, "RGB").convert("L"), alpha))
    return picture


def _from_cmyk(picture: Image.Image, given: ImageCms.ImageCmsProfile) -> Image.Image:
    if picture.mode == "CMYK":
        return _instead_of(picture, _converted(picture, given, "RGB"))
    return picture


_SPACES: dict[str, Callable[[Image.Image, ImageCms.ImageCmsProfile], Image.Image]] = {
    "RGB": _from_rgb,
    "GRAY": _from_grey,
    "CMYK": _from_cmyk,
}


def _converted(picture: Image.Image, given: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    """Return the picture in sRGB; changed in place if its mode stays the same."""
    change = ImageCms.buildTransform(given, ImageCms.createProfile("sRGB"), picture.mode, mode)
    if picture.mode != mode:
        return change.apply(picture)
    return change.apply_in_place(picture)


def _colours_of_png(source: IO[bytes]) -> PngImagePlugin.PngInfo:
    """Return the chunks that say what the colours of a PNG without a profile mean. They are numbers, so they stay."""
    kept = PngImagePlugin.PngInfo()
    offset = 8
    for _ in range(_CHUNKS_BEFORE_PIXELS):
        source.seek(offset)
        header = source.read(8)
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if kind in {b"IDAT", b""}:
            break
        if kind in _COLOURS_OF_PNG and length <= 32:
            kept.add(kind, source.read(length))
        offset += 12 + length
    return kept


# --- Animations -------------------------------------------------------------------------------------------


def _save_animation(image: Image.Image, target: IO[bytes], kind: str) -> None:
    """Write all frames with their durations and the number of repetitions."""
    options = {**_QUALITY[kind], **{key: image.info[key] for key in ("loop",) if key in image.info}}
    first_is_apart = kind == "PNG" and bool(
        image.info.get("default_image")
    )  # programs without animation show it
    durations: list[float] = []
    first, *others = _frames(image, kind, durations)
    if kind == "PNG":
        options["default_image"] = first_is_apart
    if kind == "GIF" and any(frame.has_transparency_data for frame in (first, *others)):
        options["disposal"] = 2  # else the frame before would show through
    _save(
        first,
        target,
        kind,
        save_all=True,
        append_images=others,
        duration=durations[first_is_apart:],
        **options,
    )


def _frames(image: Image.Image, kind: str, durations: list[float]) -> Iterator[Image.Image]:
    """Yield the frames and add their durations in milliseconds to `durations`."""
    turn = _turn_of(image)
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        durations.append(image.info.get("duration", 0))
        frame = image.transpose(turn) if turn is not None else image.copy()
        frame.info = {key: value for key, value in image.info.items() if key != "exif"}  # it is upright now
        yield _bare(frame, kind)


# --- The process ------------------------------------------------------------------------------------------


class _Input(io.RawIOBase):
    """Read a file from its beginning. The position that its descriptor shares with the parent process stays."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._position = descriptor, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: os.fstat(self._descriptor).st_size}
        self._position = max(start[whence] + offset, 0)
        return self._position

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._descriptor, len(buffer), self._position)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _limit(memory: int, seconds: int, written: int) -> None:
    """Limit this process. It works after the web server, and if the machine runs out of memory, it is killed first."""
    for what, limit, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, seconds, seconds + 1),  # SIGXCPU at the first limit, SIGKILL at the second
        (resource.RLIMIT_FSIZE, written, written),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with suppress(OSError, ValueError):  # macOS does not limit memory in this way
            resource.setrlimit(what, (limit, hard))
    os.nice(5)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _peak() -> str:
    """Return the most memory that this process had, and the most that it could have touched: «VmHWM: 23000 kB …»."""
    with suppress(OSError), open("/proc/self/status") as file:
        return " ".join(" ".join(line.split()) for line in file if line.startswith(("VmPeak", "VmHWM")))
    return ""


def main(job: dict[str, Any]) -> int:
    """Do what `pictures` asks for in `job` and return the exit code."""
    _limit(job["memory"], job["seconds"], job["written"])
    code = os.EX_OK
    try:
        with io.BufferedReader(_Input(0)) as source, os.fdopen(1, "wb", closefd=False) as target:
            if job["box"]:
                thumbnail(source, target, max_pixels=job["max_pixels"], box=tuple(job["box"]))
            else:
                reencode(source, target, max_pixels=job["max_pixels"])
    except MemoryError:
        code = os.EX_OSERR
    except DAMAGED:
        code = os.EX_DATAERR
        traceback.print_exc()
    sys.stderr.write(_peak())
    return code


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
