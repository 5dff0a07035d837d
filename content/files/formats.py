"""The allow-list of formats: their extensions, content types and signatures (first bytes)."""

from dataclasses import dataclass
from enum import StrEnum

HEAD_BYTES = 4096  # enough for every signature below


class FileKind(StrEnum):
    """The kinds of file that a process may accept in `[files] kinds` (S0.11, S1.8, S3.8)."""

    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"
    ARCHIVE = "archive"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Format:
    """Describe one accepted format. `FileRules.formats` lists it by its `word`, or by its kind where the kind is
    listed as a whole. A format with an empty `word` is accepted but not listed, to keep the sentence short."""

    key: str
    kind: FileKind
    content_type: str
    extensions: tuple[str, ...]
    word: str


_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"

FORMATS = (
    Format("png", FileKind.IMAGE, "image/png", ("png",), "PNG"),
    Format("jpeg", FileKind.IMAGE, "image/jpeg", ("jpg", "jpeg", "jfif"), "JPG"),
    Format("gif", FileKind.IMAGE, "image/gif", ("gif",), "GIF"),
    Format("webp", FileKind.IMAGE, "image/webp", ("webp",), "WebP"),
    Format("mp4", FileKind.VIDEO, "video/mp4", ("mp4", "m4v"), "MP4"),
    Format("mov", FileKind.VIDEO, "video/quicktime", ("mov",), "MOV"),
    Format("3gp", FileKind.VIDEO, "video/3gpp", ("3gp", "3g2"), "3GP"),
    Format("webm", FileKind.VIDEO, "video/webm", ("webm",), "WebM"),
    Format("pdf", FileKind.DOCUMENT, "application/pdf", ("pdf",), "PDF"),
    Format("docx", FileKind.DOCUMENT, f"{_OOXML}.wordprocessingml.document", ("docx",), "Word"),
    Format("xlsx", FileKind.DOCUMENT, f"{_OOXML}.spreadsheetml.sheet", ("xlsx",), "Excel"),
    Format("pptx", FileKind.DOCUMENT, f"{_OOXML}.presentationml.presentation", ("pptx",), "PowerPoint"),
    Format("doc", FileKind.DOCUMENT, "application/msword", ("doc",), "Word"),
    Format("xls", FileKind.DOCUMENT, "application/vnd.ms-excel", ("xls",), "Excel"),
    Format("ppt", FileKind.DOCUMENT, "application/vnd.ms-powerpoint", ("ppt",), "PowerPoint"),
    Format("odt", FileKind.DOCUMENT, f"{_ODF}.text", ("odt",), ""),
    Format("ods", FileKind.DOCUMENT, f"{_ODF}.spreadsheet", ("ods",), ""),
    Format("odp", FileKind.DOCUMENT, f"{_ODF}.presentation", ("odp",), ""),
    Format("zip", FileKind.ARCHIVE, "application/zip", ("zip",), "ZIP"),
    Format("text", FileKind.TEXT, "text/plain", ("txt", "log"), "texto"),
    Format("csv", FileKind.TEXT, "text/csv", ("csv",), "CSV"),
    Format("json", FileKind.TEXT, "application/json", ("json",), "JSON"),
)
BY_KEY = {known.key: known for known in FORMATS}
BY_EXTENSION = {extension: known for known in FORMATS for extension in known.extensions}
OFFICE = {"docx", "xlsx", "pptx", "odt", "ods", "odp"}  # formats based on ZIP
OLE = {"doc", "xls", "ppt"}
# Phones and messengers mix up these extensions, and every player reads the content anyway.
ISO_VIDEO = {"mp4", "mov", "3gp"}

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"MSCF", "cab"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"\xca\xfe\xba\xbe", "program"),  # Java, and programs of macOS
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"L\0\0\0\x01\x14\x02\0", "program"),  # a link of Windows, which can start any program
)
_STILL_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}


def sniff(head: bytes) -> str:
    """Return the format that the first bytes of a file show.

    That is the key of an accepted format, the name of a container or of a refused format ("zip", "ole", "program" …),
    or "" if the bytes are unknown, as those of text are.
    """
    for signature, key in _SIGNATURES:
        if head.startswith(signature):
            return key
    if head[257:262] == b"ustar":
        return "tar"
    if head[:3] == b"BZh" and head[4:10] == b"1AY&SY":
        return "bzip2"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "matroska"
    if head[4:8] == b"ftyp":
        return _iso_media(head[8:12])
    if head[4:8] in {b"moov", b"wide", b"mdat", b"free", b"skip"}:
        return "mov"  # old QuickTime files have no `ftyp` box
    return ""


def _iso_media(brand: bytes) -> str:
    if brand in _STILL_BRANDS:
        return "heif"
    if brand == b"qt  ":
        return "mov"
    if brand[:2] == b"3g":
        return "3gp"
    if brand in {b"M4A ", b"M4B ", b"M4P ", b"F4A "}:
        return "audio"
    return "mp4"
