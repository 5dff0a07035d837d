import json
import logging
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from helpdesk import gunicorn_conf
from helpdesk.gunicorn_conf import DeskLog
from helpdesk.logs import (
    TALKATIVE,
    JsonFormatter,
    PlainFormatter,
    RequestIdFilter,
    logging_config,
    printable,
    report_without_secrets,
    without_secrets,
)
from helpdesk.tests.test_variables import start
from tools.production import PRODUCTION

# A line break of each kind, a terminal sequence (ESC and its one-byte form), text that reads backwards, an invisible
# character, NUL and a lone surrogate.
HOSTILE = "a\nb\rc\x0bd\x85e\u2028f\x1b[2Jg\x9b2Jh\u202ei\u2066j\u200bk\x00l\x7fm\udcffn"


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


@pytest.mark.parametrize("name", ["request_id", "refusals"])
def test_filters_change_lines_and_drop_none(name):
    config = logging_config(json_lines=True, level="INFO")
    assert name in config["handlers"]["console"]["filters"]
    refused = logging.makeLogRecord({"name": "django.security.csrf", "status_code": 403, "msg": "Forbidden"})

    assert config["filters"][name]["()"]().filter(refused) is True


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
    assert without_secrets("GET /cuenta/clave/primera/1-abc/ 302") == "GET /cuenta/clave/primera/…/ 302"

    path = "/enlace/s3cr3t-of-a-guest_/"
    environ = {"PATH_INFO": path, "RAW_URI": path, "REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1"}
    answer = SimpleNamespace(status="302", headers=[], sent=0)
    request = SimpleNamespace(headers=[])
    line = DeskLog(Config()).atoms(answer, request, environ, timedelta(seconds=1))
    assert line["U"] == "/enlace/…/"


def test_error_report_holds_no_token_and_no_search():
    secret = "https://desk.test/enlace/s3cr3t-of-a-guest_/"
    report = {
        "request": {
            "url": secret,
            "query_string": "q=Ana+Blanco",
            "headers": {"Referer": f"{secret}?q=Ana", "Accept": "*/*"},
        },
        "breadcrumbs": {"values": [{"message": f"Not Found: {secret}", "level": "warning"}]},
        "exception": {
            "values": [{"value": f"no such page: {secret}", "stacktrace": {"frames": [{"lineno": 3}]}}]
        },
        "logentry": {"message": "%s failed", "params": [secret]},
    }

    sent = report_without_secrets(report, {})

    assert "s3cr3t" not in str(sent)
    assert str(sent).count("/enlace/…/") == 4
    assert sent["request"] == {"url": "https://desk.test/enlace/…/", "headers": {"Accept": "*/*"}}
    assert sent["exception"]["values"][0]["stacktrace"] == {"frames": [{"lineno": 3}]}


def log_of(answer_to: dict[str, str], form: str) -> str:
    """Return the line that Gunicorn writes in its access log for a request with this WSGI environment."""
    environ = {
        "PATH_INFO": "/",
        "RAW_URI": "/",
        "REQUEST_METHOD": "GET",
        "SERVER_PROTOCOL": "HTTP/1.1",
    } | answer_to
    config = Config()
    config.set("accesslog", "-")
    log = DeskLog(config)
    answer = SimpleNamespace(status="200 OK", headers=[], sent=0)
    headers = [(name.removeprefix("HTTP_"), value) for name, value in answer_to.items()]
    atoms = log.atoms(answer, SimpleNamespace(headers=headers), environ, timedelta(seconds=1))
    written = logging.makeLogRecord({"msg": form, "args": log.atoms_wrapper_class(atoms)})
    return log.access_log.handlers[0].format(written)


