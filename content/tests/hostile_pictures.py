"""Make pictures that are small files and need much memory or time to open, and colour profiles for tests."""

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageCms

from .hostile_files import png_chunk

# Red, green and blue of Display P3, the colours of phones since 2016, as they are written into profiles (D50).
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def p3_profile() -> bytes:
    """Return a profile that is sRGB with the primaries of Display P3."""
    data = bytearray(SRGB)
    for name, numbers in zip((b"rXYZ", b"gXYZ", b"bXYZ"), P3, strict=True):
        at = data.index(name, 128) + 4
        start = int.from_bytes(data[at : at + 4], "big") + 8
        data[start : start + 12] = b"".join(struct.pack("!i", round(number * 65536)) for number in numbers)
    return bytes(data)


def grey_profile() -> bytes:
    """Return a profile of linear grey: 128 is half as bright as white, which sRGB writes as 188."""
    tags = {
        b"kTRC": b"curv" + b"\0" * 8,
        b"wtpt": b"XYZ " + b"\0" * 4 + struct.pack("!iii", 63190, 65536, 54061),
        b"desc": b"desc" + b"\0" * 4 + struct.pack("!I", 2) + b"g\0" + b"\0" * 80,
    }
    return _profile(b"GRAY", b"XYZ ", tags)


def ink_profile() -> bytes:
    """Return a profile of CMYK pixels in which every ink makes the same olive green, whatever the amounts are."""
    curve = bytes(range(256))
    olive = bytes((130, 112, 168))  # lightness, a, b
    table = b"mft1" + b"\0" * 4 + bytes((4, 3, 2, 0))
    table += struct.pack("!9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536) + curve * 4 + olive * 16 + curve * 3
    white = b"XYZ " + b"\0" * 4 + struct.pack("!iii", 63190, 65536, 54061)
    return _profile(b"CMYK", b"Lab ", {b"A2B0": table, b"wtpt": white})


def _profile(space: bytes, between: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return an ICC profile of pixels in `space`, of version 2, with these tags."""
    head, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        head += name + struct.pack("!II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    rest = struct.pack("!I", len(tags)) + head + body
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    header = struct.pack("!I", 128 + len(rest)) + b"lcms\x02\x10\0\0" + kind + space + between
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack("!iii", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + rest


def flat_png(side: int, *, interlaced: bool = False, chunks: bytes = b"") -> bytes:
    """Return a transparent RGBA image of side × side pixels, made without drawing it."""
    squeeze = zlib.compressobj(9)
    rows = (
        [(side + 7) // 8, side // 8, side // 4, side // 4, side // 2, side // 2, side]
        if interlaced
        else [side]
    )
    heights = [side // 8, side // 8, side // 8, side // 4, side // 4, side // 2, side // 2]
    data = b""
    for width, height in zip(rows, heights if interlaced else [side], strict=True):
        row = b"\0" * (1 + 4 * width)
        data += b"".join(squeeze.compress(row) for _ in range(height))
    header = png_chunk(b"IHDR", struct.pack("!LLBBBBB", side, side, 8, 6, 0, 0, int(interlaced)))
    data += squeeze.flush()
    return b"\x89PNG\r\n\x1a\n" + header + chunks + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def flat_picture(kind: str, size: tuple[int, int], mode: str, **options: object) -> bytes:
    target = BytesIO()
    with Image.new(mode, size) as picture:
        picture.save(target, kind, **options)
    return target.getvalue()


def swollen(kind: bytes, size: int = 60_000_000) -> bytes:
    """Return a PNG chunk of `kind` whose text or profile unpacks to `size` bytes."""
    name = b"n\0\1\0\0\0" if kind == b"iTXt" else b"n\0\0"
    return png_chunk(kind, name + zlib.compress(b"\0" * size, 9))
