"""Where backups are: a folder, or `s3://bucket/path` on the store that the S3_… variables name. Both are Django
storages."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage

from .manifest import MANIFEST, BadBackup, Part

CHUNK = 1024 * 1024
IN_MEMORY = 8 * 1024 * 1024


def place(target: str) -> Storage:
    """Return the storage that `target` names. Only the user of the process may read what is written to a folder:
    a backup holds everything."""
    if target.startswith("s3://"):
        from storages.backends.s3 import S3Storage  # of requirements-prod.txt

        bucket, _slash, path = target.removeprefix("s3://").partition("/")
        return S3Storage(
            bucket_name=bucket,
            location=path.strip("/"),
            default_acl=None,
            file_overwrite=True,
            **settings.S3_CONNECTION,
        )
    return FileSystemStorage(
        location=target, file_permissions_mode=0o600, directory_permissions_mode=0o700, allow_overwrite=True
    )


def new_place(address: str) -> Storage:
    """Return the storage for a backup that begins. Raises `BadBackup` if there is one already, and OSError if its
    folder cannot be made."""
    to = place(address)
    if not address.startswith("s3://"):
        try:
            Path(address).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            Path(address).mkdir(mode=0o700)
        except FileExistsError as error:
            raise BadBackup(f"{error.filename} exists already, or is no folder.") from error
    elif to.exists(MANIFEST):
        raise BadBackup(f"{address} exists already.")
    return to


def forget(address: str) -> str:
    """Delete what was written of a backup that failed. Returns a sentence that says what is left."""
    if address.startswith("s3://"):
        return f"No backup was made: what may be in {address} has no {MANIFEST}; delete it."
    shutil.rmtree(address, ignore_errors=True)
    return "No backup was made, and nothing of it is left."


def join(target: str, name: str) -> str:
    """Return the address of `name` in `target`. Raises `BadBackup` for what is neither a folder nor a bucket: a backup
    into "" would lie in «/»."""
    if re.match(r"s3://[^/]", target) is None and (not target.strip() or ":/" in target):
        raise BadBackup(f"«{target}» is neither a folder nor s3://bucket/path.")
    return f"{target.rstrip('/')}/{name}"


class Moved(File):
    """A file on the disk, which a folder takes by renaming instead of copying it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self.path = path

    def temporary_file_path(self) -> str:
        return str(self.path)


@contextmanager
def workspace(target: str) -> Iterator[Path]:
    """Make a folder for what goes into a backup: inside `target` if it is a folder, so that large files are renamed
    there; else as `scratch` does."""
    if target.startswith("s3://"):
        with scratch() as folder:
            yield folder
        return
    Path(target).mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=target, prefix=".backup-") as folder_name:
        yield Path(folder_name)


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder in DESK_VAR_DIR for files on their way. It needs as much room as the database."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=settings.VAR_DIR, prefix=".backup-") as folder_name:
        yield Path(folder_name)


def store(to: Storage, name: str, path: Path) -> Part:
    """Store the file at `path` under `name`. Returns its part. The file at `path` may be gone afterwards."""
    with path.open("rb") as source:
        part = Part(name, path.stat().st_size, hashlib.file_digest(source, "sha256").hexdigest())
    with Moved(path) as content:
        _save(to, name, content)
    return part


def copy(source: Storage, name: str, to: Storage, to_name: str, *, expected: Part | None = None) -> Part:
    """Copy one file between storages. Returns its part, named `name`. Raises `BadBackup` before writing if it is not
    the `expected` part, and `FileNotFoundError` if `source` does not have it."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as between:
        part = read(source, name, between, part_name=expected.name if expected else name)
        if expected and part != expected:
            raise BadBackup(f"{name} is damaged: its checksum differs from the manifest.")
        between.seek(0)
        _save(to, to_name, File(between))
    return part


def read(source: Storage, name: str, into: "IO[bytes] | None" = None, *, part_name: str = "") -> Part:
    """Read a file to its end, and write its bytes into `into`. Returns its part. Raises `FileNotFoundError`."""
    digest, size = hashlib.sha256(), 0
    with source.open(name, "rb") as stream:
        for chunk in stream.chunks(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if into is not None:
                into.write(chunk)
    return Part(part_name or name, size, digest.hexdigest())


def fetch(source: Storage, part: Part, path: Path) -> None:
    """Copy a part of the backup to `path`. Raises `BadBackup` if it is missing or damaged."""
    try:
        with path.open("wb") as into:
            found = read(source, part.name, into)
    except FileNotFoundError as error:
        raise BadBackup(f"{part.name} is missing.") from error
    if found != part:
        raise BadBackup(f"{part.name} is damaged: its checksum differs from the manifest.")


def _save(to: Storage, name: str, content: "File[Any]") -> None:
    """Save under exactly this name. A storage that never overwrites would choose another one for a name in use."""
    if to.exists(name):
        to.delete(name)
    if (saved := to.save(name, content)) != name:
        raise BadBackup(f"The store keeps {name} as {saved}.")
