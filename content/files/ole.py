"""Check OLE files: office documents from before 2007, newer ones with a password, and objects inside documents."""

from django.utils.translation import gettext_lazy as _

from .errors import RefusedFile
from .names import PROGRAMS
from .office import macros_refused, password_refused
from .streams import Source, chunks, has_any

# An OLE file is a small file system. The names of its streams are in directory sectors of 512 bytes, in UTF-16. Chunks
# are made of whole sectors, so none cuts a name in two.
_STREAMS = {"doc": ("WordDocument",), "xls": ("Workbook", "Book"), "ppt": ("PowerPoint Document",)}
_PACKAGE = "\x01Ole10Native"  # a file that somebody put into a document; the stream begins with its name
_PROGRAM_NAMES = tuple(f".{extension}\0".encode() for extension in PROGRAMS)


def check_ole(file: Source, key: str = "") -> bool:
    """Whether an OLE file has the stream that a document of format `key` needs. Raises `RefusedFile` for macros,
    passwords and programs inside."""
    needed = set(_STREAMS.get(key, ()))
    names = {"_VBA_PROJECT", "EncryptedPackage", _PACKAGE, *needed}
    found = {name for data in chunks(file) for name in names if name.encode("utf-16-le") in data}
    if "_VBA_PROJECT" in found:
        raise macros_refused()
    if "EncryptedPackage" in found:
        raise password_refused()
    if _PACKAGE in found and has_any(file, _PROGRAM_NAMES):
        raise RefusedFile(
            _("El documento lleva un programa dentro. Guárdalo como PDF y adjunta esa copia."), code="program"
        )
    return bool(found & needed)
