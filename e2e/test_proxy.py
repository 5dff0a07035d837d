"""nginx with the configuration in deploy/nginx, in front of a web process of production: slow visitors hold no thread,
and the desk gets and gives what it should. Times are compared with each other, never with a clock."""

import http.client
import json
import re
import shutil
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from content.files.streams import MB
from content.tests import disks
from e2e.processes import Stack, command_of
from e2e.waiting import until
from tools.servers import CannotServe, Nginx, Redis, spare_port

pytestmark = pytest.mark.topology

THREADS = 4
BIG = 24 * 1024 * 1024  # larger than what the kernel keeps for a reader who does not read
LIMIT_MB = 2
# What each slow visitor sends at first. Afterwards each sends one byte now and then, so that no pause is long.
SLOW = {
    "head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "body": b"POST /cuenta/entrar/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 100000\r\n\r\nlogin=",
    "chunk": b"POST /cuenta/entrar/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nffff\r\nlogin=",
    "reader": b"GET /static/big.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


class SlowVisitors:
    """`count` connections that are never finished, kept alive with a byte every half second. They begin with `head`, or
    with that of their kind."""

    def __init__(self, kind: str, port: int, count: int, head: bytes = b"") -> None:
        self.kind, self.done = kind, threading.Event()
        self.sockets = [self._open(kind, port, head or SLOW[kind]) for _ in range(count)]
        self.feeder = threading.Thread(target=self._feed, daemon=True)

    @staticmethod
    def _open(kind: str, port: int, head: bytes) -> socket.socket:
        visitor = socket.socket()
        if kind == "reader":
            visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        visitor.settimeout(10)
        visitor.connect(("127.0.0.1", port))
        visitor.sendall(head)
        return visitor

    def _feed(self) -> None:
        while not self.done.wait(0.5):
            for visitor in self.sockets:
                try:
                    visitor.recv(1) if self.kind == "reader" else visitor.send(b"a")
                except OSError:
                    continue

    def hung_up(self) -> int:
        """Return how many connections the server has closed."""
        return sum(self._is_closed(visitor) for visitor in self.sockets)

    @staticmethod
    def _is_closed(visitor: socket.socket) -> bool:
        visitor.settimeout(0.01)
        try:
            while visitor.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def __enter__(self) -> Self:
        self.feeder.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.done.set()
        self.feeder.join()
        for visitor in self.sockets:
            visitor.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One web process of production with few threads, on SQLite, with a large static file."""
    folder: Path = tmp_path_factory.mktemp("proxied")
    with ExitStack() as stack:
        try:
            redis = stack.enter_context(Redis())
        except CannotServe as problem:
            pytest.skip(str(problem))
        database = f"sqlite:///{folder / 'desk.sqlite3'}"
        desk = stack.enter_context(
            Stack.production(folder, database=database, redis=redis.url, smtp_port=spare_port(), webs=1)
        )
        desk.env |= {
            "DESK_ALLOW_SQLITE": "1",
            "DESK_TRUSTED_PROXIES": "127.0.0.0/8",
            "DESK_READYZ_NETWORKS": "203.0.113.0/24",
            "DESK_MAX_REQUEST_MB": str(LIMIT_MB),
            "DESK_MAX_UPLOAD_MB": str(LIMIT_MB),
            "WEB_CONCURRENCY": "1",
            "WEB_THREADS": str(THREADS),
            "WEB_ACCESS_LOG": "-",
        }
        desk.manage("collectstatic", "--noinput", "--verbosity=0")
        (folder / "static" / "big.bin").write_bytes(bytes(BIG))
        desk.manage("prepare_production")
        desk.start("web1", command_of("web"), WEB_BIND=f"127.0.0.1:{desk.ports[0]}")
        until(lambda: answer(desk.ports[0], "/healthz").status == 200, desk.log_tails, 60)
        yield desk


@pytest.fixture(scope="module")
def nginx(web: Stack) -> Iterator[Nginx]:
    with ExitStack() as stack:
        yield start(stack, web)


def start(stack: ExitStack, web: Stack, *, https: bool = False) -> Nginx:
    variables = {"DESK_MAX_REQUEST_MB": str(LIMIT_MB)}
    try:
        return stack.enter_context(Nginx(f"127.0.0.1:{web.ports[0]}", https=https, **variables))
    except CannotServe as problem:
        pytest.skip(str(problem))


@dataclass(frozen=True)
class Answer:
    status: int  # 0 if nobody listens
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode()


def answer(
    port: int, path: str = "/", method: str = "GET", *, tls: bool = False, body: Any = None, **headers: str
) -> Answer:
    """Send one request on a connection of its own. `**headers`: «accept_language» is Accept-Language."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=120, context=trusting)
        if tls
        else http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, named, encode_chunked="Transfer-Encoding" in named)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    except ConnectionRefusedError:
        return Answer(0)
    finally:
        connection.close()


