"""Wait for a condition instead of sleeping for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Page

Found = TypeVar("Found")


def until(find: Callable[[], Found], what: str | Callable[[], str], seconds: float = 30) -> Found:
    """Call `find` until its result is true, and return the result. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what() if callable(what) else what}")
        time.sleep(0.05)
    return found


def until_drawn(page: Page) -> None:
    """Wait until the browser has drawn the page. It may drop keys that are pressed before, as no person could."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
