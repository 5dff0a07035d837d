"""Where uploaded files are kept: a folder, or an S3-compatible object store. STORAGES names one of the two classes.

local       LocalStore: a folder on a disk that all processes share
s3          S3Store: a bucket; needs the packages of requirements-prod.txt

Beside Django's storage API both have the methods of `Store`. When the store is full, read-only, absent or refuses us,
these, `save`, `open`, `size` and `delete` raise `StoreUnavailable`; `FileNotFoundError` only says that the store works
and has no such file.
"""

from .errors import StoreUnavailable
from .store import INCOMING, Store, Stored

__all__ = ["INCOMING", "Store", "StoreUnavailable", "Stored"]
