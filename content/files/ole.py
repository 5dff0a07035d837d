"""Documents from before 2007, and newer ones with a password: OLE files, which are small file systems."""

from .archives import macros_refused, password_refused
from .streams import Source, chunks

# Names of streams stand in directory sectors of 512 bytes, in UTF-16: no chunk of whole sectors cuts one in two.
_STREAMS = {"doc": ("WordDocument",), "xls": ("Workbook", "Book"), "ppt": ("PowerPoint Document",)}


def check_ole(file: Source, key: str) -> bool:
    """Whether an OLE file holds what a document of format `key` must. Raises `RefusedFile` for macros, passwords."""
    names = {"_VBA_PROJECT", "EncryptedPackage", *_STREAMS.get(key, ())}
    found = {name for data in chunks(file) for name in names if name.encode("utf-16-le") in data}
    if "_VBA_PROJECT" in found:
        raise macros_refused()
    if "EncryptedPackage" in found:
        raise password_refused()
    return bool(found)
