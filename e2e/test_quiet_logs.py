"""What the processes of production write: one JSON object per line with the id of its request or task, and nothing
while nobody uses the desk."""

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from e2e.processes import Stack
from e2e.waiting import until
from tools.servers import CannotServe, Nginx, Postgres, Redis, spare_port

pytestmark = pytest.mark.topology


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    try:
        with Postgres() as server:
            yield server
    except CannotServe as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("logs")
    with ExitStack() as stack:
        redis = stack.enter_context(Redis())
        production = Stack.production(
            folder, database=postgres.url, redis=redis.url, smtp_port=spare_port(), webs=1
        )
        desk = stack.enter_context(production)
        desk.env |= {"WEB_ACCESS_LOG": "-", "DESK_TRUSTED_PROXIES": "127.0.0.1/32"}
        desk.manage("collectstatic", "--noinput", "--verbosity=0")
        desk.manage("prepare_production", "--administrator", "ana@example.com")
        desk.start_all(workers=1)
        desk.wait_until_ready()
        until(
            lambda: all_have_started(desk), lambda: f"every process says that it runs\n{desk.log_tails()}", 60
        )
        yield desk


def all_have_started(desk: Stack) -> bool:
    """Say whether each process has written its last line of starting, which comes after `/readyz` answers 200."""
    last_words = {
        "web1": "Booting worker",
        "worker1": "ready",
        "mailer1": "ready",
        "beat": "beat runs",
    }
    folder = desk.folder / "log"
    return all(words in (folder / f"{name}.log").read_text() for name, words in last_words.items())


@pytest.fixture(scope="module")
def proxy(desk: Stack) -> Iterator[Nginx]:
    with Nginx(f"127.0.0.1:{desk.ports[0]}") as nginx:
        yield nginx


def logs(desk: Stack, *more: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the parsed lines of every process. Fails at a line that is no JSON object."""
    found = {}
    for path in [*(desk.folder / "log").glob("*.log"), *more]:
        lines = path.read_text().splitlines()
        found[path.stem] = [parsed(path, line) for line in lines]
    return found


def parsed(path: Path, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    assert isinstance(record, dict), f"{path.name}: {line}"
    return record


def ask(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("X-Request-ID", "")
    finally:
        connection.close()


def last_heartbeat(postgres: Postgres) -> datetime:
    with psycopg.connect(postgres.url) as connection:
        [row] = connection.execute("SELECT at FROM helpdesk_heartbeat WHERE name = 'scheduler'").fetchall()
    return row[0]


def size(desk: Stack) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in (desk.folder / "log").glob("*.log")}


def test_idle_desk_writes_nothing(desk: Stack, postgres: Postgres, proxy: Nginx) -> None:
    """Meanwhile tasks run, and probes ask. It wrote 49 MB a day."""
    before = size(desk)
    assert set(before) == {"web1.log", "worker1.log", "mailer1.log", "beat.log"}
    proxy_before = (proxy.folder / "log").read_text()
    for _ in range(2):
        last = last_heartbeat(postgres)
        until(lambda last=last: last_heartbeat(postgres) > last, "another heartbeat")
        for path in ("/healthz", "/readyz"):
            assert ask(desk.ports[0], path)[0] == 200
            assert ask(proxy.port, path)[0] == 200

    assert size(desk) == before
    assert (proxy.folder / "log").read_text() == proxy_before


def test_every_line_is_json_and_has_the_id_of_its_request(desk: Stack, proxy: Nginx) -> None:
    status, request = ask(proxy.port, "/no-existe/?clave=s3cr3t")
    assert (status, len(request)) == (404, 32)

    def lines_of_the_request() -> set[str]:
        found = logs(desk, proxy.folder / "log")
        return {
            record["logger"]
            for lines in found.values()
            for record in lines
            if record.get("request_id") == request
        }

    expected = {"django.request", "gunicorn.access", "nginx"}
    until(lambda: lines_of_the_request() == expected, lambda: f"{expected}\n{desk.log_tails()}", 10)
    text = "".join(path.read_text() for path in [*(desk.folder / "log").glob("*.log"), proxy.folder / "log"])
    assert "s3cr3t" not in text
    found = logs(desk)
    assert [record["message"] for record in found["beat"]] == ["beat runs"]
    assert any("ready" in record["message"] for record in found["worker1"])
    [access] = [record for record in found["web1"] if record.get("path") == "/no-existe/"]
    assert (access["status"], access["method"], access["address"]) == (404, "GET", "127.0.0.1")
    assert access["ms"] > 0
