"""HTTP client that measures response times as a browser sees them."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from bench.counting import ANSWER, ASK
from bench.pages import Step

PATIENCE = 2.0  # seconds; less than the server's keepalive in helpdesk/gunicorn_conf.py


class UnexpectedAnswer(Exception):
    """A page answers unexpectedly, so it cannot be measured. The message names the page and the answer."""


@dataclass
class Person:
    """A visitor: their cookies, and the address that rate limits count."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)


@dataclass
class Answer:
    status: int
    body: bytes
    seconds: float
    queries: int
    location: str


class Connection:
    """One connection to the server, kept while the server keeps it. With `is_fresh`, every request makes a new one."""

    def __init__(self, port: int, *, is_fresh: bool = False) -> None:
        self.is_fresh, self._last = is_fresh, 0.0
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(
        self,
        person: Person,
        method: str,
        path: str,
        *,
        data: Mapping[str, str] | None = None,
        count: bool = False,
        is_htmx: bool = False,
    ) -> Answer:
        headers = {
            "Accept": "text/html",
            "Accept-Language": "es",
            "X-Forwarded-For": person.address,
            "Cookie": "; ".join(f"{name}={value}" for name, value in person.cookies.items()),
        }
        if count:
            headers[ASK] = "1"
        if is_htmx:
            headers["HX-Request"] = "true"
        body = None
        if data is not None:
            body = urlencode(data)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._be_ready()
        started = time.perf_counter()
        self._http.request(method, path, body=body, headers=headers)
        response = self._http.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            person.cookies[name] = value
        return Answer(
            response.status,
            content,
            seconds,
            int(response.headers.get(ANSWER, 0)),
            response.headers.get("Location", ""),
        )

    def close(self) -> None:
        self._http.close()

    def _be_ready(self) -> None:
        """Connect again before the server closes an idle connection. Only a fresh connection is part of the time."""
        if self.is_fresh:
            self._http.close()
        elif time.monotonic() - self._last > PATIENCE:
            self._http.close()
            self._http.connect()
        self._last = time.monotonic()


@dataclass
class Journey:
    """One person's way through a page's steps. `values` are filled into paths and data."""

    person: Person
    values: dict[str, str]
    path: str = ""
    location: str = ""
    body: bytes = b""

    def go(self, connection: Connection, steps: list[Step], *, count: bool = False) -> tuple[float, int]:
        """Take the steps. Returns their seconds and queries. Raises `UnexpectedAnswer`."""
        seconds, queries = 0.0, 0
        for step in steps:
            answer = self._take(connection, step, count=count)
            seconds += answer.seconds
            queries += answer.queries
        return seconds, queries

    def _take(self, connection: Connection, step: Step, *, count: bool) -> Answer:
        if step.form:
            method, data = "POST", self._filled_in(step)
        else:
            method, data = "GET", None
            self.path = step.path.format_map(self.values) if step.path else self.location
        answer = connection.ask(self.person, method, self.path, data=data, count=count, is_htmx=step.is_htmx)
        wanted = step.contains.format_map(self.values)
        if answer.status != step.status or wanted.encode() not in answer.body:
            problem = f"answers {answer.status}, not {step.status}"
            if answer.status == step.status:
                problem = f"does not contain «{wanted}»"
            raise UnexpectedAnswer(f"{method} {self.path} {problem}")
        parts = urlsplit(urljoin(self.path, answer.location))
        self.location = parts._replace(scheme="", netloc="", fragment="").geturl()
        self.body = answer.body
        return answer

    def _filled_in(self, step: Step) -> dict[str, str]:
        """Set `path` to where the last page's form with the field `step.form` goes. Returns what it sends."""
        reader = _FormReader()
        reader.feed(self.body.decode())
        for action, fields in reader.forms:
            if step.form in fields:
                self.path = urljoin(self.path, action)
                return fields | {name: text.format_map(self.values) for name, text in step.data.items()}
        raise UnexpectedAnswer(f"{self.path} has no form with «{step.form}»")


class _FormReader(HTMLParser):
    """Collects the forms of a page that post: where each goes, and the values that a browser would send untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._fields: dict[str, str] | None = None
        self._text, self._select = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form" and given.get("method", "").lower() == "post":
            self._fields = {}
            self.forms.append((given.get("action", ""), self._fields))
        if self._fields is None:
            return
        if tag == "input" and name and given.get("type") not in ("submit", "file", "button"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self._fields[name] = given.get("value", "")
            return
        if tag == "textarea":
            self._text, self._fields[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self._fields):
            self._fields[self._select] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._fields is not None and self._text:
            self._fields[self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None
        elif tag == "textarea":
            self._text = ""
        elif tag == "select":
            self._select = ""
