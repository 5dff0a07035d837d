"""The answers while the database is away. e2e/test_database_away.py stops a real PostgreSQL."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import pytest
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, connection
from django.test import Client

from accounts.tests.factories import make_agent, make_user
from helpdesk import database_away
from helpdesk.database_errors import is_away
from helpdesk.logs import JsonFormatter, RefusalFilter, report_without_secrets

pytestmark = pytest.mark.django_db
OURS = {"origin": "http://testserver"}
FORM = {"title": "Sin «mañana»", "body": "Una línea\ny <b>otra</b>"}


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def sqlite_error(code: int, name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("failed")
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


class PsycopgOperationalError(Exception):
    sqlstate: str | None = None


PsycopgOperationalError.__name__ = "OperationalError"


class PoolTimeout(PsycopgOperationalError):
    pass


def of_postgres(
    sqlstate: str | None, kind: type[PsycopgOperationalError] = PsycopgOperationalError
) -> Exception:
    error = kind("connection to desk:hunter2@db failed")
    error.sqlstate = sqlstate
    return error


@contextmanager
def database_fails(error: Exception) -> Iterator[None]:
    def fail(execute: Any, *args: Any) -> None:
        raise error

    with connection.execute_wrapper(fail):
        yield


AWAY = caused(OperationalError("connection to desk:hunter2@db failed"), of_postgres(None))


@pytest.fixture(autouse=True)
def not_known_to_be_away(monkeypatch) -> None:
    monkeypatch.setattr(database_away, "_away_until", 0.0)


@pytest.fixture
def visitor() -> Client:
    """A browser that shows error pages, as a server does, instead of raising."""
    return Client(raise_request_exception=False, headers=OURS)


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (caused(OperationalError(), of_postgres(None)), True),  # could not connect, or the connection broke
        (caused(OperationalError(), of_postgres("57P01")), True),  # the server stops
        (caused(OperationalError(), of_postgres("53300")), True),  # too many connections
        (caused(OperationalError(), of_postgres("57014")), False),  # statement timeout
        (caused(OperationalError(), of_postgres("40P01")), False),  # deadlock
        (caused(InterfaceError(), of_postgres(None)), True),
        (caused(InternalError(), of_postgres("25006")), True),  # read-only, after a failover
        (caused(OperationalError(), sqlite_error(5, "SQLITE_BUSY")), True),
        (caused(OperationalError(), sqlite_error(13, "SQLITE_FULL")), True),
        (caused(OperationalError(), sqlite_error(1, "SQLITE_ERROR")), False),  # no such table
        (caused(IntegrityError(), sqlite_error(19, "SQLITE_CONSTRAINT")), False),
        (ValueError(), False),
        (None, False),
    ],
)
def test_away_is_told_from_a_wrong_query(error: Exception | None, away: bool):
    assert is_away(error) is away


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "La mesa de ayuda no responde ahora"), ("en", "The help desk is not answering")],
)
def test_page_is_in_the_language_of_the_person(visitor: Client, language: str, words: str):
    with database_fails(AWAY):
        answer = visitor.get("/", headers={"accept-language": language})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "15"
    assert "no-store" in answer.headers["Cache-Control"]
    page = unescape(answer.content.decode())
    assert words in page
    assert "hunter2" not in page
    assert "/cuenta/entrar/" not in page, "nothing says whether the reader is signed in"


@pytest.mark.parametrize(("make", "path"), [(make_user, "/tickets/"), (make_agent, "/agentes/")])
def test_both_faces_get_the_page(visitor: Client, make: Any, path: str):
    """The session and the person are read from the database, too: the page asks for neither."""
    visitor.force_login(make())
    with database_fails(AWAY):
        answer = visitor.get(path)

    assert answer.status_code == 503
    assert "La mesa de ayuda no responde ahora" in answer.content.decode()
    assert "Clear-Site-Data" not in answer.headers, "it would delete the drafts in the browser"
    assert visitor.get(path).status_code == 200, "still signed in"


def test_typed_text_can_be_sent_again(visitor: Client):
    with database_fails(AWAY):
        answer = visitor.post("/nuevo/uno/detalles/?tipo=x.y", FORM)

    page = unescape(answer.content.decode())
    assert answer.status_code == 503
    assert "tu texto sigue aquí" in page
    assert 'action="/nuevo/uno/detalles/?tipo=x.y"' in page
    for name, value in FORM.items():
        assert f'name="{name}" value="{value}"' in page


def test_password_and_foreign_form_are_not_repeated(visitor: Client):
    with database_fails(AWAY):
        signing_in = visitor.post("/cuenta/entrar/", {"login": "ana@demo.test", "password": "dos palabras"})
        foreign = visitor.post("/nuevo/uno/detalles/", FORM, headers={"origin": "https://ajeno.example"})

    assert (signing_in.status_code, foreign.status_code) == (503, 503)
    assert "dos palabras" not in signing_in.content.decode()
    assert "lo que escribiste sigue en la página anterior" in signing_in.content.decode()
    assert "Una línea" not in foreign.content.decode()


def test_scripts_get_a_sentence(visitor: Client):
    with database_fails(AWAY):
        by_htmx = visitor.get("/", headers={"HX-Request": "true"})
        by_upload = visitor.post("/nuevo/uno/archivos/", headers={"X-Requested-With": "XMLHttpRequest"})
        as_json = visitor.get("/", headers={"Accept": "application/json"})

    for answer in (by_htmx, by_upload):
        assert answer.status_code == 503
        assert (
            answer.content.decode()
            == "La mesa de ayuda no responde ahora. Espera un minuto e intenta de nuevo."
        )
    assert json.loads(as_json.content)["error"].startswith("La mesa de ayuda no responde")


def test_other_errors_are_errors(visitor: Client):
    with database_fails(caused(OperationalError(), of_postgres("57014"))):
        answer = visitor.get("/")

    assert answer.status_code == 500
    assert "Algo falló de nuestro lado" in answer.content.decode()


def test_no_request_waits_while_the_pool_is_known_to_be_empty(visitor: Client, django_assert_num_queries):
    with database_fails(caused(OperationalError(), of_postgres(None, PoolTimeout))):
        visitor.get("/")
    with django_assert_num_queries(0):
        assert visitor.get("/").status_code == 503
        assert visitor.get("/healthz").status_code == 200


def test_one_broken_connection_stops_nobody_else(visitor: Client):
    with database_fails(AWAY):
        visitor.get("/")

    assert visitor.get("/").status_code == 200


def test_log_has_no_traceback_of_each_request():
    record = logging.makeLogRecord(
        {"name": "django.request", "status_code": 503, "msg": "Service Unavailable: /"}
    )
    record.exc_info = (type(AWAY), AWAY, None)

    RefusalFilter().filter(record)

    assert "exception" not in json.loads(JsonFormatter().format(record))


def test_error_reports_are_not_flooded():
    event = {"request": {"url": "https://mesa.test/"}}

    assert report_without_secrets(event, {"exc_info": (type(AWAY), AWAY, None)}) is None
    wrong = caused(OperationalError(), of_postgres("57014"))
    assert report_without_secrets(event, {"exc_info": (type(wrong), wrong, None)}) == event
    assert report_without_secrets(event, {}) == event
