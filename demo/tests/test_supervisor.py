"""The supervisor and the demo, with real processes. `alive` reads /proc, so these tests run on Linux only."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from content.tests import disks
from demo.run import ACCOUNTS, CannotStart, cannot_write, environment, reset, take_lock, take_port
from demo.supervisor import Child, ChildKeepsDying, Supervisor
from tools.servers import spare_port

pytestmark = pytest.mark.topology

# A child with a child of its own, like a web server with its workers.
FAMILY = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""
PARENT = """
import os, sys, time
from pathlib import Path
from demo.supervisor import Child, Supervisor
supervisor = Supervisor()
supervisor.start(Child("one", [sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1]), os.environ))
print(supervisor.children[0].process.pid, flush=True)
time.sleep(60)
"""


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid: int) -> set[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor(say=lambda line: None)
    yield made
    made.stop()


def child(tmp_path: Path, code: str = FAMILY) -> Child:
    return Child("one", [sys.executable, "-c", code], tmp_path / "one.log", os.environ)


def pid_of(one: Child) -> int:
    assert one.process is not None
    return one.process.pid


def test_killed_child_is_restarted(supervisor: Supervisor, tmp_path: Path):
    supervisor.start(one := child(tmp_path))
    first = pid_of(one)
    os.kill(first, signal.SIGKILL)

    until(lambda: supervisor.restart_dead() or (one.process is not None and one.process.pid != first))

    assert alive(pid_of(one))


def test_killed_child_leaves_no_grandchild(supervisor: Supervisor, tmp_path: Path):
    supervisor.start(one := child(tmp_path))
    until(lambda: descendants(pid_of(one)))
    family = descendants(pid_of(one))
    os.kill(pid_of(one), signal.SIGKILL)

    until(lambda: supervisor.restart_dead() or not any(map(alive, family)))


def test_stop_ends_children_and_grandchildren(supervisor: Supervisor, tmp_path: Path):
    supervisor.start(one := child(tmp_path))
    until(lambda: descendants(pid_of(one)))
    family = {pid_of(one)} | descendants(pid_of(one))

    supervisor.stop()

    until(lambda: not any(map(alive, family)))


def test_stop_kills_a_child_that_ignores_sigterm(supervisor: Supervisor, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("demo.supervisor.STOP_SECONDS", 0.3)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    supervisor.start(one := child(tmp_path, deaf))
    until(lambda: one.log.read_text())

    supervisor.stop()

    assert not alive(pid_of(one))


def test_child_that_keeps_dying_raises_with_its_log(supervisor: Supervisor, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("demo.supervisor.FIRST_PAUSE", 0.001)
    supervisor.start(child(tmp_path, "raise SystemExit(3)"))

    with pytest.raises(ChildKeepsDying, match=r"one no arranca \(código 3\)\. Mira .*one\.log"):
        until(lambda: supervisor.restart_dead())


def test_killing_the_supervisor_leaves_no_orphan(tmp_path: Path):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path / "log"],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()

        until(lambda: not alive(pid))


def command_line(pid: int) -> str:
    """Return the process's command line, or an empty string if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Demo:
    """`make demo` on a free port, in a folder of its own."""

    def __init__(self, var_dir: Path, port: int) -> None:
        self.var_dir, self.port, self.lines = var_dir, port, []
        env = {name: value for name, value in os.environ.items() if not name.startswith(("DESK_", "DJANGO_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo", "--port", str(port)],
            cwd=settings.BASE_DIR,
            env=env | {"DESK_VAR_DIR": str(var_dir)},
            stdout=subprocess.PIPE,
            text=True,
        )

    def read_until(self, text: str) -> None:
        while not self.lines or text not in self.lines[-1]:
            line = self.process.stdout.readline()
            assert line, f"it ended: {self.lines}"
            self.lines.append(line.rstrip("\n"))

    def logs(self) -> str:
        return "\n".join(f"{log.name}: {log.read_text()}" for log in (self.var_dir / "log").glob("*.log"))

    def family(self, module: str) -> set[int]:
        return {pid for pid in descendants(self.process.pid) if module in command_line(pid)}

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path / "var", spare_port())
    try:
        made.read_until("Listo:")
        yield made
    finally:
        made.stop()


