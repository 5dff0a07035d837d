"""Start a private PostgreSQL or Redis server on a free port, for tests that need one and must not share it. Uses the
binaries of the distribution. The data are in a temporary folder that is deleted with the server."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psycopg
import redis

START_SECONDS = 30


class CannotServe(Exception):
    """The server is not installed or does not start. The message says which server."""


def spare_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(answers: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> None:
    """Wait until `answers()` is true. Raises `CannotServe` if the process ends or START_SECONDS have passed."""
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotServe(f"{what} does not start")
        time.sleep(0.05)


class Server:
    """A server process with its own port and folder. It can be stopped and started again, with the same port and
    data."""

    name: str

    def __init__(self) -> None:
        self.port = spare_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"desk-{self.name}-"))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Return further arguments for Popen: the system user to run as."""
        return {}

    def start(self) -> Self:
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            self.command(), cwd=self.folder, stdout=log, stderr=log, start_new_session=True, **self.options()
        )
        log.close()
        wait_for(self.answers, self.process, self.name)
        return self

    def stop(self, number: int = signal.SIGINT) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Server):
    name = "postgresql"

    def __init__(self) -> None:
        super().__init__()
        self.data = self.folder / "data"
        if os.geteuid() == 0:  # the server refuses to run as root; Debian's package creates the user postgres
            shutil.chown(self.folder, "postgres", "postgres")
        # --no-sync: the data need not survive a power failure.
        initdb = [
            self.binary("initdb"),
            "-D",
            str(self.data),
            "-U",
            "desk",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd=self.folder, **self.options())

    @staticmethod
    def binary(name: str) -> str:
        debian = sorted(
            Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4])
        )
        found = str(debian[-1]) if debian else shutil.which(name)
        if found is None:
            raise CannotServe("PostgreSQL is not installed (apt install postgresql)")
        return found

    @property
    def url(self) -> str:
        return f"postgres://desk@127.0.0.1:{self.port}/postgres"

    def options(self) -> dict[str, Any]:
        as_root = os.geteuid() == 0
        return {"user": "postgres", "group": "postgres", "extra_groups": []} if as_root else {}

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": "60",
        }
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        return [
            self.binary("postgres"),
            "-D",
            str(self.data),
            "-p",
            str(self.port),
            "-k",
            str(self.folder),
            *arguments,
        ]

    def answers(self) -> bool:
        return postgres_answers(self.url)


class Redis(Server):
    name = "redis"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        binary = shutil.which("redis-server") or shutil.which("valkey-server")
        if binary is None:
            raise CannotServe("Redis is not installed (apt install redis-server)")
        return [
            binary,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--appendonly",
            "yes",
        ]

    def answers(self) -> bool:
        return redis_answers(self.url)


def postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def redis_answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2)
    try:
        client.ping()
    except redis.RedisError:
        return False
    finally:
        client.close()
    return True
