"""Look in a PDF for what runs when somebody opens it: other programs, JavaScript, forms with scripts, hidden files,
files on other machines, data that are sent. Links to pages of the web are ordinary.

Programs find the objects of a PDF through a table that may lead anywhere, so this module does not follow the table: it
looks behind every `obj` in the file, and into every stream that contains further objects. It reads names as programs do
(`/J#61vaScript` is `/JavaScript`, text in brackets is no name). What it cannot read for sure is refused; every reading
has a limit.
"""

import mmap
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from django.utils.translation import gettext_lazy as _

from .errors import RefusedFile
from .formats import HEAD_BYTES, sniff
from .streams import MB, Source, read_at

MAX_STEPS = 2_000_000  # names, texts and comments that are looked at; two seconds of work
MAX_UNPACKED = 100 * MB  # of all streams with objects together
MAX_OBJECTS_STREAM = 16 * MB

_View: TypeAlias = "mmap.mmap | bytes"
_BLANKS = b"\0\t\n\f\r "
_NO_NAME = rb"\0\t\n\f\r ()<>\[\]{}/%"
_RUNS = (b"JavaScript", b"JS", b"XFA", b"RichMedia", b"OnInstantiate", b"ImportData")
_OPENS = (b"Launch", b"GoToE", b"GoToR", b"SubmitForm")
_OTHERWISE = (
    *(
        b"ASCIIHexDecode",
        b"AHx",
        b"ASCII85Decode",
        b"A85",
        b"LZWDecode",
        b"LZW",
        b"RunLengthDecode",
        b"RL",
        b"Crypt",
    ),
    *(b"CCITTFaxDecode", b"CCF", b"JBIG2Decode", b"DCTDecode", b"DCT", b"JPXDecode", b"DecodeParms", b"DP"),
)
_KINDS = {
    **dict.fromkeys(_RUNS, "runs"),
    **dict.fromkeys(_OPENS, "opens"),
    **dict.fromkeys(_OTHERWISE, "otherwise"),
    b"ObjStm": "objects",
    b"N": "count",
    b"First": "first",
    b"EmbeddedFile": "attached",
    b"Filter": "filter",
    b"FlateDecode": "deflated",
    b"Fl": "deflated",
}
# Every alternative begins with a letter or sign, not with a group: Python then looks only where one of them is.
_TOKEN = re.compile(
    rb"%%|\(|<<|<[^<>]*>|stream(?![A-Za-z])|/(?:%b)(?=[%b]|\Z)|/[^%b#]*#[^%b]*"
    % (b"|".join(_KINDS), _NO_NAME, _NO_NAME, _NO_NAME)
)
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_OBJECT = re.compile(rb"(?<=[0-9%b])obj" % _BLANKS)
_LINE_END = re.compile(rb"[\r\n]")
_BRACKET = re.compile(rb"[()]|\\.", re.DOTALL)


def _spelled(*names: bytes) -> bytes:
    """Return the pattern for any of these names, whose letters may be written as #xx."""
    return b"|".join(b"".join(b"(?:%c|#(?i:%02x))" % (letter, letter) for letter in name) for name in names)


# Also found inside streams and behind broken brackets. Longer than what random bytes contain.
_ACTION = re.compile(
    rb"/%b[%b]*/(?:(?P<runs>%b)|(?:%b))(?=[%b]|\Z)"
    % (_spelled(b"S"), _BLANKS, _spelled(*_RUNS), _spelled(*_OPENS), _NO_NAME)
)
_ENCRYPT = re.compile(rb"/(?:%b)(?=[%b]|\Z)" % (_spelled(b"Encrypt"), _NO_NAME))


@dataclass(slots=True)
class _Work:
    """What checking one file has cost so far."""

    steps: int = 0
    unpacked: int = 0

    def unpack(self, size: int) -> None:
        self.unpacked += size + 1000  # for the stream itself
        if self.unpacked > MAX_UNPACKED:
            raise _too_large()

    def step(self, count: int = 1) -> None:
        self.steps += count
        if self.steps > MAX_STEPS:
            raise _too_large()


def check_pdf(file: Source, size: int) -> None:
    """Check that a PDF is complete and runs nothing when opened. Raises `RefusedFile`."""
    if b"%%EOF" not in read_at(file, size - 2048, 2048):
        raise _damaged()
    with _viewed(file) as view:
        if found := _ACTION.search(view):
            raise _runs() if found["runs"] else _opens()
        _check_objects(view, _Work())


@contextmanager
def _viewed(file: Source) -> Iterator[_View]:
    """Give the bytes of `file` without reading a file on disk into memory."""
    try:
        descriptor = file.fileno()
    except (AttributeError, OSError, ValueError):
        file.seek(0)
        yield file.read()
    else:
        file.flush()
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as view:
            yield view


def _check_objects(view: _View, work: _Work) -> None:
    start = 0
    for found in _OBJECT.finditer(view):
        _check_object(view, start, found.start(), work)
        start = found.end()
    _check_object(view, start, len(view), work)


def _check_object(view: _View, start: int, end: int, work: _Work) -> None:
    """Check the names from `start` to `end`, which is one object if the file is in order, and the stream after them."""
    work.step()
    seen = Counter[str]()
    for kind, at in _tokens(view, start, end, work):
        if kind == "stream":
            if seen["objects"] or (seen["count"] and seen["first"]):
                _check_packed_objects(view, at, end, seen, work)
            elif seen["attached"]:
                _check_attached(view, at, end, seen, work)
            if view[max(start, at - 40) : at - len("stream")].rstrip(_BLANKS).endswith(b">>"):
                return  # what follows is no object: only `_ACTION` looks there
        else:
            seen[kind] += 1


