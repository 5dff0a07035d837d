"""Run `make demo`: web, worker and scheduler on this machine, with invented data. This module does not import Django,
so it can start the processes at once; each of them imports Django in parallel."""

import argparse
import errno
import fcntl
import http.client
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from demo.supervisor import Child, ChildKeepsDying, Supervisor

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 90
ROOM_MB = 60
"""The demo starts with less than 5 MB of data; uploads of people who try it need the rest."""
PASSWORD = "demo-mesa-2026"  # noqa: S105  (public: it works in the demo only)
ACCOUNTS = {
    "cliente@demo.test": "cliente",
    "inactivo@demo.test": "cliente con estatus inactivo",
    "agente@demo.test": "agente",
    "tecnico@demo.test": "agente de Soporte técnico",
    "supervisor@demo.test": "supervisor",
    "admin@demo.test": "administrador",
}
# Environment variables that the demo ignores (names or prefixes). It uses only its own folder: its data must not reach
# a real database, nor its mails a real inbox.
NOT_FOR_THE_DEMO = (
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "DESK_",
    "S3_",
    "SENTRY_",
    "ANYMAIL_",
    "ALLOWED_HOSTS",
    "DEBUG",
)


class CannotStart(Exception):
    """The demo cannot start. The message says why and what to do."""


ELSEWHERE = "usa otra carpeta: DESK_VAR_DIR=/otra/carpeta make demo"
CANNOT_WRITE = {
    errno.EROFS: "el disco es de solo lectura",
    errno.EACCES: "no tienes permiso",
    errno.EPERM: "no tienes permiso",
    errno.ENOTDIR: "hay un archivo en su lugar",
    errno.EEXIST: "hay un archivo en su lugar",
    errno.EISDIR: "hay una carpeta donde va un archivo",
    errno.EIO: "el disco falla",
}
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def cannot_write(var_dir: Path, error: OSError) -> str:
    """Return the sentence for an error of the demo's folder; empty if the error is about something else."""
    if error.errno in DISK_FULL:
        return no_room(var_dir)
    why = CANNOT_WRITE.get(error.errno or 0)
    return f"La demo no puede escribir en {var_dir}: {why}. Corrígelo o {ELSEWHERE}" if why else ""


def no_room(var_dir: Path) -> str:
    return (
        f"El disco de {var_dir} está lleno: quedan {free_mb(var_dir)} MB y la demo necesita {ROOM_MB}. "
        f"Libera espacio o {ELSEWHERE}"
    )


def free_mb(var_dir: Path) -> int:
    """Return the free megabytes of the disk of `var_dir`, which need not exist yet."""
    existing = next(folder for folder in (var_dir, *var_dir.parents) if folder.is_dir())
    return shutil.disk_usage(existing).free // 1_000_000


def require_room(var_dir: Path) -> None:
    """Raise `CannotStart` if the demo would soon fill the disk: its processes would end with tracebacks in a log that
    cannot be written."""
    if free_mb(var_dir) < ROOM_MB:
        raise CannotStart(no_room(var_dir))


def environment(var_dir: Path, port: int) -> dict[str, str]:
    """Return the environment of the demo's processes. Makes the folder for temporary files."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(NOT_FOR_THE_DEMO)}
    temporary = var_dir / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return env | {
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "DESK_DEMO": "1",
        "DESK_VAR_DIR": str(var_dir),
        "DESK_REPLY_DOMAIN": "responder.demo.test",
        "DESK_SUPPORT_PHONE": "+58 212 555 0100",
        "DESK_SUPPORT_WHATSAPP": "+58 412 555 0100",
        "DESK_ASSISTANT_NAME": "Parkibot",
        "DESK_ASSISTANT_FACE": "car",
        # The page of the demo that shows the widget opens it from the other name of this machine, as another site does.
        "DESK_WIDGET_ORIGINS": f"http://localhost:{port},http://127.0.0.1:{port}",
        "PORT": str(port),
        # The queue moves its files through this folder, so it must be private and on the same disk.
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "WEB_CONCURRENCY": "1",
        "WEB_LOG_LEVEL": "warning",
        "LOG_LEVEL": "WARNING",
        "CELERY_SKIP_CHECKS": "1",
    }


def take_lock(var_dir: Path) -> IO[str]:
    """Lock `var_dir` and return the open lock file. Raises `CannotStart` if a demo runs in this folder already: two
    would share a database, a queue and a schedule."""
    var_dir.mkdir(parents=True, exist_ok=True)
    lock = (var_dir / "demo.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with lock:
            lock.seek(0)
            first = lock.read().strip()
        raise CannotStart(f"Ya hay una demo en marcha: {first or 'todavía está arrancando'}") from None
    return lock


def take_port(port: int) -> socket.socket:
    """Return a socket that listens on `port`. Raises `CannotStart` if the port is in use."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"No se puede usar el puerto {port} ({error.strerror}). Prueba con otro: make demo PORT={port + 1}"
        ) from None
    listener.listen(64)
    return listener


