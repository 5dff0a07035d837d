"""Check OLE files: office documents from before 2007, and newer ones with a password."""

from .archives import macros_refused, password_refused
from .streams import Source, chunks

# An OLE file is a small file system. The names of its streams are in directory sectors of 512 bytes, in UTF-16. Chunks
# are made of whole sectors, so none cuts a name in two.
_STREAMS = {"doc": ("WordDocument",), "xls": ("Workbook", "Book"), "ppt": ("PowerPoint Document",)}


def check_ole(file: Source, key: str) -> bool:
    """Whether an OLE file has the stream that a document of format `key` needs. Raises `RefusedFile` for macros and
    passwords."""
    names = {"_VBA_PROJECT", "EncryptedPackage", *_STREAMS.get(key, ())}
    found = {name for data in chunks(file) for name in names if name.encode("utf-16-le") in data}
    if "_VBA_PROJECT" in found:
        raise macros_refused()
    if "EncryptedPackage" in found:
        raise password_refused()
    return bool(found)