def as_bytes_of_wsgi(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


@pytest.mark.parametrize("form", ["%(r)s", "%(U)s", "%(q)s", "%(f)s", "%(a)s", "%({user_agent}i)s", "%(h)s"])
def test_access_log_escapes_what_a_visitor_sends(form):
    names = ("PATH_INFO", "RAW_URI", "QUERY_STRING", "HTTP_REFERER", "HTTP_USER_AGENT", "REMOTE_ADDR")
    for text in (HOSTILE, as_bytes_of_wsgi(HOSTILE)):
        line = log_of(dict.fromkeys(names, text), form)

        assert line.isprintable(), repr(line)
        assert "a\\nb" in line


def test_access_log_shows_accents():
    assert log_of({"PATH_INFO": as_bytes_of_wsgi("/artículos/año/")}, "%(U)s") == "/artículos/año/"


def test_error_log_of_gunicorn_escapes_what_a_visitor_sends():
    log = DeskLog(Config())

    line = log.error_log.handlers[0].format(
        record(logging.WARNING, "Invalid request from ip=%s: %s", "::1", HOSTILE)
    )

    assert line.isprintable()


def test_our_logs_escape_what_a_visitor_sends():
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        failed = record(logging.ERROR, "Not Found: %s", HOSTILE)
        failed.exc_info = sys.exc_info()

    plain, as_json = PlainFormatter("%(message)s").format(failed), JsonFormatter().format(failed)

    assert all(line.isprintable() for line in plain.split("\n"))
    assert all(line.startswith("    ") for line in plain.split("\n")[1:]), (
        "a line of the exception looks like ours"
    )
    assert as_json.isprintable()
    assert json.loads(as_json)["message"] == f"Not Found: {HOSTILE}"


def test_printable_leaves_words_alone():
    assert printable("¿Cómo estás, Álvaro? «ñ» 日本 🙂") == "¿Cómo estás, Álvaro? «ñ» 日本 🙂"


def access_line(monkeypatch, path: str, status: str = "404 Not Found") -> list[str]:
    """Return what the access log of production writes for a request of `path`."""
    monkeypatch.setattr(gunicorn_conf, "JSON_LINES", True)
    config = Config()
    config.set("accesslog", "-")
    log = DeskLog(config)
    written: list[str] = []
    handler = next(handler for handler in log.access_log.handlers if hasattr(handler, "_gunicorn"))
    monkeypatch.setattr(log.access_log, "handlers", [handler])
    monkeypatch.setattr(handler, "emit", lambda record: written.append(handler.format(record)))
    environ = {"PATH_INFO": path, "RAW_URI": path, "REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1"}
    answer = SimpleNamespace(status=status, headers=[("X-Request-ID", "0123456789abcdef")], sent=512)
    environ["REMOTE_ADDR"] = "203.0.113.9"
    log.access(answer, SimpleNamespace(headers=[]), environ, timedelta(milliseconds=12.3))
    return written


def test_access_log_of_production_is_json(monkeypatch):
    [line] = access_line(monkeypatch, "/enlace/s3cr3t/")

    found = json.loads(line)
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "INFO",
        "logger": "gunicorn.access",
        "message": "GET /enlace/…/",
        "request_id": "0123456789abcdef",
        "address": "203.0.113.9",
        "method": "GET",
        "path": "/enlace/…/",
        "status": 404,
        "bytes": 512,
        "ms": 12.3,
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_not_in_the_access_log(monkeypatch, path):
    assert access_line(monkeypatch, path, "200 OK") == []


def test_error_log_of_gunicorn_in_production_is_json(monkeypatch):
    monkeypatch.setattr(gunicorn_conf, "JSON_LINES", True)

    line = DeskLog(Config()).error_log.handlers[0].format(record(logging.INFO, "Booting worker\n%s", 7))

    assert json.loads(line)["message"] == "Booting worker\n7"


@pytest.mark.django_db
def test_line_that_django_writes_after_the_middleware_has_the_request_id(client, caplog):
    answer = client.get("/no-existe/")

    [line] = [found for found in caplog.records if found.name == "django.request"]
    RequestIdFilter().filter(line)
    assert line.request_id == answer["X-Request-ID"]
    assert len(line.request_id) == 32


def test_talkative_loggers_speak_only_in_debug():
    for level, wanted in (("INFO", "WARNING"), ("DEBUG", "DEBUG"), ("ERROR", "ERROR")):
        loggers = logging_config(json_lines=True, level=level)["loggers"]
        assert {loggers[name]["level"] for name in TALKATIVE} == {wanted}


def test_killed_process_of_celery_is_a_line_of_the_log():
    """Its logger passes nothing on to others and had no handler, so Python printed the bare message."""
    code = "import django; django.setup(); from billiard.util import get_logger; get_logger().error('exited')"

    done = start("-c", code, DJANGO_SETTINGS_MODULE="helpdesk.settings", **PRODUCTION)

    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == ["exited"]
