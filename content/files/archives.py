"""Check ZIP files, and office documents whose format is based on ZIP.

This module reads the ZIP directory itself instead of using `zipfile`, so that the sizes it checks are those of the data
it unpacks. Nothing is ever written to disk under a name from the archive.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import cast

from django.utils.translation import gettext_lazy as _

from .errors import RefusedFile
from .formats import HEAD_BYTES, OFFICE, sniff
from .names import PROGRAMS, extension_of, has_hidden_characters, words
from .office import check_part, damaged, is_telling, macros_refused, password_refused
from .ole import check_ole
from .pdf import check_pdf
from .streams import MB, Source, chunks, read_at, size_of

MAX_MEMBERS = 1000
MAX_UNPACKED = 200 * MB  # all members together, including the members of documents inside
MAX_RATIO = 200  # unpacked size / packed size of members over RATIO_FROM; deflate reaches 1032 on zeros
RATIO_FROM = 10 * MB
MAX_XML = 50 * MB  # parts of documents that are parsed, all together: five seconds if they are all tags
MAX_DEPTH = 2  # a spreadsheet inside a document inside an archive
_MAX_DIRECTORY = MAX_MEMBERS * 512
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x2041
_UTF8 = 0x800
_SYMLINK = 0o12
_ARCHIVES = words("zip rar 7z gz tgz tar bz2 tbz xz txz zst lz lzma cab ace arj")
_PACKED = {"rar", "7z", "bzip2", "xz", "zstd", "cab", "tar"}
_TELLING = {"[Content_Types].xml", "mimetype"}
_MAIN_PARTS = (
    (b"wordprocessingml.document.main+xml", "docx"),
    (b"spreadsheetml.sheet.main+xml", "xlsx"),
    (b"presentationml.presentation.main+xml", "pptx"),
)
_ODF_TYPES = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}
_MACROS = re.compile(r"(?:.*/)?vbaproject\.bin\Z|xl/macrosheets/|basic/|scripts/", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the ZIP directory. `packed` and `unpacked` are sizes in bytes, `mode` the Unix file mode."""

    path: str
    flags: int
    method: int
    packed: int
    unpacked: int
    offset: int
    mode: int


@dataclass(slots=True)
class _Unpacked:
    """Members, unpacked bytes and parsed bytes counted so far, including those of documents inside the archive."""

    members: int = 0
    size: int = 0
    parsed: int = 0


def identify_zip(file: Source) -> str:
    """Return the key of the format: "zip", or "docx", "odt" … for a document. Raises `RefusedFile` if the archive is
    unsafe to open or damaged."""
    return _identify(file, _Unpacked(), depth=0)


def has_zip_at_end(file: Source, size: int) -> bool:
    """Whether the file ends with a ZIP archive. ZIP programs look for the archive at the end, so they would open this
    file whatever its first bytes are."""
    end = _find_end(file, size)
    return end is not None and read_at(file, end[0] - end[1], 4) == b"PK\x01\x02"


def _identify(file: Source, spent: _Unpacked, *, depth: int) -> str:
    size = size_of(file)
    members = _directory(file, size)
    documents = any(member.path in _TELLING for member in members)
    _check_members(members, spent)
    telling: dict[str, bytes] = {}
    # The manifest first: it says whether the other parts are encrypted.
    for member in sorted(members, key=lambda member: member.path != "META-INF/manifest.xml"):
        _check_member(file, member, spent, telling, is_document=documents, depth=depth)
    return _document_key(members, telling)


# --- The directory ----------------------------------------------------------------------------------------


def _find_end(file: Source, size: int) -> tuple[int, int, int, int] | None:
    """Return the position of the end record, the directory's size and offset, and the number of members.

    None if the file has no end record.
    """
    start = max(0, size - 22 - 0xFFFF)
    tail = read_at(file, start, 22 + 0xFFFF)
    at = tail.rfind(b"PK\x05\x06", 0, max(len(tail) - 18, 0))
    if at < 0:
        return None
    count, directory_size, directory = struct.unpack("<HLL", tail[at + 10 : at + 20])
    return start + at, directory_size, directory, count


def _directory(file: Source, size: int) -> list[Member]:
    end = _find_end(file, size)
    if end is None:
        raise damaged()
    position, directory_size, directory, count = end
    if count > MAX_MEMBERS or directory_size > _MAX_DIRECTORY:
        raise _too_large()
    if not count:
        raise RefusedFile(_("El ZIP está vacío. Agrega los archivos y comprímelo otra vez."), code="empty")
    if directory + directory_size != position:
        raise damaged()
    members = list(_entries(read_at(file, directory, directory_size)))
    if len(members) != count:
        raise damaged()
    _check_layout(file, members, directory)
    return members


def _entries(data: bytes) -> Iterator[Member]:
    at = 0
    while at < len(data):
        if data[at : at + 4] != b"PK\x01\x02" or len(data) < at + 46:
            raise damaged()
        flags, method = struct.unpack_from("<HH", data, at + 8)
        packed, unpacked, name, extra, comment = struct.unpack_from("<LLHHH", data, at + 20)
        attributes, offset = struct.unpack_from("<LL", data, at + 38)
        raw = data[at + 46 : at + 46 + name]
        path = raw.decode("utf-8" if flags & _UTF8 else "cp437", "replace").replace("\\", "/")
        yield Member(path, flags, method, packed, unpacked, offset, attributes >> 16)
        at += 46 + name + extra + comment


def _check_layout(file: Source, members: list[Member], directory: int) -> None:
    """Raise `RefusedFile` unless the first member begins at byte 0 and no members overlap. In bombs several members
    share the same data, and a program may be placed before the first member."""
    free = 0
    for member in sorted(members, key=lambda member: member.offset):
        start = _data_offset(file, member)
        if member.offset < free or (free == 0 and member.offset) or start + member.packed > directory:
            raise damaged()
        free = start + member.packed


