"""The manifest of a backup: what is in it, and how to tell that it is whole."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import IO, Any, Self

from django.utils.crypto import salted_hmac

FORMAT = 1
MANIFEST = "manifest.json"
FILE_LIST = "files.jsonl"
FILES = "files"
"""The folder of the backup that holds the files, each under its name in the store."""


class BadBackup(Exception):
    """The backup is incomplete, damaged or not for this installation. The message is for the operator."""


@dataclass(frozen=True)
class Part:
    """One file of the backup: its name, and the size and SHA-256 of its bytes."""

    name: str
    size: int
    sha256: str

    def line(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode() + b"\n"


def parts_in(lines: IO[bytes]) -> Iterator[Part]:
    """Return the parts of a file list, one from each line. Reads it piece by piece: it may have a million lines."""
    for line in lines:
        yield Part(**json.loads(line))


@dataclass(frozen=True)
class Manifest:
    """`missing` are files that rows named and the store did not have. `deleted_meanwhile` are files whose rows were
    deleted between the snapshot of the database and the copying of the files: a restore deletes these rows too."""

    version: str
    made_at: str
    vendor: str
    secret_key_mark: str
    database: Part
    file_list: Part
    file_count: int
    file_bytes: int
    rows: dict[str, int]
    migrations: dict[str, list[str]]
    missing: list[str] = field(default_factory=list)
    deleted_meanwhile: list[str] = field(default_factory=list)
    format: int = FORMAT

    def dump(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @classmethod
    def load(cls, source: bytes) -> Self:
        """Raises `BadBackup` for a text that is no manifest, and for one of a later format."""
        try:
            values: dict[str, Any] = json.loads(source)
            if values["format"] != FORMAT:
                raise BadBackup(f"The backup has format {values['format']}; this version reads {FORMAT}.")
            for name in ("database", "file_list"):
                values[name] = Part(**values[name])
            return cls(**values)
        except (ValueError, KeyError, TypeError) as error:
            raise BadBackup(f"{MANIFEST} cannot be read: {error}") from error

    @property
    def made(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


def secret_key_mark() -> str:
    """Return a hash of SECRET_KEY by which a restore notices that the installation has another one."""
    return salted_hmac("helpdesk.backup", "secret key", algorithm="sha256").hexdigest()[:16]
