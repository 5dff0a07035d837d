"""Check the content of videos and text files."""

import codecs
import re

from django.utils.translation import gettext_lazy as _

from .errors import RefusedFile
from .formats import HEAD_BYTES
from .streams import Source, chunks, read_at

# A browser may treat a file that contains any of these bytes as a page.
ACTIVE = (b"<script", b"<html", b"<!doctype html", b"<svg", b"<iframe", b"<object", b"<embed", b"<?php")
# A browser may treat a file that begins like this as a page.
_PAGE = re.compile(
    r"\s*(?:<(?:head|body|h1|div|font|table|a|style|title|b|br|p|img|base|meta|link|form|math|template)(?=[\s/>])"
    r"|<!--|<\?xml|<%|#!)",
    re.IGNORECASE,
)
_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # escape is allowed: logs use it for colours


def check_video(file: Source, key: str, size: int) -> None:
    """Check that a video has the part without which no player can show it: a whole `moov` or `moof` box, or in WebM a
    Segment element. Raises `RefusedFile`."""
    whole = (
        b"\x18\x53\x80\x67" in read_at(file, 0, HEAD_BYTES) if key == "webm" else _has_movie_box(file, size)
    )
    if not whole:
        raise RefusedFile(
            _("El video está incompleto o dañado. Comprueba que se reproduce y adjúntalo otra vez."),
            code="damaged",
        )


def _has_movie_box(file: Source, size: int) -> bool:
    offset = 0
    for _box in range(10_000):
        header = read_at(file, offset, 16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if header[4:8] in {b"moov", b"moof"}:
            return length >= 8 and offset + length <= size
        if length < 8:  # 0 means «up to the end of the file», so no `moov` can follow
            return False
        offset += length
    return False


def check_text(file: Source) -> None:
    """Check that a file is readable text (UTF-8, UTF-16 or Windows-1252) without code for browsers. Raises
    `RefusedFile`."""
    is_utf16 = read_at(file, 0, 2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    encodings = ["utf-16"] if is_utf16 else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return _read_text(file, encoding)
        except UnicodeDecodeError:
            continue
    raise not_text()


def _read_text(file: Source, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    needles = [needle.decode() for needle in ACTIVE]
    before = ""
    for data in chunks(file):
        text = decoder.decode(data)
        if _NOT_TEXT.search(text):
            raise not_text()
        window = before + text.lower()
        if (not before and _PAGE.match(window)) or any(needle in window for needle in needles):
            raise RefusedFile(
                _("El archivo contiene código de página web o un programa. Adjunta una captura o un PDF."),
                code="active",
            )
        before = window[-32:]
    decoder.decode(b"", final=True)


def not_text() -> RefusedFile:
    return RefusedFile(
        _("El archivo no es de texto, aunque su nombre lo diga. Adjunta el original con su propio nombre."),
        code="mismatch",
    )
