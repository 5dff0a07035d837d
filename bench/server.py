"""Run the product's web server on a free port, with one process: the bench sends one request at a time."""

import os
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.database import ROOT
from tools.servers import spare_port

START_SECONDS = 30


class Server:
    def __init__(self, env: dict[str, str]) -> None:
        self.port = spare_port()
        self.log = Path(env["DESK_VAR_DIR"]) / "web.log"
        command = [sys.executable, "-m", "gunicorn", "-c", "python:helpdesk.gunicorn_conf", "helpdesk.wsgi"]
        own = {"WEB_BIND": f"127.0.0.1:{self.port}", "WEB_CONCURRENCY": "1", "WEB_LOG_LEVEL": "warning"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env | own, stdout=log, stderr=log)

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

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
