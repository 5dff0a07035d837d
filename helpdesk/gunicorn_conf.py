"""Gunicorn's settings, for the embedded and the production size. Start with
`gunicorn -c python:helpdesk.gunicorn_conf helpdesk.wsgi`."""

import os
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from helpdesk.logs import UNLOGGED_PATHS, JsonFormatter, PlainFormatter, printable, without_secrets
from helpdesk.variables import WrongVariables, is_production, refuse_unnamed_size, refuse_wrong
from helpdesk.watching import processes

refuse_wrong()  # here, so that the first process says it once, and not each of its children with a traceback


JSON_LINES = is_production(os.environ)


class DeskLog(Logger):
    """Gunicorn's logs without the tokens of guests' links and with every control character escaped; in production one
    JSON object per line, like all others. The error log quotes requests that cannot be read."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        if not self.access_log_enabled or environ.get("PATH_INFO") in UNLOGGED_PATHS:
            return
        if not JSON_LINES:
            super().access(resp, req, environ, request_time)
            return
        atoms = self.atoms(resp, req, environ, request_time)
        facts = {
            "request_id": atoms.get("{x-request-id}o", "-"),
            "address": atoms["h"],
            "method": atoms["m"],
            "path": atoms["U"],
            "status": int(str(atoms["s"])[:3]),
            "bytes": getattr(resp, "sent", 0),
            "ms": round(request_time.total_seconds() * 1000, 1),
        }
        self.access_log.info("%s %s", facts["method"], facts["path"], extra=facts)

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return {
            name: without_secrets(printable(_readable(value))) if isinstance(value, str) else value
            for name, value in atoms.items()
        }

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log, form in ((self.error_log, self.error_fmt), (self.access_log, self.access_fmt)):
            for handler in log.handlers:
                handler.setFormatter(JsonFormatter() if JSON_LINES else PlainFormatter(form, self.datefmt))


def _readable(text: str) -> str:
    """Return `text` with its bytes read as UTF-8; WSGI reads them as Latin-1. Unchanged if they are not UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def on_starting(server: Any) -> None:
    try:
        refuse_unnamed_size()
    except WrongVariables as error:
        raise SystemExit(str(error)) from error
    folder = os.environ.get("DESK_STATIC_ROOT")
    if JSON_LINES and folder and not os.access(Path(folder, "staticfiles.json"), os.R_OK):
        # helpdesk.wsgi would say it too, in each worker with a traceback.
        raise SystemExit(
            f"No static files can be read in DESK_STATIC_ROOT ({folder}): run manage.py collectstatic"
        )


def post_worker_init(worker: Any) -> None:
    """Gunicorn's hook: the worker has loaded the program and takes its first request next."""
    from helpdesk.warm_up import warm_up

    warm_up()


def child_exit(server: Any, worker: Any) -> None:
    """Gunicorn's hook: keep what the worker counted, and let go of its files."""
    processes.forget(worker.pid)


bind = os.environ.get("WEB_BIND") or "0.0.0.0:8000"
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
threads = int(os.environ.get("WEB_THREADS") or "8")  # DATABASE_POOL_SIZE must not be smaller
# DeadlineWorker is gthread that hangs up on visitors who are too slow. «sync» is for one thread, behind a proxy that
# waits for slow visitors (docs/decisions/0034-threads-by-default.md).
worker_class = "sync" if threads == 1 else "helpdesk.gunicorn_worker.DeadlineWorker"
timeout = 60
graceful_timeout = 20
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
# The folder in which all processes of this server count requests. Gunicorn sets it before it loads the program.
raw_env = [f"{processes.VARIABLE}={processes.folder()}"]
# Each worker touches a file to show that it is alive. The file is in memory: on a slow disk a worker could be taken for
# dead and killed.
SHARED_MEMORY = "/dev/shm"  # noqa: S108  (a file without a name)
worker_tmp_dir = SHARED_MEMORY if Path(SHARED_MEMORY).is_dir() else None
# helpdesk.middleware.trusted_proxies decides which proxies' X-Forwarded-* headers are used.
forwarded_allow_ips = ""
# The control socket would be in the home folder of the system user: all servers of that user would share it, and in a
# container the folder is not writable.
control_socket_disable = True
errorlog = "-"
logger_class = DeskLog
accesslog = os.environ.get("WEB_ACCESS_LOG") or None
# Without query strings: they contain searches.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms %({x-request-id}o)s'
loglevel = os.environ.get("WEB_LOG_LEVEL") or "info"