def _data_offset(file: Source, member: Member) -> int:
    header = read_at(file, member.offset, 30)
    if header[:4] != b"PK\x03\x04" or len(header) < 30:
        raise damaged()
    name, extra = struct.unpack_from("<HH", header, 26)
    local = read_at(file, member.offset + 30, name).replace(b"\\", b"/")
    if b"../" in local or local.startswith(b"/"):
        raise _unsafe_path()
    return member.offset + 30 + int(name) + int(extra)


# --- Members ----------------------------------------------------------------------------------------------


def _check_members(members: list[Member], spent: _Unpacked) -> None:
    spent.members += len(members)
    spent.size += sum(member.unpacked for member in members)
    if spent.members > MAX_MEMBERS or spent.size > MAX_UNPACKED:
        raise _too_large()
    if len({member.path for member in members}) != len(members):
        raise damaged()
    for member in members:
        if member.flags & _ENCRYPTED:
            raise password_refused()
        if member.method not in {_STORED, _DEFLATED}:
            raise RefusedFile(
                _("El ZIP usa una compresión que no conocemos. Comprímelo con el método normal."),
                code="method",
            )
        if member.unpacked > max(RATIO_FROM, member.packed * MAX_RATIO):
            raise _too_large()
        if _is_unsafe(member.path) or member.mode >> 12 == _SYMLINK:
            raise _unsafe_path()
        if _MACROS.match(member.path):
            raise macros_refused()


def _is_unsafe(path: str) -> bool:
    parts = path.split("/")
    return path.startswith("/") or path[1:2] == ":" or ".." in parts or has_hidden_characters(path)


def _check_member(
    file: Source,
    member: Member,
    spent: _Unpacked,
    telling: dict[str, bytes],
    *,
    is_document: bool,
    depth: int,
) -> None:
    extension = extension_of(member.path)
    if extension in PROGRAMS:
        raise _program(member)
    if extension in _ARCHIVES:
        raise _nested(member)
    is_part = is_document and is_telling(member.path)
    keep = is_part or member.path in _TELLING or extension in OFFICE
    with SpooledTemporaryFile(max_size=MB) as copy:
        content = cast("Source", copy)
        head = b""
        for data in _unpack(file, member):
            if not head:
                head = data[:HEAD_BYTES]
                keep = keep or sniff(head) in {"ole", "pdf"}
            if keep:
                copy.write(data)
        _check_content(content, member, sniff(head), spent, is_document=is_document, depth=depth)
        if is_part:
            spent.parsed += member.unpacked
            if spent.parsed > MAX_XML:
                raise _too_large()
            check_part(member.path, chunks(content))
        if member.path in _TELLING:
            telling[member.path] = read_at(content, 0, MB)


def _check_content(
    content: Source, member: Member, inside: str, spent: _Unpacked, *, is_document: bool, depth: int
) -> None:
    """Check an unpacked member that `sniff` takes for `inside`. Raises `RefusedFile`."""
    if inside == "program":
        raise _program(member)
    if inside in _PACKED or (inside == "gzip" and not is_document):
        raise _nested(member)
    if inside == "zip":
        extension = extension_of(member.path)
        if extension not in OFFICE or depth >= MAX_DEPTH:
            raise _nested(member)
        if _identify(content, spent, depth=depth + 1) != extension:
            raise _nested(member)
    elif inside == "ole":
        check_ole(content)
    elif inside == "pdf":
        check_pdf(content, size_of(content))


def _unpack(file: Source, member: Member) -> Iterator[bytes]:
    """Yield the unpacked bytes of a member in parts. Raises `RefusedFile` if they are more or fewer than the directory
    says, because a member that is larger than declared is a bomb."""
    start = _data_offset(file, member)
    inflate = zlib.decompressobj(-15) if member.method == _DEFLATED else None
    left = member.unpacked
    for packed in chunks(file, start, start + member.packed):
        while packed:
            try:
                data = inflate.decompress(packed, MB) if inflate else packed
            except zlib.error as error:
                raise damaged() from error
            packed = inflate.unconsumed_tail if inflate else b""
            left -= len(data)
            if left < 0:
                raise _too_large()
            yield data
    if left or (inflate and not inflate.eof):
        raise damaged()


def _document_key(members: list[Member], telling: dict[str, bytes]) -> str:
    """Return the document's format, read from the members that declare it, or "zip"."""
    types = telling.get("[Content_Types].xml", b"")
    for main_part, key in _MAIN_PARTS:
        if main_part in types:
            return key
    return (
        _ODF_TYPES.get(telling.get("mimetype", b"").strip(), "zip")
        if members[0].path == "mimetype"
        else "zip"
    )


# --- Reasons ----------------------------------------------------------------------------------------------


def _too_large() -> RefusedFile:
    return RefusedFile(
        _("El archivo ocuparía demasiado al abrirlo. Divídelo o adjunta solo lo necesario."), code="bomb"
    )


def _unsafe_path() -> RefusedFile:
    return RefusedFile(
        _(
            "El ZIP quiere escribir fuera de su carpeta. Comprime los archivos de nuevo, sin accesos directos."
        ),
        code="path",
    )


def _nested(member: Member) -> RefusedFile:
    return RefusedFile(
        _("Hay un comprimido dentro de otro («{member}»). Pon los archivos directamente en el ZIP."),
        code="nested",
        member=member.path[-80:],
    )


def _program(member: Member) -> RefusedFile:
    return RefusedFile(
        _("El ZIP contiene un programa («{member}»). Quítalo y comprímelo otra vez."),
        code="program",
        member=member.path[-80:],
    )
