"""Every page works under the content security policy, and a browser reports what the policy refused."""

import shutil
import sqlite3
import ssl
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Playwright

from e2e.conftest import People
from e2e.processes import Stack, command_of
from e2e.waiting import until
from tools.servers import CannotServe, Nginx

pytestmark = pytest.mark.e2e


def pages(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> list[str]:
    """Return the addresses of all URL patterns without arguments, those of the admin's lists included."""
    found = []
    for pattern in patterns:
        here = prefix + str(pattern.pattern).lstrip("^").rstrip("$").replace("\\Z", "")
        if isinstance(pattern, URLResolver):
            found += pages(pattern.url_patterns, here)
        elif not pattern.pattern.regex.groups and not set(here) & set("(<[\\?"):
            found.append(here)
    return sorted(set(found))


PAGES = pages(get_resolver().url_patterns)
ACCOUNTS = ["", "cliente@demo.test", "agente@demo.test", "supervisor@demo.test", "admin@demo.test"]


@pytest.mark.parametrize("email", ACCOUNTS)
def test_no_page_violates_the_policy(people: People, email: str) -> None:
    """A walker complains about everything that the console says, and so about each violation."""
    person = people.at_desk(email or "Alguien")
    refused: list[str] = []
    person.page.on(
        "console", lambda said: refused.append(said.text) if "Content Security" in said.text else None
    )
    if email:
        person.sign_in(email)
    assert len(PAGES) > 30
    for path in PAGES:
        if path.startswith(("/admin/", "/admin")) and email != "admin@demo.test":
            continue
        if path.endswith(
            (".xml", ".txt")
        ):  # Chromium draws XML with a style sheet of its own, which it refuses itself
            continue
        person.page.goto(path, wait_until="load")
        assert not refused, (path, refused)
    person.complaints.clear()  # pages for others answer 403, 404 or 405


def test_browser_reports_what_was_refused(people: People, desk: Stack) -> None:
    visitor = people.at_desk("Alguien")
    visitor.go("/cuenta/entrar/")
    with visitor.page.expect_event("console"):
        visitor.page.evaluate(
            "document.body.append(Object.assign(new Image(), {src: 'https://malo.example/x.png?quien=ana'}))"
        )
    visitor.complaints.clear()

    assert until(lambda: stored(desk), "the browser's report") == REPORTED


REPORTED = [("img-src", "https://malo.example", "account_login")]


def stored(desk: Stack) -> list[tuple[str, str, str]]:
    with sqlite3.connect(desk.folder / "db.sqlite3") as database:
        return database.execute("SELECT directive, blocked, page FROM helpdesk_cspreport").fetchall()


@pytest.fixture
def over_https(tmp_path: Path) -> Iterator[tuple[Stack, Nginx]]:
    with Stack.embedded(tmp_path / "desk") as desk:
        nginx = Nginx(f"127.0.0.1:{desk.ports[0]}", https=True)
        desk.env |= {"DESK_BASE_URL": nginx.url, "DESK_TRUSTED_PROXIES": "127.0.0.0/8"}
        desk.manage("migrate", "--verbosity=0")
        desk.start("web", command_of("web"), WEB_BIND=f"127.0.0.1:{desk.ports[0]}")
        try:
            with nginx:
                yield desk, nginx
        except CannotServe as problem:
            pytest.skip(str(problem))


def test_browser_reports_over_https_by_report_to(
    over_https: tuple[Stack, Nginx], playwright: Playwright
) -> None:
    """A browser that knows report-to sends nothing to report-uri, and reports to trusted addresses only. A flag spares
    the minute that it waits before it sends. The headless shell cannot do it."""
    desk, nginx = over_https
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium with the Reporting API (apt install chromium)")
    certificate = ssl.get_server_certificate(("127.0.0.1", nginx.port)).encode()
    key = load_pem_x509_certificate(certificate).public_key()
    pin = b64encode(
        sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    ).decode()
    trusting = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--short-reporting-delay"]
    trusting.append(f"--ignore-certificate-errors-spki-list={pin}")
    shown = playwright.chromium.launch(executable_path=browser, args=trusting)
    try:
        page = shown.new_page()
        answer = page.goto(f"{nginx.url}/cuenta/entrar/")
        assert answer is not None
        assert "report-to csp" in answer.headers["content-security-policy"]
        page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://malo.example/x.png'}))")
        assert until(lambda: stored(desk), "the browser's report", 60) == REPORTED
    finally:
        shown.close()
