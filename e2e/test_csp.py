"""Every page works under the content security policy, and a browser reports what the policy refused."""

import sqlite3

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from e2e.conftest import People
from e2e.processes import Stack
from e2e.waiting import until

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

    def stored() -> list[tuple[str, str, str]]:
        with sqlite3.connect(desk.folder / "db.sqlite3") as database:
            return database.execute("SELECT directive, blocked, page FROM helpdesk_cspreport").fetchall()

    assert until(stored, "the browser's report") == [("img-src", "https://malo.example", "account_login")]
