"""A person whose browser has no JavaScript. It opens pages and sends forms over HTTP, each request at the next web
process."""

import itertools
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from http.client import HTTPResponse
from http.cookiejar import CookieJar

from e2e.forms import Form, read_forms

UPLOAD = tuple[str, bytes, str]  # name, content, content type


@dataclass
class Page:
    url: str
    status: int
    html: str

    @property
    def text(self) -> str:
        """Return the visible text, with single spaces."""
        visible = re.sub(r"(?s)<(script|style|template)\b.*?</\1>", " ", self.html)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", visible))).strip()

    @property
    def path(self) -> str:
        return urllib.parse.urlsplit(self.url).path

    def form(self, action: str) -> Form:
        """Return the POST form whose action ends with `action`."""
        forms = read_forms(self.html)
        found = [
            form
            for form in forms
            if form.method == "post" and (form.action or self.path).partition("#")[0].endswith(action)
        ]
        assert found, (
            f"{self.status} {self.url}: no form for …{action}, only {[form.action for form in forms]}"
        )
        return found[0]

    def link(self, pattern: str) -> str:
        found = re.search(rf'href="({pattern})"', self.html)
        assert found, f"no link {pattern} on {self.url}"
        return unescape(found[1])


class Visitor:
    def __init__(self, ports: Sequence[int]) -> None:
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies), _NoRedirect()
        )
        self._ports: Iterator[int] = itertools.cycle(ports)
        self.page = Page("", 0, "")

    def get(self, address: str) -> Page:
        return self._go("GET", address, None, {})

    def submit(
        self, form: Form, values: dict[str, str] | None = None, files: dict[str, UPLOAD] | None = None
    ) -> Page:
        """Send a form as a browser does: its initial values, replaced by `values`. Fails unless the final status is
        200."""
        values = {form.name(name): value for name, value in (values or {}).items()}
        body, kind = _encode(form.fields | values, files or {})
        page = self._go("POST", form.action or self.page.url, body, {"Content-Type": kind})
        assert page.status == 200, f"{page.status} for {form.action}: {page.text[-2500:]}"
        return page

    def sign_in(self, email: str, password: str) -> Page:
        page = self.get("/cuenta/entrar/")
        page = self.submit(page.form("/cuenta/entrar/"), {"login": email, "password": password})
        assert page.path != "/cuenta/entrar/", page.text
        return page

    def _go(self, method: str, address: str, body: bytes | None, headers: dict[str, str]) -> Page:
        for _redirect in range(6):
            url = self._on_any_web(urllib.parse.urljoin(self.page.url, address))
            request = urllib.request.Request(url, data=body, headers=headers, method=method)
            try:
                response: HTTPResponse = self._opener.open(request, timeout=30)
            except urllib.error.HTTPError as error:
                response = error  # type: ignore[assignment]
            with response:
                if response.status in (301, 302, 303):
                    method, address, body, headers = "GET", str(response.headers["Location"]), None, {}
                    self.page = Page(url, response.status, "")
                    continue
                self.page = Page(url, response.status, response.read().decode())
                return self.page
        raise AssertionError(f"too many redirects, the last to {address}")

    def _on_any_web(self, url: str) -> str:
        """Return the URL at the next web process. A journey must work at all of them, because none may keep state of
        its own."""
        parts = urllib.parse.urlsplit(url)
        return urllib.parse.urlunsplit(parts._replace(scheme="http", netloc=f"127.0.0.1:{next(self._ports)}"))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def _encode(fields: dict[str, str], files: dict[str, UPLOAD]) -> tuple[bytes, str]:
    if not files:
        return urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded"
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, (file_name, content, kind) in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        parts.append(f"{head}Content-Type: {kind}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
