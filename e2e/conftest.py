"""Fixtures: the running embedded size, its mailbox, and browsers that record problems."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Page, expect
from pytest_playwright.pytest_playwright import CreateContextCallback

from e2e.mailbox import DemoMailbox, Mailbox
from e2e.processes import Stack
from e2e.site import Site, running
from e2e.walker import Agent, Walker
from tools.browsers import find_browser

AnyWalker = TypeVar("AnyWalker", bound=Walker)
# Playwright keeps an event loop in this thread, in which Django refuses the database of the tests that follow.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
expect.set_options(timeout=15_000)  # a busy machine takes longer than Playwright's five seconds
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Return no address: each context is given its own.

    pytest-playwright defines this fixture as a method, and pytest warns of session fixtures that are methods.
    """


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    browser = find_browser()
    if not Path(browser).is_file():
        pytest.skip("no Chromium (apt install chromium-headless-shell, or name one in DESK_CHROMIUM)")
    # For running as root, in a container with little shared memory, without a graphics card.
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    return browser_type_launch_args | {"executable_path": browser, "args": flags}


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A site of somebody else that shows the assistant of `desk`."""
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Stack]:
    """The running embedded size, with worker and scheduler, and with the demo's people but no tickets."""
    with Stack.embedded(tmp_path_factory.mktemp("desk")) as stack:
        site.desk = stack.url("")
        stack.env["DESK_WIDGET_ORIGINS"] = site.listed
        stack.manage("migrate", "--verbosity=0")
        stack.manage("load_demo", "--without-tickets")
        stack.start_all(workers=1, mail_apart=False)  # as in demo/run.py
        stack.wait_until_ready()
        yield stack


@pytest.fixture
def mailbox(desk: Stack) -> Mailbox:
    return DemoMailbox(desk.folder / "db.sqlite3")


class People:
    """Opens a browser context for each person of a journey, as a `Walker` that records problems."""

    def __init__(self, new_context: CreateContextCallback, desk: Stack) -> None:
        self._new_context, self._desk = new_context, desk
        self.walkers: list[Walker] = []

    def on_phone(self, name: str, **options: Any) -> Walker:
        page = self._open(PHONE, has_touch=True, is_mobile=True, **options)
        return self._watched(Walker(name, page))

    def at_desk(self, name: str) -> Agent:
        return self._watched(Agent(name, self._open(DESKTOP)))

    def without_script(self, name: str) -> Walker:
        return self._watched(Walker(name, self._open(DESKTOP, java_script_enabled=False)))

    def _watched(self, walker: AnyWalker) -> AnyWalker:
        self.walkers.append(walker)
        return walker

    def _open(self, size: dict[str, int], **options: Any) -> Page:
        context = self._new_context(
            viewport=size, base_url=self._desk.url(), locale="es-VE", reduced_motion="reduce", **options
        )
        context.set_default_timeout(10_000)
        return context.new_page()


@pytest.fixture
def people(new_context: CreateContextCallback, desk: Stack) -> Iterator[People]:
    """Opens each context with pytest-playwright's `new_context`, so that `--tracing` and `--screenshot` record it."""
    found = People(new_context, desk)
    yield found
    complaints = [complaint for walker in found.walkers for complaint in walker.complaints]
    for walker in found.walkers:
        walker.page.context.close()
    assert not complaints, "\n".join(complaints)
