"""Logging setup: JSON or plain lines, each with the id of its request or task, without the tokens of guests' links, and
with every control character escaped: what a visitor sends must not forge a line or steer the terminal that shows it."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from helpdesk.database_errors import is_away

request_id: ContextVar[str] = ContextVar("request_id", default="-")

STANDARD = set(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "request_id",
    "request",
    "data",
}
"""What a line has anyway, or must not have: Celery's `data` repeats message and traceback."""

SECRET_LINK = re.compile(
    r"(/enlace/(?!nuevo/)|/desde/app/|/asistente/marco/|/cuenta/clave/primera/(?!lista/))[^/\s\"'?]+"
)
INDENT = "    "
# They write lines at INFO for what happens every second: tasks sent, received and done, connections taken from a pool.
# A slow or failed task is a line of ours (helpdesk/celery.py) or a warning of theirs. A worker that comes back after
# four minutes would write 99 lines for wake-up calls that nobody needs any more (celery.worker.request).
TALKATIVE = (
    "celery.beat",
    "celery.worker.strategy",
    "celery.worker.request",
    "celery.app.trace",
    "psycopg.pool",
)
UNLOGGED_PATHS = ("/healthz", "/readyz")
"""Probes come every few seconds. They are in no access log; a failed check of /readyz is a line of its own."""


def without_secrets(text: str) -> str:
    """Replace the tokens of guests' links, of links of apps and of an administrator's first link in `text` by «…».
    Such a token opens a ticket or an account, so no log may contain it."""
    return SECRET_LINK.sub(r"\1…", text)


def printable(text: str) -> str:
    r"""Escape what is not printable as Python does: line breaks, terminal sequences, invisible and bidirectional
    characters, lone surrogates. «\n» stays one line, «\x1b[2J» clears no screen."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def printable_json(text: str) -> str:
    """Escape what is not printable in `text`, which is JSON, so that it stays the same JSON."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def report_without_secrets(event: Any, hint: Any) -> Any:
    """Return an error report as it may be sent to SENTRY_DSN: without query strings, which hold searches, and without
    the tokens of links, also in the log lines before the error and in its text. Returns None, which sends nothing,
    while the database is away: every request would be a report."""
    if is_away((hint.get("exc_info") or (None, None, None))[1]):
        return None
    request = event.get("request", {})
    request.pop("query_string", None)
    request.get("headers", {}).pop("Referer", None)
    return _deeply_without_secrets(event)


def _deeply_without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {name: _deeply_without_secrets(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_deeply_without_secrets(inner) for inner in value]
    return value


def logging_config(*, json_lines: bool, level: str) -> dict[str, Any]:
    """Return the LOGGING setting: everything goes to standard error, where the process manager collects it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}, "refusals": {"()": RefusalFilter}},
        "formatters": {
            "json": {"()": JsonFormatter},
            "plain": {
                "()": PlainFormatter,
                "fmt": "{asctime} {levelname:<7} {name} [{request_id}] {message}",
                "style": "{",
            },
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "json" if json_lines else "plain",
                "filters": ["request_id", "refusals"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Without this, Django's own handlers would write every line a second time.
            "django": {"handlers": []},
            "django.server": {"handlers": [], "propagate": True},
            # Celery's processes («exited with signal 9»). It passes nothing on and has no handler: Python prints it.
            "multiprocessing": {"handlers": ["console"], "propagate": False},
            **{name: {"level": "WARNING" if level == "INFO" else level} for name in TALKATIVE},
        },
    }


class RequestIdFilter(logging.Filter):
    """Give a record the id of its request. Django writes some lines after the middleware has ended, but these name
    their request, which keeps its id."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "desk_request_id", None) or request_id.get()
        return True


class RefusalFilter(logging.Filter):
    """Drop the traceback of a request that Django refused, and of what failed because the database is away: it shows no
    fault of ours, and a thousand such requests must not write a thousand tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        refused = record.name.startswith("django.security.") or (
            record.name == "django.request" and getattr(record, "status_code", 500) < 500
        )
        if refused or (record.exc_info and is_away(record.exc_info[1])):
            record.exc_info = None
        return True


class PlainFormatter(logging.Formatter):
    """One line for each record. The lines of a traceback are indented, because the text of an exception may contain a
    line break and then something that looks like a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        return without_secrets(printable(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802  (logging's name)
        lines = super().formatException(ei).splitlines()
        return without_secrets("\n".join(INDENT + printable(line) for line in lines))


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        line |= {name: value for name, value in vars(record).items() if name not in STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return without_secrets(printable_json(json.dumps(line, ensure_ascii=False, default=str)))