def seconds(ask: Callable[[], Answer], times: int = 15) -> float:
    """Return the median time of `ask`. Every answer must be 200."""
    taken = []
    for _ in range(times):
        started = time.monotonic()
        assert ask().status == 200
        taken.append(time.monotonic() - started)
    return statistics.median(taken)


@pytest.mark.parametrize("kind", SLOW)
def test_slow_visitors_do_not_slow_others_down(web: Stack, nginx: Nginx, kind: str) -> None:
    """Ten times as many slow visitors as threads: pages and health checks take about as long as without them."""
    page = lambda: answer(nginx.port, "/cuenta/entrar/")  # noqa: E731
    probes = [lambda: answer(nginx.port, "/healthz"), lambda: answer(web.ports[0], "/healthz")]
    asked = [page, *probes]
    alone = [seconds(ask) for ask in asked]

    with SlowVisitors(kind, nginx.port, THREADS * 10) as visitors:
        if kind == "reader":  # until nginx has taken every answer from the web process
            until(lambda: answer(web.ports[0], "/healthz").status == 200, web.log_tails)
        beside = [seconds(ask) for ask in asked]
        assert visitors.hung_up() == 0 or kind == "reader", "they were sent away, not endured"

    for before, after in zip(alone, beside, strict=True):
        assert after < 10 * before + 0.05, (alone, beside)


@pytest.mark.parametrize("kind", ["head", "body", "chunk"])
def test_web_process_alone_hangs_up_on_slow_visitors(web: Stack, kind: str) -> None:
    """Without nginx they hold all threads, but only for a while."""
    port = web.ports[0]
    alone = seconds(lambda: answer(port, "/healthz"), 5)

    with SlowVisitors(kind, port, THREADS) as visitors:
        held = seconds(lambda: answer(port, "/healthz"), 1)
        until(lambda: visitors.hung_up() == THREADS, web.log_tails, 60)

    assert held > 10 * alone, "this attack would prove nothing"
    assert seconds(lambda: answer(port, "/healthz"), 5) < 10 * alone + 0.05


def test_tls_forwarded_headers_and_redirect(web: Stack) -> None:
    with ExitStack() as stack:
        front = start(stack, web, https=True)
        given = {
            "X_Forwarded_For": "203.0.113.7",
            "X_Forwarded_Proto": "http",
            "X_Forwarded_Host": "malo.example",
            "X_Real_IP": "203.0.113.7",
            "Forwarded": "for=203.0.113.7;host=malo.example",
            "X_Request_ID": "forged-12345678",
        }
        over_tls = answer(front.port, "/readyz", tls=True, **given)
        over_http = answer(front.http_port, "/buscar/?q=a", **given)

    assert "checks" not in json.loads(over_tls.body), "the visitor's address was taken from their own header"
    assert over_tls.headers["X-Request-ID"] not in (None, "forged-12345678")
    assert (over_http.status, over_http.headers["Location"]) == (301, f"{front.url}/buscar/?q=a")


