"""Read the structure of an image without decoding pixels: its size, its frames, and whether it is complete."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from .streams import Source, chunks, read_at

MAX_BLOCKS = 200_000  # parts of one image; reading countless empty parts would take seconds
MAX_SCANS = 100  # scans of one JPEG; even a scan of 60 bytes makes the decoder process the whole picture


class Measured(NamedTuple):
    """Width and height in pixels, and the number of frames (1 for a still image)."""

    width: int
    height: int
    frames: int

    @property
    def pixels(self) -> int:
        """The pixels of all frames together: each frame costs memory and time."""
        return self.width * self.height * self.frames


class DamagedImage(Exception):
    """The image is incomplete, or its structure is wrong."""


def measure(file: Source, key: str, size: int) -> Measured:
    """Return the dimensions and frames of an image of format `key` whose file has `size` bytes. Raises `DamagedImage`,
    or `KeyError` for a format that is no image."""
    found = {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _webp}[key](file, size)
    if not (found.width and found.height and found.frames):
        raise DamagedImage
    return found


def _number(data: bytes, order: Literal["big", "little"] = "big") -> int:
    return int.from_bytes(data, order)


def _png(file: Source, size: int) -> Measured:
    offset, width, height = 8, 0, 0
    animated, still, has_pixels = 0, 1, False
    for index in range(MAX_BLOCKS):
        header = read_at(file, offset, 8)
        length, kind = _number(header[:4]), header[4:]
        if len(header) < 8 or (kind == b"IHDR") != (index == 0) or offset + 12 + length > size:
            raise DamagedImage
        if kind == b"IHDR":
            data = read_at(file, offset + 8, 8)
            width, height = _number(data[:4]), _number(data[4:])
        elif kind == b"acTL" and not has_pixels:
            animated = _number(read_at(file, offset + 8, 4))
        elif kind == b"fcTL" and not has_pixels:
            still = 0  # the picture for programs without animation is the first frame, not one more
        elif kind == b"IDAT":
            has_pixels = True
        elif kind == b"IEND":
            return Measured(width, height, animated + still if animated else 1)
        offset += 12 + length
    raise DamagedImage


_FRAME_HEADERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # ends a scan; the data of a scan cannot contain it


def _jpeg(file: Source, size: int) -> Measured:
    offset, width, height, scans = 2, 0, 0, 0
    for _ in range(MAX_BLOCKS):
        header = read_at(file, offset, 4)
        if len(header) < 2 or header[0] != 0xFF:
            raise DamagedImage
        marker, length = header[1], _number(header[2:])
        if marker == 0xFF:  # padding
            offset += 1
        elif marker in _WITHOUT_LENGTH:
            offset += 2
        elif marker == 0xD9:
            return Measured(width, height, 1 if scans else 0)
        else:
            if marker in _FRAME_HEADERS:
                data = read_at(file, offset + 5, 4)
                width, height = max(width, _number(data[2:])), max(height, _number(data[:2]))
            offset += 2 + max(length, 2)
            if marker == 0xDA:
                scans += 1
                offset = _next_marker(file, offset)
            if scans > MAX_SCANS:
                break
    raise DamagedImage


def _next_marker(file: Source, offset: int) -> int:
    """Return the position at which the data of a scan ends. Raises `DamagedImage` if it does not end."""
    last = b""
    for data in chunks(file, offset):
        if found := _MARKER.search(last + data):
            return offset - len(last) + found.start()
        last = data[-1:]
        offset += len(data)
    raise DamagedImage


def _gif(file: Source, size: int) -> Measured:
    screen = read_at(file, 6, 7)
    if len(screen) < 7:
        raise DamagedImage
    width, height = _number(screen[:2], "little"), _number(screen[2:4], "little")
    offset, frames = 13 + _palette(screen[4]), 0
    blocks = iter(range(MAX_BLOCKS))  # shared with `_after_sub_blocks`, so that sub-blocks count too
    for _ in blocks:
        header = read_at(file, offset, 10)
        if header[:1] == b"\x3b" or (not header and offset == size):  # some programs leave out the last byte
            return Measured(width, height, frames)
        if header[:1] == b"\x21":
            offset = _after_sub_blocks(file, offset + 2, blocks)
        elif header[:1] == b"\x2c" and len(header) == 10:
            left, top, wide, high = (_number(header[at : at + 2], "little") for at in (1, 3, 5, 7))
            width, height, frames = max(width, left + wide), max(height, top + high), frames + 1
            offset = _after_sub_blocks(file, offset + 11 + _palette(header[9]), blocks)
        else:
            raise DamagedImage
    raise DamagedImage


def _palette(flags: int) -> int:
    """Return the size in bytes of the colour table that `flags` announces; 0 without one."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(file: Source, offset: int, blocks: Iterator[int]) -> int:
    """Return the position after a chain of sub-blocks. Takes one item of `blocks` for each sub-block."""
    for _ in blocks:
        length = read_at(file, offset, 1)
        if not length:
            raise DamagedImage
        offset += 1 + length[0]
        if length == b"\0":
            return offset
    raise DamagedImage


def _webp(file: Source, size: int) -> Measured:
    end = 8 + _number(read_at(file, 4, 4), "little")
    if end > size + 1:  # some programs count the padding of the last part without writing it
        raise DamagedImage
    offset, frames, canvas = 12, 0, (0, 0)
    for index in range(MAX_BLOCKS):
        if offset + 8 > end:
            break
        header = read_at(file, offset, 18)
        kind, length, data = header[:4], _number(header[4:8], "little"), header[8:]
        if index == 0:
            canvas = _webp_canvas(kind, data)
        frames += kind in {b"VP8 ", b"VP8L", b"ANMF"}
        offset += 8 + length + length % 2
    if offset > end + 1:
        raise DamagedImage
    return Measured(*canvas, frames)


def _webp_canvas(kind: bytes, data: bytes) -> tuple[int, int]:
    if kind == b"VP8X":
        return 1 + _number(data[4:7], "little"), 1 + _number(data[7:10], "little")
    if kind == b"VP8L" and data[:1] == b"\x2f":
        bits = _number(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        return _number(data[6:8], "little") & 0x3FFF, _number(data[8:10], "little") & 0x3FFF
    raise DamagedImage
