"""A real PostgreSQL stops and starts under a web process of production: people read a page at once, keep what they
typed, and go on as soon as the server is back."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from e2e.frozen import FreezingProxy
from e2e.processes import Stack, command_of
from e2e.waiting import until
from helpdesk.database_connection import PatientConnection
from tools.servers import CannotServe, Postgres, spare_port

pytestmark = pytest.mark.topology

SECONDS_TO_NOTICE = 8  # the pool waits for three, twice at most, and this machine may be busy
SECONDS_TO_COME_BACK = 15
SECONDS_TO_NOTICE_A_FROZEN_SERVER = (
    15  # four without an answer, three until a new connection fails; a busy machine
)
FORM = {"title": "No abre el portal", "body": "Sale una página\nen blanco"}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    try:
        with Postgres() as server:
            yield server
    except CannotServe as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, server: Postgres) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("away")
    nowhere = f"redis://127.0.0.1:{spare_port()}/0"
    with Stack.production(folder, database=server.url, redis=nowhere, smtp_port=spare_port(), webs=1) as desk:
        desk.manage("collectstatic", "--noinput", "--verbosity=0")
        desk.manage("migrate", "--verbosity=0")
        desk.start("web1", command_of("web"), WEB_BIND=f"127.0.0.1:{desk.ports[0]}")
        until(lambda: status_of(desk, "/healthz") == 200, desk.log_tails)
        yield desk


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str
    seconds: float


def ask(desk: Stack, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", desk.ports[0], timeout=30)
    started = time.monotonic()
    try:
        if form is None:
            connection.request("GET", path, headers=headers)
        else:
            kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": desk.url("").rstrip("/")}
            connection.request("POST", path, urlencode(form), headers | kind)
        answer = connection.getresponse()
        text = unescape(answer.read().decode())
        return Answer(answer.status, dict(answer.headers), text, time.monotonic() - started)
    finally:
        connection.close()


def status_of(desk: Stack, path: str) -> int:
    try:
        return ask(desk, path).status
    except (OSError, http.client.HTTPException):
        return 0


def test_people_read_a_page_while_postgresql_is_away_and_go_on_afterwards(
    desk: Stack, server: Postgres
) -> None:
    opened = ask(desk, "/cuenta/entrar/")
    assert opened.status == 200
    cookie = opened.headers["Set-Cookie"].partition(";")[0]
    token = cookie.partition("=")[2]
    server.stop()

    first = ask(desk, "/")
    assert (first.status, first.headers["Retry-After"]) == (503, "15")
    assert "La mesa de ayuda no responde ahora" in first.text
    assert first.seconds < SECONDS_TO_NOTICE

    form = FORM | {"csrfmiddlewaretoken": token}
    sent = ask(desk, "/nuevo/uno/detalles/", form, Cookie=cookie)
    assert sent.status == 503
    assert all(value in sent.text for value in FORM.values()), "what was typed"
    english = ask(desk, "/", **{"Accept-Language": "en", "HX-Request": "true"})
    assert english.text == "The help desk is not answering right now. Wait a minute and try again."

    # Known to be away: nobody waits any more, and what needs no database is answered.
    until(lambda: ask(desk, "/").seconds < 1, "an answer at once", SECONDS_TO_NOTICE)
    assert ask(desk, "/healthz").status == 200
    assert ask(desk, "/readyz").status == 503

    server.start()
    until(lambda: ask(desk, "/").status == 200, desk.log_tails, SECONDS_TO_COME_BACK)
    assert "Traceback" not in desk.log_tails()


def test_connections_that_postgresql_closed_fail_no_page(desk: Stack, server: Postgres) -> None:
    """A restart closes the connections in the pool: they are tried before they are used."""
    assert ask(desk, "/").status == 200
    server.stop()
    server.start()

    until(lambda: ask(desk, "/").status == 200, desk.log_tails, SECONDS_TO_COME_BACK)
    assert [ask(desk, "/").status for _ in range(8)] == [200] * 8


def test_frozen_postgresql_holds_no_thread(desk: Stack, server: Postgres) -> None:
    """It accepts and receives, so TCP sees no fault: a request on a connection that was open waited for ever, and with
    as many of them as threads, the whole process was silent."""
    address = urlsplit(server.url)
    with FreezingProxy(int(address.port or 0)) as proxy:
        url = server.url.replace(f":{address.port}", f":{proxy.port}")
        port = spare_port()
        desk.start(
            "web2", command_of("web"), WEB_BIND=f"127.0.0.1:{port}", WEB_CONCURRENCY="1", DATABASE_URL=url
        )

        def get(path: str) -> tuple[int, float]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            started = time.monotonic()
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                return answer.status, time.monotonic() - started
            except OSError:
                return 0, 0.0
            finally:
                connection.close()

        def of_everybody() -> list[tuple[int, float]]:
            with ThreadPoolExecutor(8) as people:
                return list(people.map(get, ["/nuevo/"] * 8))

        until(lambda: get("/nuevo/")[0] == 200, desk.log_tails)
        assert {status for status, _seconds in of_everybody()} == {200}
        proxy.flows.clear()

        answers = of_everybody()

        assert {status for status, _seconds in answers} == {503}
        assert max(seconds for _status, seconds in answers) < SECONDS_TO_NOTICE_A_FROZEN_SERVER
        proxy.flows.set()
        until(lambda: get("/nuevo/")[0] == 200, desk.log_tails)


def test_slow_query_is_no_frozen_server(server: Postgres) -> None:
    """Nor is a long answer: both go on as long as the server says something to others."""
    with PatientConnection.connect(server.url) as link:
        rows = link.execute(
            "SELECT n, pg_sleep(CASE n WHEN 1 THEN 5 ELSE 0 END) FROM generate_series(1, 9) n"
        )
        assert [n for n, _slept in rows] == list(range(1, 10))
