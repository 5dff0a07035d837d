"""Gunicorn's settings, for every size. `gunicorn -c python:helpdesk.gunicorn_conf helpdesk.wsgi`"""

import os
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from helpdesk.logs import without_secrets


class AccessLog(Logger):
    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return {**atoms, "U": without_secrets(atoms["U"])}


bind = os.environ.get("WEB_BIND", "0.0.0.0:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))  # keep DATABASE_POOL_SIZE at this number or above
timeout = 60
graceful_timeout = 20
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
# Workers prove that they live by touching a file: in memory, so that a slow disk does not get them killed.
SHARED_MEMORY = "/dev/shm"  # noqa: S108  (a file without a name)
worker_tmp_dir = SHARED_MEMORY if Path(SHARED_MEMORY).is_dir() else None
# helpdesk.middleware.trusted_proxies decides whose X-Forwarded-* headers count.
forwarded_allow_ips = ""
# Its socket would stand in the home of whoever runs the server: shared by every server of theirs, and not writable
# in a container.
control_socket_disable = True
errorlog = "-"
logger_class = AccessLog
accesslog = os.environ.get("WEB_ACCESS_LOG") or None
access_log_format = (
    '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms %({x-request-id}o)s'  # no query strings: they carry searches
)
loglevel = os.environ.get("WEB_LOG_LEVEL", "info")