def ask_readiness(port: int) -> tuple[bool, str]:
    """Return whether /readyz answers 200, and the names of the checks that fail."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        checks = json.load(response)["checks"]
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return False, "web"
    finally:
        connection.close()
    return response.status == 200, ", ".join(name for name, check in checks.items() if not check["ok"])


def reset(var_dir: Path) -> None:
    """Delete the demo's data but keep its secret key. Raises `CannotStart` while the demo runs."""
    with take_lock(var_dir):
        for name in ("media", "broker", "cache", "log", "tmp"):
            shutil.rmtree(var_dir / name, ignore_errors=True)
        for path in var_dir.glob("db.sqlite3*"):
            path.unlink()


def prepare(env: dict[str, str], supervisor: Supervisor) -> subprocess.Popen[str]:
    """Start the process that migrates and loads the data. Returns it once the tables exist; it loads the data while
    the other processes start."""
    loading = subprocess.Popen(
        [sys.executable, "manage.py", "prepare_demo"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )
    while not supervisor.stopping:
        supervisor.restart_dead()
        if loading.stdout and select.select([loading.stdout], [], [], 0.1)[0]:
            if loading.stdout.readline().startswith("migrated"):
                break
            if loading.poll() is not None:
                raise CannotStart(
                    "No se pudo preparar la base de datos. Para empezar de cero: make demo-reset"
                )
    return loading


def run(var_dir: Path, port: int) -> None:
    require_room(var_dir)
    with take_lock(var_dir) as lock, take_port(port) as listener:
        lock.truncate(0)
        lock.write(f"http://127.0.0.1:{port} (proceso {os.getpid()})\n")
        lock.flush()
        supervisor = Supervisor(say=say)
        supervisor.listen()
        env = environment(var_dir, port)
        python = [sys.executable, "-m"]
        celery = [*python, "celery", "-A", "helpdesk"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        logs = var_dir / "log"
        serve = f"gunicorn -c python:helpdesk.gunicorn_conf --bind fd://{listener.fileno()} helpdesk.wsgi"
        web = [*python, *serve.split()]
        loading = None
        work = [*celery, "worker", "--concurrency=2", *quiet]
        beat = [*celery, "beat", "--pidfile="]
        try:
            supervisor.start(Child("web", web, logs / "web.log", env, pass_fds=(listener.fileno(),)))
            loading = prepare(env, supervisor)
            # These processes run with a lower priority than the one that loads the data, because the demo is not ready
            # before the data are loaded.
            supervisor.start(Child("worker", work, logs / "worker.log", env, niceness=5))
            supervisor.start(Child("beat", beat, logs / "beat.log", env, niceness=5))
            wait_until_ready(supervisor, loading, port)
            while not supervisor.stopping:
                supervisor.restart_dead()
                time.sleep(0.2)
        finally:
            say("\nDeteniendo…")
            if loading is not None:
                loading.terminate()
            supervisor.stop()
    say("Detenido.")


def wait_until_ready(supervisor: Supervisor, loading: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    missing = "web"
    while not supervisor.stopping:
        supervisor.restart_dead()
        if (code := loading.poll()) is not None:
            if code:
                raise CannotStart("No se pudieron cargar los datos de la demo. Prueba: make demo-reset")
            ready, missing = ask_readiness(port)
            if ready:
                announce(port)
                return
        if time.monotonic() > deadline:
            raise CannotStart(
                f"Pasaron {READY_SECONDS} s y todavía falta: {missing}. Los registros están en var/log/"
            )
        time.sleep(0.1)


def announce(port: int) -> None:
    say(f"Listo: http://127.0.0.1:{port}")
    say("")
    say(f"Cuentas, todas con la clave {PASSWORD}:")
    for address, role in ACCOUNTS.items():
        say(f"  {address:<22} {role}")
    say("")
    say(f"Los correos que envía: http://127.0.0.1:{port}/correo/   Para terminar: Ctrl-C")


def say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument("--reset", action="store_true", help="forget all data and stop there")
    arguments = parser.parse_args()
    var_dir = Path(os.environ.get("DESK_VAR_DIR", ROOT / "var")).resolve()
    try:
        if arguments.reset:
            reset(var_dir)
            say("La demo empieza de cero la próxima vez: make demo")
        else:
            run(var_dir, arguments.port)
    except (CannotStart, ChildKeepsDying) as error:
        # Whatever failed first: on a full disk it is the disk.
        say(str(error) if free_mb(var_dir) else no_room(var_dir))
        return 1
    except OSError as error:
        sentence = cannot_write(var_dir, error)
        if not sentence:
            raise
        say(sentence)
        return 1
    return 0
