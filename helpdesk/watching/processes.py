"""The folder in which the web processes of one server count their requests, so that any of them can answer /metrics for
all. Called by `helpdesk.gunicorn_conf`, in the process that starts the others.

This imports prometheus_client only inside functions: it decides at its import whether to count in the folder.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
KINDS = ("counter", "histogram")


def begin() -> None:
    """Make an empty folder and name it in the environment, unless the operator has named one."""
    if not os.environ.get(VARIABLE):
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix="desk-metrics-")


def end() -> None:
    """Delete the folder. One that the operator has named stays."""
    folder = os.environ.get(VARIABLE, "")
    if Path(folder).name.startswith("desk-metrics-"):
        shutil.rmtree(folder, ignore_errors=True)


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

    folder = Path(os.environ[VARIABLE])
    with locked(exclusive=True):
        for kind in KINDS:
            own = folder / f"{kind}_{pid}.db"
            if not own.exists():
                continue
            total = MmapedDict(str(folder / f"{kind}_0.db"))
            for key, value, _stamp, _position in MmapedDict.read_all_values_from_file(str(own)):
                total.write_value(key, total.read_value(key)[0] + value, 0.0)
            total.close()
            own.unlink()
