"""Disks that are full or read-only: small file systems in memory where mounting is allowed, else errors of the same
numbers."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage


@contextmanager
def disk_of(kilobytes: int, folder: Path) -> Iterator[bool]:
    """Mount a disk of this size at `folder`. Yields False if this process may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={kilobytes}k,mode=777"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Let `folder` be a disk without a free byte."""
    with disk_of(64, folder) as is_real, pytest.MonkeyPatch.context() as patch:
        if is_real:
            (folder / "ballast").write_bytes(bytes(free_bytes(folder)))
        else:
            patch.setattr(FileSystemStorage, "_save", _stops_after(4096, errno.ENOSPC))
        yield


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    with disk_of(64, folder) as is_real, pytest.MonkeyPatch.context() as patch:
        if is_real:
            make_read_only(folder)
        else:
            patch.setattr(FileSystemStorage, "_save", _stops_after(0, errno.EROFS))
        yield


def make_read_only(folder: Path) -> None:
    """Forbid all writing on the disk that is mounted at `folder`."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


@contextmanager
def absent(folder: Path) -> Iterator[None]:
    """Let a file lie where the folder should be."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("")
    yield


BROKEN = {"full": full, "read-only": read_only, "absent": absent}


def _stops_after(length: int, number: int):
    def save(self, name, content):
        path = Path(self.path(name))
        if length:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read(length))
        raise OSError(number, os.strerror(number))

    return save
