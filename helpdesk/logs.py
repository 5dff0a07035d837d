"""Logging setup: JSON or plain lines, each with the id of its request or task, without the tokens of guests' links."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")

STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request_id", "request"}


GUESTS_LINK = re.compile(r"(/enlace/)(?!nuevo/)[^/\s\"'?]+")


def without_secrets(text: str) -> str:
    """Replace the tokens of guests' links in `text` by «…». Such a token opens a ticket, so no log may contain it."""
    return GUESTS_LINK.sub(r"\1…", text)


def report_without_secrets(event: Any, hint: Any) -> Any:
    """Remove the token of a guest's link from the URL of an error report before it is sent to SENTRY_DSN."""
    request = event.get("request", {})
    if "url" in request:
        request["url"] = without_secrets(request["url"])
    return event


def logging_config(*, json_lines: bool, level: str) -> dict[str, Any]:
    """Return the LOGGING setting: everything goes to standard error, where the process manager collects it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}},
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
                "filters": ["request_id"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        # Without this, Django's own handlers would write every line a second time.
        "loggers": {"django": {"handlers": []}, "django.server": {"handlers": [], "propagate": True}},
    }


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


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
        return without_secrets(json.dumps(line, ensure_ascii=False, default=str))