@pytest.mark.parametrize(
    ("language", "words"), [("es", f"Caben {LIMIT_MB} MB"), ("en-GB", f"{LIMIT_MB} MB fit")]
)
@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_body_gets_the_page_of_the_desk(
    nginx: Nginx, language: str, words: str, chunked: bool
) -> None:
    more = {"Transfer_Encoding": "chunked"} if chunked else {}
    pieces = [bytes(MB // 10)] * (LIMIT_MB * 10 + 1)
    body = iter(pieces) if chunked else b"".join(pieces)

    found = answer(nginx.port, "/nuevo/", "POST", body=body, Accept_Language=language, **more)

    assert found.status == 413
    assert words in found.text
    assert f'lang="{language[:2]}"' in found.text


def test_body_below_the_limit_arrives(nginx: Nginx) -> None:
    found = answer(nginx.port, "/cuenta/entrar/", "POST", body=bytes(LIMIT_MB * MB), Content_Type="image/png")

    assert found.status == 403, "refused for want of a CSRF token, by the desk and not by nginx"


def test_static_files_are_asked_for_once(web: Stack, nginx: Nginx) -> None:
    style = re.search(r'href="(/static/dist/portal\.[^"]+\.css)"', answer(nginx.port).text)
    assert style
    found = [answer(nginx.port, f"{style[1]}?{number}", Accept_Encoding="gzip") for number in range(5)]

    assert [one.status for one in found] == [200] * 5
    assert {one.headers["Content-Encoding"] for one in found} == {"gzip"}
    assert "X-Request-ID" not in found[0].headers, "it would be the same for everybody"
    log = "".join(log.read_text() for log in (web.folder / "log").glob("web1*"))
    assert log.count(f'"GET {style[1]}"') == 1


def test_internal_location_is_closed_to_visitors(nginx: Nginx) -> None:
    (nginx.folder / "media").mkdir(exist_ok=True)
    (nginx.folder / "media" / "secret.txt").write_text("secret")

    assert answer(nginx.port, "/media-interna/secret.txt").status == 404


class Allowing(BaseHTTPRequestHandler):
    """Allows every download, as `web.downloads` does with DESK_ACCEL_PREFIX."""

    HEADERS = {
        "Content-Type": "image/png",
        "Content-Disposition": 'attachment; filename="a.png"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=()",
        "Strict-Transport-Security": "max-age=1",
        "X-Request-ID": "0123456789",
        "Cache-Control": "private, max-age=3600",
    }

    def do_GET(self) -> None:
        self.send_response(200)
        for name, value in self.HEADERS.items():
            self.send_header(name, value)
        if self.path != "/healthz":
            self.send_header("X-Accel-Redirect", "/media-interna/a.png")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


def test_files_that_nginx_sends_keep_their_headers() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Allowing))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        try:
            front = stack.enter_context(Nginx(f"127.0.0.1:{server.server_port}"))
        except CannotServe as problem:
            pytest.skip(str(problem))
        (front.folder / "media").mkdir()
        (front.folder / "media" / "a.png").write_bytes(b"0123456789" * 10)
        whole = answer(front.port, "/adjuntos/x/")
        part = answer(front.port, "/adjuntos/x/", Range="bytes=10-12")

    assert (whole.status, len(whole.body)) == (200, 100)
    assert {name: whole.headers[name] for name in Allowing.HEADERS} == Allowing.HEADERS
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"012", "bytes 10-12/100")


def test_log_holds_no_link_of_a_guest_and_no_search(nginx: Nginx) -> None:
    answer(nginx.port, "/enlace/s3cr3t-of-a-guest/?q=search")
    answer(nginx.port, "/buscar/%1b%5b2J%0aforged?q=search")

    log = until(lambda: "/buscar/" in (text := (nginx.folder / "log").read_text()) and text, "nginx to log")
    assert "/enlace/.../" in log
    assert "s3cr3t" not in log
    assert "search" not in log
    assert "\x1b" not in log
    assert "\nforged" not in log


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("language", "words"), [("es", "no responde"), ("en", "does not answer")])
def test_page_while_no_web_process_answers(language: str, words: str, method: str) -> None:
    try:
        front = Nginx(f"127.0.0.1:{spare_port()}")
        front.answers = lambda: is_open(front.port)  # type: ignore[method-assign]
        front.start()
    except CannotServe as problem:
        pytest.skip(str(problem))
    try:
        found = answer(front.port, "/", method, Accept_Language=language)
        directly = answer(front.port, "/.away")
    finally:
        front.__exit__()

    assert (found.status, found.headers["Retry-After"]) == (503, "30")
    assert words in found.text
    assert directly.status == 404


@pytest.mark.parametrize("kind", ["full", "absent"])
@pytest.mark.parametrize(("language", "words"), [("es", "tu\ntexto sigue ahí"), ("en", "does not answer")])
def test_page_while_the_disk_of_nginx_takes_no_body(web: Stack, kind: str, language: str, words: str) -> None:
    """A body that is larger than nginx's buffer waits on its disk. Smaller ones, and pages, go on."""
    with ExitStack() as stack:
        try:
            front = Nginx(f"127.0.0.1:{web.ports[0]}", DESK_MAX_REQUEST_MB=str(LIMIT_MB))
            bodies = front.folder / "body"
            is_real = kind == "full" and stack.enter_context(disks.disk_of(64, bodies))
            stack.enter_context(front)
        except CannotServe as problem:
            pytest.skip(str(problem))
        if not is_real:
            shutil.rmtree(bodies)
            bodies.write_text("")
        large = answer(front.port, "/cuenta/entrar/", "POST", body=bytes(MB), Accept_Language=language)
        small = answer(front.port, "/cuenta/entrar/", "POST", body=b"login=a", Accept_Language=language)
        page = answer(front.port, "/cuenta/entrar/")

    assert (large.status, large.headers["Retry-After"]) == (503, "30")
    assert words in large.text
    assert (small.status, page.status) == (403, 200)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