def test_demo_survives_killed_worker_and_stops_completely(demo: Demo):
    assert demo.lines == [f"Listo: http://127.0.0.1:{demo.port}"]
    demo.read_until("Para terminar")
    assert [line.split()[0] for line in demo.lines if "@demo.test" in line] == list(ACCOUNTS)

    (worker,) = {pid for pid in demo.family("celery -A helpdesk worker") if os.getpgid(pid) == pid}
    os.kill(worker, signal.SIGKILL)
    until(
        lambda: {pid for pid in demo.family("celery -A helpdesk worker") if os.getpgid(pid) == pid} - {worker}
    )
    demo.read_until("worker terminó")

    # two processes of the web server, three of the worker, one scheduler
    until(lambda: len(descendants(demo.process.pid)) == 6, seconds=60)
    everybody = descendants(demo.process.pid)
    demo.stop()
    assert demo.process.returncode == 0
    assert not any(map(alive, everybody))


def test_second_demo_in_same_folder_names_the_first(tmp_path: Path):
    with take_lock(tmp_path) as lock:
        lock.write("http://127.0.0.1:8000 (proceso 7)\n")
        lock.flush()
        second = Demo(tmp_path, spare_port())
        output, _ = second.process.communicate(timeout=30)

    assert second.process.returncode == 1
    assert output == "Ya hay una demo en marcha: http://127.0.0.1:8000 (proceso 7)\n"


def test_demo_on_a_used_port_suggests_another(tmp_path: Path):
    port = spare_port()
    with take_port(port):
        demo = Demo(tmp_path, port)
        output, _ = demo.process.communicate(timeout=30)

    assert demo.process.returncode == 1
    assert output.startswith(f"No se puede usar el puerto {port}")
    assert f"make demo PORT={port + 1}" in output


def test_demo_ignores_the_database_of_the_environment(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://desk@production/desk")
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example.com")
    monkeypatch.setenv("DESK_ENV", "production")

    env = environment(tmp_path, 8000)

    assert not {"DATABASE_URL", "EMAIL_URL", "DESK_ENV"} & env.keys()
    assert env["DESK_DEMO"] == "1"


def test_reset_deletes_data_but_keeps_the_key(tmp_path: Path):
    kept = [tmp_path / "secret_key"]
    gone = [
        tmp_path / name for name in ("db.sqlite3", "db.sqlite3-wal", "media/one.png", "broker/queue/a.msg")
    ]
    for path in kept + gone:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")

    reset(tmp_path)

    assert [path for path in kept + gone if path.exists()] == kept


def test_reset_refuses_while_the_demo_runs(tmp_path: Path):
    (tmp_path / "db.sqlite3").write_text("x")
    with take_lock(tmp_path), pytest.raises(CannotStart, match="Ya hay una demo"):
        reset(tmp_path)

    assert (tmp_path / "db.sqlite3").exists()


# --- A folder that cannot be written ----------------------------------------------------------------------


def ended(var_dir: Path, *arguments: str) -> str:
    """Start the demo, which ends by itself with status 1, and return what it printed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DESK_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--port", str(spare_port()), *arguments],
        cwd=settings.BASE_DIR,
        env=env | {"DESK_VAR_DIR": str(var_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout


@pytest.mark.parametrize("place", ["media", "media/var"])
@pytest.mark.parametrize("arguments", [(), ("--reset",)])
def test_file_in_the_place_of_the_folder_is_said(tmp_path: Path, place: str, arguments: tuple[str, ...]):
    with disks.absent(tmp_path / "media"):
        said = ended(tmp_path / place, *arguments)

    assert said == (
        f"La demo no puede escribir en {tmp_path / place}: hay un archivo en su lugar. Corrígelo o usa otra carpeta: "
        "DESK_VAR_DIR=/otra/carpeta make demo\n"
    )


@pytest.mark.parametrize("has_run", [False, True])
def test_read_only_folder_is_said(tmp_path: Path, has_run: bool):
    with disks.disk_of(100_000, tmp_path / "var") as is_real:
        if has_run:
            (tmp_path / "var" / "demo.lock").write_text("")
        if is_real:
            disks.make_read_only(tmp_path / "var")
            said = ended(tmp_path / "var")
        else:
            said = cannot_write(tmp_path / "var", OSError(errno.EROFS, "Read-only file system"))

    assert said.startswith(f"La demo no puede escribir en {tmp_path / 'var'}: el disco es de solo lectura.")


def test_full_disk_is_said(tmp_path: Path):
    with disks.disk_of(600, tmp_path / "var") as is_real:
        if is_real:
            said = ended(tmp_path / "var")
        else:
            said = cannot_write(tmp_path / "var", OSError(errno.ENOSPC, "No space left on device"))

    assert said.startswith(f"El disco de {tmp_path / 'var'} está lleno: quedan ")
    assert "la demo necesita 60." in said


def test_errors_that_are_not_about_the_folder_are_no_sentence(tmp_path: Path):
    assert cannot_write(tmp_path, BrokenPipeError(errno.EPIPE, "Broken pipe")) == ""