def _tokens(view: _View, start: int, end: int, work: _Work) -> Iterator[tuple[str, int]]:
    """Yield the kind of each name in `_KINDS`, and "stream", with the position after it. Raises `RefusedFile` for a
    name that may not occur."""
    at = start
    while found := _TOKEN.search(view, at, end):
        work.step()
        token, at = found[0], found.end()
        if token == b"%":
            line_end = _LINE_END.search(view, at, end)
            at = line_end.end() if line_end else end
        elif token == b"(":
            at = _after_text(view, at, end, work)
        elif token == b"stream":
            yield "stream", at
        elif token[:1] == b"/":
            work.step(token.count(b"#"))
            kind = _KINDS.get(_ESCAPED.sub(_unescaped, token[1:]), "")
            if kind == "runs":
                raise _runs()
            if kind == "opens":
                raise _opens()
            if kind:
                yield kind, at


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode())


def _after_text(view: _View, start: int, end: int, work: _Work) -> int:
    """Return the position after the bracket that ends a text, or `start` if none does."""
    depth = 1
    for found in _BRACKET.finditer(view, start, end):
        work.step()
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    return start


# --- Streams ----------------------------------------------------------------------------------------------


def _check_packed_objects(view: _View, at: int, end: int, seen: Counter[str], work: _Work) -> None:
    data = _unpacked(view, at, end, seen, MAX_OBJECTS_STREAM, complete=True)
    work.unpack(len(data))
    if len(data) > MAX_OBJECTS_STREAM:
        raise _too_large()
    for _kind, _at in _tokens(data, 0, len(data), work):
        pass


def _check_attached(view: _View, at: int, end: int, seen: Counter[str], work: _Work) -> None:
    """Refuse a file inside the PDF unless it is an image, text or data: it could be anything, and is offered as part of
    the document."""
    work.unpack(HEAD_BYTES)
    inside = sniff(_unpacked(view, at, end, seen, HEAD_BYTES, complete=False))
    if inside not in {"", "png", "jpeg", "gif", "webp"}:
        raise RefusedFile(
            _(
                "El PDF lleva otro archivo dentro. Adjunta ese archivo aparte, o imprime el documento como PDF."
            ),
            code="polyglot",
        )


def _unpacked(view: _View, at: int, end: int, seen: Counter[str], limit: int, *, complete: bool) -> bytes:
    """Return the beginning of a stream, one byte more than `limit` if it is longer. `at` is the end of the word
    `stream`, and `seen` counts the names before it. Raises `RefusedFile` unless the stream is stored or deflated."""
    if view[at : at + 2] == b"\r\n":
        at += 2
    elif view[at : at + 1] in {b"\r", b"\n"}:
        at += 1
    else:
        raise _unreadable(view)
    if seen["otherwise"] or seen["filter"] > 1 or seen["deflated"] != seen["filter"]:
        raise _unreadable(view)
    if not seen["filter"]:
        return bytes(view[at : min(end, at + limit + 1)])
    return _inflated(view, at, limit, complete=complete)


def _inflated(view: _View, at: int, limit: int, *, complete: bool) -> bytes:
    """Inflate a stream without its checksum, which programs do not check either. Its end is where the data says, not
    where an `endstream` is."""
    header = view[at : at + 2]
    if len(header) < 2 or header[0] & 15 != 8 or int.from_bytes(header, "big") % 31 or header[1] & 32:
        raise _unreadable(view)
    inflate = zlib.decompressobj(-15)
    data = b""
    position = at + 2
    while not inflate.eof and len(data) <= limit and position < len(view):
        part = view[position : position + 64 * 1024]
        try:
            data += inflate.decompress(inflate.unconsumed_tail + part, limit + 1 - len(data))
        except zlib.error as error:
            raise _unreadable(view) from error
        position += len(part)
    if complete and not inflate.eof and len(data) <= limit:
        raise _unreadable(view)
    return data


# --- Reasons ----------------------------------------------------------------------------------------------


def _opens() -> RefusedFile:
    return RefusedFile(
        _(
            "El PDF intenta abrir otros programas o archivos, o enviar datos. Imprímelo como PDF y adjunta esa copia."
        ),
        code="active",
    )


def _runs() -> RefusedFile:
    return RefusedFile(
        _(
            "El PDF contiene un programa (JavaScript o un formulario activo). Imprímelo como PDF y adjunta esa copia."
        ),
        code="active",
    )


def _unreadable(view: _View) -> RefusedFile:
    """Return the error for a stream that cannot be read: because the file is encrypted, or because it is damaged."""
    if _ENCRYPT.search(view):
        return RefusedFile(
            _("El PDF está protegido y no podemos revisarlo. Imprímelo como PDF y adjunta esa copia."),
            code="encrypted",
        )
    return _damaged()


def _damaged() -> RefusedFile:
    return RefusedFile(
        _("El PDF está incompleto o dañado. Ábrelo, guárdalo de nuevo y adjunta la copia."), code="damaged"
    )


def _too_large() -> RefusedFile:
    return RefusedFile(
        _(
            "El PDF es demasiado complejo para revisarlo. Divídelo, o imprímelo como PDF, y adjunta esa copia."
        ),
        code="bomb",
    )
