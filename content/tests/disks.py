"""Disks that are full or read-only: small file systems in memory. Where this process may not mount one, a file lies in
the place of the folder instead: an error of the system, too, though another one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
    with disk_of(64, folder) as is_real:
        if is_real:
            (folder / "ballast").write_bytes(bytes(free_bytes(folder)))
        else:
            put_a_file_in_its_place(folder)
        yield


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    with disk_of(64, folder) as is_real:
        if is_real:
            make_read_only(folder)
        else:
            put_a_file_in_its_place(folder)
        yield


def make_read_only(folder: Path) -> None:
    """Forbid all writing on the disk that is mounted at `folder`."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


@contextmanager
def absent(folder: Path) -> Iterator[None]:
    """Let a file lie where the folder should be."""
    folder.mkdir(parents=True, exist_ok=True)
    put_a_file_in_its_place(folder)
    yield


def put_a_file_in_its_place(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("")


BROKEN = {"full": full, "read-only": read_only, "absent": absent}
