"""Make good and hostile files for tests. Each is small enough to be made anew for every test."""

import struct
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO

from PIL import Image

OOXML_MAIN = {
    "docx": ("word/document.xml", "wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", "presentationml.presentation.main+xml"),
}
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + b"\0" * 200
HTML = b"<!DOCTYPE html><html><body><script>alert(document.cookie)</script></body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><circle r="9"/></svg>'


def image(kind: str = "PNG", size: tuple[int, int] = (24, 16), mode: str = "RGB", **options: object) -> bytes:
    picture = Image.linear_gradient("L").resize(size).convert(mode)
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def animation(kind: str, frames: int = 3, size: tuple[int, int] = (24, 16), **options: object) -> bytes:
    pictures = [Image.new("RGB", size, (40 * index, 0, 255 - 40 * index)) for index in range(frames)]
    target = BytesIO()
    pictures[0].save(target, kind, save_all=True, append_images=pictures[1:], duration=120, loop=0, **options)
    return target.getvalue()


def size_of_picture(data: bytes) -> tuple[int, int]:
    with Image.open(BytesIO(data)) as picture:
        return picture.size


def photo_with_place() -> bytes:
    """Return a JPEG with an EXIF rotation, a camera name, a place and a comment."""
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    exif[0x010F] = "CamaraSecreta"
    exif.get_ifd(0x8825).update({1: "N", 2: (10.0, 28.0, 50.0), 3: "W", 4: (66.0, 54.0, 13.0)})
    return image("JPEG", (60, 40), exif=exif, comment=b"nota privada")


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!L", len(data)) + kind + data + struct.pack("!L", zlib.crc32(kind + data))


def huge_png(side: int = 20_000) -> bytes:
    """Return a valid black-and-white image of side × side pixels in a few kilobytes, made without drawing it."""
    squeeze = zlib.compressobj(9)
    row = b"\0" * (1 + (side + 7) // 8)
    data = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()
    header = png_chunk(b"IHDR", struct.pack("!LLBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def archive(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for path, data in members.items():
            made.writestr(path, data)
    return target.getvalue()


def office(key: str, extra: Mapping[str, bytes] = {}, *, types: str = "") -> bytes:
    part, content_type = OOXML_MAIN[key]
    content = f'<Override PartName="/{part}" ContentType="application/vnd.{types or content_type}"/>'
    return archive({"[Content_Types].xml": content.encode(), part: b"<x/>", **extra})


def open_document(key: str = "text", extra: Mapping[str, bytes] = {}) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("mimetype", f"application/vnd.oasis.opendocument.{key}")
        made.writestr("content.xml", b"<x/>")
        for path, data in extra.items():
            made.writestr(path, data)
    return target.getvalue()


def ole(*streams: str) -> bytes:
    entries = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + entries


def pdf(*objects: bytes, catalog: bytes = b"", trailer: bytes = b"") -> bytes:
    """Return a PDF whose catalog has the given entries, with further objects numbered from 2."""
    body = b"".join(b"%d 0 obj %b endobj\n" % (number, data) for number, data in enumerate(objects, 2))
    head = b"%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog %b>>endobj\n" % catalog
    return head + body + b"trailer<</Root 1 0 R %b>>\nstartxref\n9\n%%%%EOF\n" % trailer


def pdf_stream(data: bytes, entries: bytes = b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode") -> bytes:
    """Return a stream for `pdf`: one with packed objects, or one with other entries. Deflated if they say so."""
    packed = zlib.compress(data) if b"/Fl" in entries else data
    return b"<<%b/Length %d>>stream\r\n%b\nendstream" % (entries, len(packed), packed)


def with_symbolic_link() -> bytes:
    target = BytesIO()
    link = zipfile.ZipInfo("registro.txt")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(target, "w") as made:
        made.writestr(link, "/etc/passwd")
    return target.getvalue()


def with_field(data: bytes, record: bytes, offset: int, value: bytes) -> bytes:
    """Return the archive with `value` written `offset` bytes after the start of the first signature `record`."""
    at = data.index(record) + offset
    return data[:at] + value + data[at + len(value) :]


def zip_bomb() -> bytes:
    """Return 20 MB of zeros packed into 20 KB. The directory declares the true size."""
    return archive({"datos.txt": b"\0" * 20_000_000})


def lying_zip_bomb() -> bytes:
    """Return an archive whose member unpacks to 5 MB although the directory declares 1000 bytes."""
    return with_field(archive({"datos.txt": b"\0" * 5_000_000}), b"PK\x01\x02", 24, struct.pack("<L", 1000))


def overlapping_zip() -> bytes:
    """Return an archive whose two members share the same data, as in bombs without nesting."""
    data = archive({"a.txt": b"a" * 100, "b.txt": b"a" * 100})
    second = data.rindex(b"PK\x01\x02")
    return data[: second + 42] + struct.pack("<L", 0) + data[second + 46 :]


def mp4(brand: bytes = b"isom", *, complete: bool = True) -> bytes:
    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!L", 8 + len(data)) + kind + data

    whole = box(b"ftyp", brand + b"\0\0\2\0isom") + box(b"mdat", b"\7" * 500) + box(b"moov", b"\0" * 100)
    return whole if complete else whole[:-60]


def webm() -> bytes:
    return b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm\x18\x53\x80\x67\x01" + b"\0" * 64


def script_in_gif() -> bytes:
    """Return bytes that begin like a GIF and are also valid JavaScript."""
    return b"GIF89a/*" + b"\0" * 8 + image("GIF")[16:] + b"*/=1;alert(1)//"
