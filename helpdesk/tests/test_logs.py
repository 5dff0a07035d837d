import json
import logging
import sys
from datetime import timedelta
from types import SimpleNamespace

from gunicorn.config import Config

from helpdesk.gunicorn_conf import AccessLog
from helpdesk.logs import JsonFormatter, PlainFormatter, without_secrets


def record(level: int, message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.getLogger("desk").makeRecord("desk", level, __file__, 1, message, args, None, extra=extra)
    made.request_id = "abc"
    return made


def test_json_line_has_message_request_and_extras():
    line = json.loads(JsonFormatter().format(record(logging.WARNING, "mail %s waits", 7, ticket="MA-10001")))

    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "desk",
        "message": "mail 7 waits",
        "request_id": "abc",
        "ticket": "MA-10001",
    }


def test_json_line_is_always_one_line():
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        failed = record(logging.ERROR, "name: %s", "Ana\nforged line")
        failed.exc_info = sys.exc_info()

    text = JsonFormatter().format(failed)

    assert "\n" not in text
    assert "ValueError: first" in json.loads(text)["exception"]


def test_guest_token_is_in_no_log():
    found = record(logging.WARNING, "Too Many Requests: %s", "/enlace/s3cr3t-of-a-guest_/")
    for formatter in (JsonFormatter(), PlainFormatter()):
        assert "Too Many Requests: /enlace/…/" in formatter.format(found)
    assert without_secrets("/enlace/nuevo/listo/") == "/enlace/nuevo/listo/"

    path = "/enlace/s3cr3t-of-a-guest_/"
    environ = {"PATH_INFO": path, "RAW_URI": path, "REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1"}
    answer = SimpleNamespace(status="302", headers=[], sent=0)
    request = SimpleNamespace(headers=[])
    line = AccessLog(Config()).atoms(answer, request, environ, timedelta(seconds=1))
    assert line["U"] == "/enlace/…/"
