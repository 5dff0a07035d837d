"""Run the product's web server on a free port."""

import os
import re
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench import machine
from bench.database import ROOT
from tools.servers import spare_port

START_SECONDS = 30
CLASSES = {"gthread": "helpdesk.gunicorn_worker.DeadlineWorker", "sync": "sync"}


def options_of(name: str) -> list[str]:
    """Return gunicorn's options for `gthread:2x8` (workers × threads) or `sync:4`. Raises `ValueError`."""
    found = re.fullmatch(r"(gthread|sync):([1-9][0-9]?)(?:x([1-9][0-9]?))?", name)
    if found is None:
        raise ValueError(f"«{name}» is not like gthread:2x8 or sync:4")
    kind, workers, threads = found.groups()
    return ["--worker-class", CLASSES[kind], "--workers", workers, "--threads", threads or "1"]


class Server:
    """gunicorn with the shipped configuration, in which `options` of its command line replace some values."""

    def __init__(self, env: dict[str, str], options: list[str] | None = None) -> None:
        self.port = spare_port()
        self.log = Path(env["DESK_VAR_DIR"]) / "web.log"
        command = [sys.executable, "-m", "gunicorn", "-c", "python:helpdesk.gunicorn_conf", "helpdesk.wsgi"]
        own = {"WEB_BIND": f"127.0.0.1:{self.port}", "WEB_LOG_LEVEL": "warning"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *(options or ())], cwd=ROOT, env=env | own, stdout=log, stderr=log
            )

    def __enter__(self) -> "Server":
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise SystemExit(
                    f"The server does not start. Its last words are in {os.path.relpath(self.log)}"
                )
            time.sleep(0.05)
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def workers(self) -> list[int]:
        return machine.children(self.process.pid)

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
