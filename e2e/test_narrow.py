"""Whatever people have typed, no page is wider than a window of 320 px, no text lies over another, and no page of the
back office is higher than its window: tables, code and long words scroll or break where they stand."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page
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


# Bars that stay in place lie over what scrolls below them, and what is drawn for screen readers lies anywhere.
OVERLAPS = """() => {
    const stays = (element) => {
        for (let box = element; box; box = box.parentElement) {
            const style = getComputedStyle(box)
            if (["fixed", "sticky"].includes(style.position) || style.clipPath !== "none" || style.clip !== "auto")
                return true
        }
        return false
    }
    const seen = (rect, element) => {
        let { left, right, top, bottom } = rect
        for (let box = element; box !== document.documentElement; box = box.parentElement) {
            const style = getComputedStyle(box)
            if (style.overflowX === "visible" && style.overflowY === "visible") continue
            const edge = box.getBoundingClientRect()
            left = Math.max(left, edge.left)
            right = Math.min(right, edge.right)
            top = Math.max(top, edge.top)
            bottom = Math.min(bottom, edge.bottom)
        }
        return { left, right, top, bottom }
    }
    const boxes = []
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        const element = text.parentElement
        if (!text.data.trim() || !element.checkVisibility() || stays(element)) continue
        const range = document.createRange()
        range.selectNodeContents(text)
        for (const rect of range.getClientRects()) {
            const { left, right, top, bottom } = seen(rect, element)
            if (right - left > 2 && bottom - top > 2)
                boxes.push({ left, right, top, bottom, element, words: text.data.trim().slice(0, 30) })
        }
    }
    const found = new Set()
    boxes.sort((one, other) => one.top - other.top)
    boxes.forEach((one, place) => {
        for (let next = place + 1; next < boxes.length && boxes[next].top < one.bottom - 4; next++) {
            const other = boxes[next]
            const shared = Math.min(one.right, other.right) - Math.max(one.left, other.left)
            if (other.element !== one.element && shared > 2) found.add(`«${one.words}» and «${other.words}»`)
        }
    })
    return [...found].slice(0, 3).join("; ")
}"""


# On a screen the back office is as high as the window: its panes scroll. What is drawn for screen readers in a pane
# that is not its containing block makes the whole page as long as the pane's content, and all of that is empty.
BELOW = """() => {
    const root = document.documentElement
    const shell = document.querySelector(".shell")
    if (!shell || innerWidth < 992) return ""
    return root.scrollHeight > root.clientHeight + 1 ? `${root.scrollHeight} px high` : ""
}"""
LAID_OUT = f"() => [({OVERLAPS})(), ({BELOW})()].filter(Boolean).join('; ')"


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
def window(
    new_context: CreateContextCallback, long_desk: tuple[Stack, list[Person]], request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A page in a window of the width that the test is given."""
    width: int = request.param
    context = new_context(
        viewport={"width": width, "height": 900},
        base_url=long_desk[0].url(),
        locale="es-VE",
        reduced_motion="reduce",
        is_mobile=width < 800,
    )
    context.set_default_timeout(10_000)
    context.route(
        "**/miniatura/", lambda route: route.abort()
    )  # pictures cost time and have boxes of their own
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


def opened(page: Page) -> Page:
    """Unfold all that is folded, except menus, and wait until the browser has drawn it."""
    page.evaluate(
        "document.querySelectorAll('details:not(.menu)').forEach((details) => { details.open = true })"
    )
    until_drawn(page)
    return page


def faults_of_every_page(page: Page, people: list[Person], check: str) -> tuple[list[str], int]:
    """Return what the script `check` says of the pages of these people, and how many pages they are."""
    faults, count = [], 0

    def open_page(address: str) -> tuple[str, str] | None:
        try:
            response = page.goto(address)
        except Error as problem:
            if "Download is starting" in problem.message:
                return None
            raise
        html = response.text() if response else ""
        return (urlsplit(page.url).path, html) if is_whole_page(html) else None

    for person in people:
        person.seen.clear()
        sign_in(page, person.email)
        for address, _html in walk(person, open_page):
            count += 1
            if found := opened(page).evaluate(check):
                faults.append(f"{person.name} at {address}: {found}")
    return faults, count


@pytest.mark.parametrize("window", [320], indirect=True)
def test_no_page_scrolls_sideways(window: Page, long_desk: tuple[Stack, list[Person]]) -> None:
    wide, count = faults_of_every_page(window, long_desk[1], WIDEST)
    assert count > 150, "too few pages were opened"
    assert not wide, "\n".join(wide)


@pytest.mark.parametrize("window", [390, 1440], indirect=True)
def test_no_text_lies_over_another_nor_ends_a_page_in_empty_space(
    window: Page, long_desk: tuple[Stack, list[Person]]
) -> None:
    people = [
        person for person in long_desk[1] if person.name in ("a customer", "a supervisor", "who must approve")
    ]
    faults, count = faults_of_every_page(window, people, LAID_OUT)
    assert count > 80, "too few pages were opened"
    assert not faults, "\n".join(faults)


FAULTY = """<!doctype html><meta name="viewport" content="width=device-width"><body><p>x</p>
<div class="a b"><pre>%s</pre></div>
<p style="position: relative"><b>uno</b><i style="position: absolute; left: 0">dos</i></p>""" % ("x" * 200)


@pytest.mark.parametrize("window", [320], indirect=True)
def test_faulty_page_is_noticed(window: Page) -> None:
    window.route("**/ancha/", lambda route: route.fulfill(body=FAULTY, content_type="text/html"))
    window.goto("/ancha/")
    assert "div.a.b > pre" in window.evaluate(WIDEST)
    assert window.evaluate(OVERLAPS) == "«uno» and «dos»"


TALL = """<!doctype html><body style="margin: 0"><div class="shell" style="height: 100vh; overflow: hidden">
<div style="overflow: auto; height: 100%"><p style="height: 3000px">x</p><i style="position: absolute">y</i></div>"""


@pytest.mark.parametrize("window", [1440], indirect=True)
def test_empty_space_below_the_back_office_is_noticed(window: Page) -> None:
    window.route("**/alta/", lambda route: route.fulfill(body=TALL, content_type="text/html"))
    window.goto("/alta/")
    assert "px high" in window.evaluate(BELOW)
