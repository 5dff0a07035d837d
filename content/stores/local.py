"""Keep files in a folder. A file has its name only when all of it is on the disk."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

from .errors import StoreUnavailable
from .store import INCOMING, Stored

_NO_FLUSH = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


@contextmanager
def _reporting() -> Iterator[None]:
    """Raise every `OSError` of the block as `StoreUnavailable`."""
    try:
        yield
    except StoreUnavailable:
        raise
    except OSError as error:
        raise StoreUnavailable(error.errno, f"{type(error).__name__}: {error}") from error


@deconstructible(path="content.stores.local.LocalStore")
class LocalStore(FileSystemStorage):
    is_local = True

    def _save(self, name: str, content: "File[Any]") -> str:
        """Write the file into `INCOMING`, flush it to the disk and give it its name, which replaces no other file.

        If that fails, nothing of it stays: part of a file would keep a full disk full. If the process is killed, the
        part stays in `INCOMING` until `forget_unfinished`.
        """
        temporary = f"{INCOMING}/{uuid.uuid4().hex}"
        with _reporting():
            try:
                super()._save(temporary, content)  # type: ignore[misc]  # the stubs leave it out
                _flush(self.path(temporary))
                return self._give_name(temporary, name)
            finally:
                with suppress(OSError):
                    os.unlink(self.path(temporary))

    def _give_name(self, temporary: str, name: str) -> str:
        while True:
            target = Path(self.path(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                _link(self.path(temporary), target)
            except FileExistsError:
                name = self.get_available_name(name)
                continue
            _flush(target.parent)
            return name.replace("\\", "/")

    def _open(self, name: str, mode: str = "rb") -> "File[Any]":
        try:
            file: File[Any] = super()._open(name, mode)  # type: ignore[misc]
            return file
        except OSError as error:
            self._require_found(error)
            raise

    def size(self, name: str) -> int:
        try:
            return super().size(name)
        except OSError as error:
            self._require_found(error)
            raise

    def _require_found(self, error: OSError) -> None:
        """Raise `StoreUnavailable` unless `error` means that an existing store has no such file."""
        if not isinstance(error, FileNotFoundError) or not os.path.isdir(self.location):
            raise StoreUnavailable(error.errno, f"{type(error).__name__}: {error}") from error

    def delete(self, name: str) -> None:
        with _reporting():
            super().delete(name)

    def part(self, name: str, start: int, length: int) -> IO[bytes]:
        file: IO[bytes] = self.open(name, "rb")
        file.seek(start)
        return file

    def public_url(self, name: str, *, method: str, content_type: str, disposition: str) -> str:
        return ""

    def walk(self, folder: str, *, after: str = "") -> Iterator[Stored]:
        """Yield the files of `folder` and the folders in it. Reads one folder at a time, so that a million names are
        never in memory."""
        with _reporting():
            for entry in _entries(self.path(folder)):
                name = f"{folder}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if f"{name}/" >= after[: len(name) + 1]:
                        yield from self.walk(name, after=after)
                elif name > after:
                    with suppress(FileNotFoundError):  # deleted since it was listed
                        yield Stored(name, _date(entry.stat()))

    def forget_unfinished(self, before: datetime, *folders: str) -> int:
        deleted = 0
        with _reporting():
            for entry in _entries(self.path(INCOMING)):
                with suppress(FileNotFoundError):
                    if _date(entry.stat()) < before:
                        os.unlink(entry.path)
                        deleted += 1
        return deleted

    def probe(self) -> dict[str, Any]:
        """Write a file, delete it and return the megabytes that are free."""
        name = f"{INCOMING}/{uuid.uuid4().hex}"
        with _reporting():
            try:
                super()._save(name, ContentFile(bytes(4096)))  # type: ignore[misc]
                _flush(self.path(name))
                disk = os.statvfs(self.location)
            finally:
                with suppress(OSError):
                    os.unlink(self.path(name))
        return {"free_mb": disk.f_bavail * disk.f_frsize // 1_000_000}


def _link(source: str, target: Path) -> None:
    """Give the file `source` the name `target` too. Raises `FileExistsError`. Disks without links rename it."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(str(target)) from error
        os.rename(source, target)


def _flush(path: "str | Path") -> None:
    """Wait until a file, or the names in a folder, are on the disk: a row that names the file is there at once. Some
    network disks cannot do that for folders."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(descriptor)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """Return what lies in a folder, in the order of names; nothing if there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _date(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, tz=UTC)
