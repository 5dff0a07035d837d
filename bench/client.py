"""HTTP client that measures response times as one browser sees them: one connection, one request after the other."""

import http.client
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

from bench.counting import ANSWER, ASK

PATIENCE = 2.0  # seconds; less than the server's keepalive in helpdesk/gunicorn_conf.py


class UnexpectedAnswer(Exception):
    """A page answers with an unexpected status, so it cannot be measured. The message names the page and the status."""


@dataclass
class Answer:
    status: int
    body: bytes
    seconds: float
    queries: int | None
    location: str = ""


@dataclass
class Browser:
    port: int
    session: str
    address: str  # source address: rate limits count each address separately
    connection: http.client.HTTPConnection = field(init=False)
    cookies: dict[str, str] = field(init=False)
    last_asked: float = 0.0

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=60, source_address=(self.address, 0)
        )
        self.cookies = {"desk_session": self.session}

    def ask(
        self,
        method: str,
        path: str,
        *,
        data: dict[str, str] | None = None,
        count: bool = False,
        encoding: str = "gzip",
    ) -> Answer:
        headers = {"Accept": "text/html", "Accept-Encoding": encoding}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if count:
            headers[ASK] = "1"
        body = None
        if data is not None:
            body = urlencode(data)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._be_connected()
        started = time.perf_counter()
        self.connection.request(method, path, body=body, headers=headers)
        response = self.connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        queries = response.headers.get(ANSWER)
        return Answer(
            response.status,
            content,
            seconds,
            int(queries) if queries is not None else None,
            response.headers.get("Location", ""),
        )

    def _be_connected(self) -> None:
        """Connect again before the server closes an idle connection, so that connecting is not part of the time."""
        if time.monotonic() - self.last_asked > PATIENCE:
            self.connection.close()
            self.connection.connect()
        self.last_asked = time.monotonic()

    def form(self, path: str) -> dict[str, str]:
        """Return the initial values of the form on the page at `path` that posts to this same path."""
        answer = self.ask("GET", path, encoding="identity")
        if answer.status != http.client.OK:
            raise UnexpectedAnswer(f"{path} answers {answer.status}")
        reader = _FormReader(path.partition("?")[0])
        reader.feed(answer.body.decode())
        return reader.fields


class _FormReader(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside, self.fields = action, False, {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("method", "").lower() == "post" and given.get("action", "") == self.action
        elif tag == "input" and self.inside and given.get("name"):
            is_left_out = given.get("type") in ("checkbox", "radio") and "checked" not in given
            if given.get("type") not in ("submit", "file") and not is_left_out:
                self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
