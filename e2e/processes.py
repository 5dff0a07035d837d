"""Start the product's processes as in production or as in the demo, each on a free port.

The commands are read from docker-compose.yml. Every process is stopped by its own id.
"""

import http.client
import os
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import yaml

from demo.run import NOT_FOR_THE_DEMO
from demo.run import environment as demo_environment
from demo.supervisor import Child
from e2e.waiting import until
from tools.servers import spare_port

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60
STOP_SECONDS = 10
COMMANDS = {
    name: service["command"]
    for name, service in yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].items()
    if name in ("web", "worker", "mailer", "beat", "migrate")
}


def command_of(service: str) -> list[str]:
    """Return the service's command line, changed to use this Python."""
    program, *arguments = shlex.split(COMMANDS[service])
    module = [] if program == "python" else ["-m", program]
    return [sys.executable, *module, *arguments]


class Stack:
    """Web, worker and beat processes that share a database, a broker and a mail backend."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder, self.env = folder, dict(env)
        self.children: dict[str, Child] = {}
        self.ports: list[int] = []

    @classmethod
    def production(cls, folder: Path, *, database: str, redis: str, smtp_port: int, webs: int = 2) -> Self:
        ports = [spare_port() for _ in range(webs)]
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(NOT_FOR_THE_DEMO)
        }
        stack = cls(
            folder,
            inherited
            | {
                "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
                "PYTHONPATH": str(ROOT),
                "DESK_ENV": "production",
                "SECRET_KEY": secrets.token_urlsafe(60),
                "DATABASE_URL": database,
                "REDIS_URL": redis,
                "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
                "ALLOWED_HOSTS": "127.0.0.1",
                "DESK_BASE_URL": f"http://127.0.0.1:{ports[0]}",
                "DESK_ALLOW_HTTP": "1",
                "DESK_SUPPORT_EMAIL": "soporte@mesadeayuda.test",
                "DESK_VAR_DIR": str(folder),
                "DESK_STATIC_ROOT": str(folder / "static"),
                "WEB_CONCURRENCY": "1",
                "WEB_THREADS": "4",
            },
        )
        stack.ports = ports
        return stack

    @classmethod
    def embedded(cls, folder: Path) -> Self:
        """Return a stack like that of `make demo`: SQLite, a file-based queue, mails shown at /correo/."""
        port = spare_port()
        stack = cls(folder, demo_environment(folder, port))
        stack.ports = [port]
        return stack

    def run(self, *command: str) -> str:
        """Run a command with this stack's settings and return its output. Fails the test if the command fails."""
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def manage(self, *arguments: str) -> str:
        return self.run(sys.executable, "manage.py", *arguments)

    def start(self, name: str, command: list[str], **extra: str) -> None:
        child = Child(name, command, self.folder / "log" / f"{name}.log", self.env | extra)
        child.start()
        self.children[name] = child

    def start_all(self, *, workers: int, mail_apart: bool = True) -> None:
        """Start everything: `workers` for mail and as many for all other work, or `workers` that do both."""
        for number, port in enumerate(self.ports, start=1):
            self.start(f"web{number}", command_of("web"), WEB_BIND=f"127.0.0.1:{port}")
        for number in range(1, workers + 1):
            if mail_apart:
                self.start_worker(f"worker{number}")
                self.start_worker(f"mailer{number}")
            else:
                self.start_worker(f"worker{number}", "--queues=desk,mail")
        self.start("beat", command_of("beat"))

    def start_worker(self, name: str, *options: str) -> None:
        """Start a worker for everything but mail («worker1»), or one for mail («mailer1»)."""
        service = name.rstrip("0123456789")
        self.start(name, [*command_of(service), f"--hostname={name}@%h", "--concurrency=2", *options])

    def wait_until_ready(self) -> None:
        for port in self.ports:
            until(
                lambda port=port: self.is_ready(port),
                lambda port=port: f"/readyz on port {port}\n{self.log_tails()}",
                READY_SECONDS,
            )

    @staticmethod
    def is_ready(port: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def url(self, path: str = "/", web: int = 0) -> str:
        return f"http://127.0.0.1:{self.ports[web]}{path}"

    def kill(self, name: str) -> None:
        """Send SIGKILL to the process and all its descendants, as in a power failure."""
        child = self.children.pop(name)
        child.signal_group(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()

    def kill_owner(self, pid: int) -> str:
        """Kill the child of this stack whose process group contains `pid`, and return the child's name."""
        group = os.getpgid(pid)
        name = next(
            name for name, child in self.children.items() if child.process and child.process.pid == group
        )
        self.kill(name)
        return name

    def alive(self) -> dict[str, bool]:
        return {name: bool(c.process and c.process.poll() is None) for name, c in self.children.items()}

    def log_tails(self) -> str:
        """Return the end of every log, for the message of a failed test."""
        logs = sorted((self.folder / "log").glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for child in self.children.values():
            if child.process is not None:
                child.process.terminate()
        for child in self.children.values():
            if child.process is not None:
                try:
                    child.process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    pass
                child.signal_group(signal.SIGKILL)
                child.process.wait()
        self.children.clear()
