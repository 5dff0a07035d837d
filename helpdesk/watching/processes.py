"""The folder in which the web processes of one server count their requests, so that any of them can answer /metrics for
all. Called by `helpdesk.gunicorn_conf`, in the process that starts the others.

This imports prometheus_client only inside functions: it decides at its import whether to count in the folder.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "desk-metrics-"
KINDS = ("counter", "histogram")


def folder() -> str:
    """Return the folder that the operator has named in the environment, or make an empty one. It is deleted when this
    process ends, and those of processes that were killed are deleted now."""
    if named := os.environ.get(VARIABLE):
        return named
    for former in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = former.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and (int(owner) == os.getpid() or not _is_alive(int(owner))):
            shutil.rmtree(former, ignore_errors=True)
    made = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
    atexit.register(_delete, made, os.getpid())
    return made


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _delete(made: str, owner: int) -> None:
    """Delete the folder, unless this is a child of its owner: children inherit what runs at the end."""
    if os.getpid() == owner:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def locked(*, exclusive: bool) -> Iterator[None]:
    """Keep readers of the folder from seeing a count twice, or not at all, while `forget` moves it."""
    with (Path(os.environ[VARIABLE]) / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield


def forget(pid: int) -> None:
    """Add what a process that has ended counted to one file of all that have ended, and delete its own: a server that
    replaces its processes for months must not keep a file for each."""
    from prometheus_client.mmap_dict import MmapedDict

    counts = Path(os.environ[VARIABLE])
    with locked(exclusive=True):
        for kind in KINDS:
            own = counts / f"{kind}_{pid}.db"
            if not own.exists():
                continue
            total = MmapedDict(str(counts / f"{kind}_0.db"))
            for key, value, _stamp, _position in MmapedDict.read_all_values_from_file(str(own)):
                total.write_value(key, total.read_value(key)[0] + value, 0.0)
            total.close()
            own.unlink()
