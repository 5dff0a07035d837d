"""At 320 px no page is wider than the window, whatever people have typed: tables, code and long words scroll or break
where they stand."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route
from pytest_playwright.pytest_playwright import CreateContextCallback

from demo.run import PASSWORD
from e2e.processes import Stack, command_of
from e2e.waiting import until, until_drawn
from helpdesk.tests.every_page import Person, is_whole_page, walk

pytestmark = pytest.mark.e2e

WIDEST = """() => {
    const root = document.documentElement
    if (root.scrollWidth <= root.clientWidth) return ""
    const scrolls = (element) => {
        for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
            if (getComputedStyle(box).overflowX !== "visible") return true
        return false
    }
    const named = (element) => {
        const css = typeof element.className === "string" ? element.className : ""
        return element.tagName.toLowerCase() + css.trim().replace(/^(?=\\S)|\\s+/g, ".")
    }
    const reach = (element) => {
        const box = element.getBoundingClientRect()
        const shown = getComputedStyle(element).overflowX === "visible"
        return scrollX + (shown ? Math.max(box.right, box.left + element.scrollWidth) : box.right)
    }
    const beyond = [...document.body.querySelectorAll("*")]
        .map((element) => [element, reach(element)])
        .reverse()
        .filter(([element, right]) => right > root.clientWidth + 0.5 && !scrolls(element))
        .sort(([, one], [, other]) => other - one)
    const [element, right] = beyond[0] ?? [root, root.scrollWidth]
    const text = element.textContent.trim().slice(0, 40)
    const inside = element.parentElement ? named(element.parentElement) + " > " : ""
    return `${root.scrollWidth} px; to ${Math.round(right)} px: ${inside}${named(element)} «${text}»`
}"""


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def long_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, list[Person]]]:
    """The demo's desk, on which all that people may type is as long as it may be, and everybody who visits it."""
    with Stack.embedded(tmp_path_factory.mktemp("long")) as stack:
        stack.manage("migrate", "--verbosity=0")
        people = json.loads(stack.run(sys.executable, "-m", "e2e.long_world").splitlines()[-1])
        stack.start("web1", command_of("web"), WEB_BIND=f"127.0.0.1:{stack.ports[0]}")
        until(lambda: answers(stack.url("/healthz")), stack.log_tails, 60)
        yield stack, [Person(*person) for person in people]


@pytest.fixture
def narrow(new_context: CreateContextCallback, long_desk: tuple[Stack, list[Person]]) -> Iterator[Page]:
    context = new_context(
        viewport={"width": 320, "height": 640},
        base_url=long_desk[0].url(),
        locale="es-VE",
        reduced_motion="reduce",
        is_mobile=True,
    )
    context.set_default_timeout(10_000)
    # The address may be asked for as often as a walk needs, and pictures cost time and have boxes of their own.
    context.route("**/miniatura/", lambda route: route.abort())
    yield context.new_page()
    context.close()


def sign_in(page: Page, email: str) -> None:
    page.context.clear_cookies()
    if email:
        page.goto("/cuenta/entrar/")
        page.locator("input[name=login]").fill(email)
        page.locator("input[name=password]").fill(PASSWORD)
        with page.expect_navigation():
            page.locator("input[name=password]").press("Enter")
        assert "/cuenta/entrar" not in page.url


def too_wide(page: Page) -> str:
    """Return how wide the page is and which element is widest, or "" if it fits. All that is folded is opened."""
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true })")
    until_drawn(page)
    return page.evaluate(WIDEST)


def test_no_page_scrolls_sideways_at_320_px(narrow: Page, long_desk: tuple[Stack, list[Person]]) -> None:
    wide: dict[str, str] = {}
    seen = 0

    def open_page(address: str) -> tuple[str, str] | None:
        response = narrow.goto(address, wait_until="load")
        html = response.text() if response else ""
        return (urlsplit(narrow.url).path, html) if is_whole_page(html) else None

    for person in long_desk[1]:
        sign_in(narrow, person.email)
        for address, _html in walk(person, open_page):
            seen += 1
            if found := too_wide(narrow):
                wide[f"{person.name} at {address}"] = found
    assert seen > 150, "too few pages were opened"
    assert not wide, "\n".join(f"{place}: {element}" for place, element in wide.items())


def test_a_wide_page_is_noticed_by_its_widest_element(narrow: Page) -> None:
    def answer(route: Route) -> None:
        body = f'<body><p>x</p><div class="a b"><pre>{"x" * 200}</pre></div>'
        page = f'<!doctype html><meta name="viewport" content="width=device-width">{body}'
        route.fulfill(body=page, content_type="text/html")

    narrow.route("**/ancha/", answer)
    narrow.goto("/ancha/")
    assert "div.a.b > pre" in too_wide(narrow)
