"""Serve a page with some behaviours over HTTP, so that the modules of static/js can import each other. The server gives
the answers that a test sets in `Site.answers` and records the requests in `Site.asked`."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
PAGE = """<!doctype html>
<html lang="es">
<meta charset="utf-8">
<title>Prueba</title>
<link rel="icon" href="data:,">
<body hx-headers='{{"X-CSRFToken": "the-token"}}'>
{body}
<ul id="snacks" class="snacks"></ul>
<script type="module">
import {{ bindAll }} from "/static/js/lib/behaviours.js";
{setup}
document.documentElement.dataset.ready = "";
</script>
"""


@dataclass
class Asked:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str


@dataclass
class Answer:
    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    until: threading.Event | None = None  # holds the answer back until the test sets it


@dataclass
class Site:
    """Hold the server's prepared answers and record its requests. Keys of `answers` are method and path, such as "POST
    /borrador/". `asked` lists the requests in order, except those for the page itself and for files in /static/."""

    page: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[Answer, str]:
        if asked.path == "/":
            return Answer(self.page), "text/html"
        path = (ROOT / asked.path.lstrip("/")).resolve()
        if asked.path.startswith("/static/") and path.is_relative_to(ROOT / "static") and path.is_file():
            return Answer(path.read_text("utf-8")), TYPES[path.suffix]
        self.asked.append(asked)
        return self.answers.get(f"{asked.method} {asked.path}", Answer(status=404)), "text/html"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.site = Site()
        super().__init__(("127.0.0.1", 0), Handler)

    def server_bind(self) -> None:
        """Bind as HTTPServer does, but do not look up the machine's host name."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def respond(self) -> None:
        site, parts = self.server.site, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        answer, content_type = site.answer(
            Asked(self.command, parts.path, parts.query, dict(self.headers), body)
        )
        if answer.until:
            answer.until.wait(10)
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = respond  # noqa: N815  (the base class calls them so)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def site(server: Server) -> Site:
    server.site = Site()
    return server.site


Show = Callable[..., Page]


@pytest.fixture
def show(server: Server, site: Site, browser: Browser) -> Iterator[Show]:
    """`show(html, name="file.js#export")` opens a page with the behaviour `name` bound to its elements.

    `run="file.js#export"` calls a function without an element. With `stopped=True` the page's clock stands at `NOON`
    and timers wait for `page.clock.run_for`. An error in the page fails the test.
    """
    errors: list[str] = []
    context = browser.new_context(locale="es-VE", viewport={"width": 800, "height": 600})
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(10_000)

    def open_page(body: str, *, run: str = "", stopped: bool = False, **behaviours: str) -> Page:
        if stopped:
            page.clock.install(time=NOON - timedelta(seconds=1))
            page.clock.pause_at(NOON)
        lines, names = [], []
        for position, source in enumerate([*behaviours.values(), *([run] if run else [])]):
            file, export = source.split("#")
            lines.append(f'import {{ {export} as f{position} }} from "/static/js/{file}";')
        names = [f'"{name.replace("_", "-")}": f{i}' for i, name in enumerate(behaviours)]
        # As main.js does: bind the elements that a behaviour has added when it dispatches `desk:bind`.
        lines.append(f"const bind = () => bindAll({{ {', '.join(names)} }}, document.documentElement);")
        lines.append('bind(); document.addEventListener("desk:bind", bind);')
        lines += [f"f{len(behaviours)}();"] if run else []
        site.page = PAGE.format(body=body, setup="\n".join(lines))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    context.close()
    assert errors == []
