"""/metrics of a server with several processes, one of which is killed."""

import http.client
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from e2e.processes import Stack, command_of
from e2e.waiting import until

pytestmark = pytest.mark.topology
HOME = re.compile(
    r'^desk_requests_total\{method="GET",route="portal:home",status="200"\} (\S+)$', re.MULTILINE
)


def get(port: int, path: str) -> str:
    """Ask on a connection of its own, so that the server gives it to any of its processes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def counted(port: int) -> float:
    found = HOME.search(get(port, "/metrics"))
    return float(found[1]) if found else 0.0


def workers_of(master: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(master)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def test_killed_process_takes_no_count_along_and_leaves_no_folder(tmp_path: Path) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    with Stack.embedded(tmp_path / "desk") as stack:
        port = stack.ports[0]
        stack.manage("migrate", "--verbosity=0")
        stack.start(
            "web", command_of("web"), WEB_BIND=f"127.0.0.1:{port}", WEB_CONCURRENCY="2", TMPDIR=str(shared)
        )
        until(lambda: get(port, "/healthz"), stack.log_tails)
        for _request in range(30):
            get(port, "/")
        assert counted(port) == 30

        master = stack.children["web"].process.pid
        first = workers_of(master)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: first[0] not in workers_of(master) and len(workers_of(master)) == 2, stack.log_tails)
        get(port, "/")

        until(lambda: counted(port) == 31, lambda: f"31 requests, not {counted(port)}")
        stack.children["web"].process.terminate()
        stack.children["web"].process.wait(20)
    assert list(shared.iterdir()) == []
