"""The widget in the page of another site (S0.6): opened by keyboard, a ticket through the frame, and a site that is not
listed."""

import pytest
from playwright.sync_api import FrameLocator, Page, expect
from pytest_playwright.pytest_playwright import CreateContextCallback

from e2e.conftest import DESKTOP, PHONE
from e2e.mailbox import Mailbox
from e2e.processes import Stack
from e2e.site import Site
from e2e.talking import begin_report, finish_report, press
from e2e.walker import AXE, OPTIONS

pytestmark = [pytest.mark.e2e, pytest.mark.demand("S0.6")]
GUEST = "pedro.luna@correo.test"


def opened(new_context: CreateContextCallback, address: str, size: dict[str, int] = DESKTOP) -> Page:
    page = new_context(viewport=size, locale="es-VE", reduced_motion="reduce").new_page()
    page.goto(address)
    expect(page.get_by_role("button", name="¿Necesitas ayuda?")).to_be_visible()
    return page


def frame_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


@pytest.mark.demand("S0.8")
def test_ticket_is_filed_in_the_page_of_another_site(
    new_context: CreateContextCallback, desk: Stack, site: Site, mailbox: Mailbox
) -> None:
    page = opened(new_context, site.listed)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.get_by_role("button", name="¿Necesitas ayuda?").focus()
    page.keyboard.press("Enter")
    frame = frame_of(page)
    expect(frame.get_by_role("heading", name="Parkibot")).to_be_visible()
    assert violations(page) == []

    begin_report(frame, "El lector no acepta mi tarjeta", "Dice «rechazada».")

    # The page of the site is loaded again in the middle
    page.reload()
    press_help(page)
    finish_report(frame, picture="lector.png", email=GUEST)
    assert violations(page) == []
    press(frame, "Enviar reporte")

    expect(frame.locator(".chat__done")).to_contain_text("Reporte creado: MA-")
    assert mailbox.wait_for(GUEST, "Recibimos tu solicitud")
    assert page.context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert heard == []


def violations(page: Page) -> list[str]:
    """Return what axe finds on the page and in the frame, each by itself: it cannot reach from one into the other."""
    options = {**OPTIONS, "iframes": False}
    return [
        f"{part.url}: {found['id']}: {found['nodes'][0]['html'][:120]}"
        for part in page.frames
        for found in AXE.run(part, options=options).response["violations"]  # type: ignore[arg-type]
    ]


def press_help(page: Page) -> None:
    page.get_by_role("button", name="¿Necesitas ayuda?").click()


def test_escape_closes_the_panel_and_returns_the_focus(
    new_context: CreateContextCallback, desk: Stack, site: Site
) -> None:
    page = opened(new_context, site.listed)
    button = page.get_by_role("button", name="¿Necesitas ayuda?")
    press_help(page)
    question = frame_of(page).get_by_label("Pregunta para Parkibot")
    question.press("Escape")
    expect(button).to_be_focused()
    expect(page.get_by_role("dialog")).to_be_hidden()

    press_help(page)
    frame_of(page).get_by_role("button", name="Minimizar el asistente").click()
    expect(button).to_be_focused()


def test_panel_and_button_leave_room_on_a_phone(
    new_context: CreateContextCallback, desk: Stack, site: Site
) -> None:
    page = opened(new_context, site.listed, PHONE)
    page.keyboard.press("End")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    footer = page.locator("footer").bounding_box()
    button = page.get_by_role("button", name="¿Necesitas ayuda?")
    page.wait_for_function(
        "top => document.querySelector('body > div').shadowRoot.querySelector('button')"
        ".getBoundingClientRect().bottom <= top",
        arg=footer["y"],
    )
    button.click()
    panel = page.get_by_role("dialog").bounding_box()
    assert (panel["x"], panel["width"]) == (8, PHONE["width"] - 16)


def test_site_that_is_not_listed_gets_no_frame(
    new_context: CreateContextCallback, desk: Stack, site: Site
) -> None:
    page = opened(new_context, site.unlisted)
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        press_help(page)

    expect(frame_of(page).get_by_role("heading", name="Parkibot")).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/asistente/", "/cuenta/entrar/"])
def test_other_pages_are_not_framed_even_by_a_listed_site(
    new_context: CreateContextCallback, desk: Stack, site: Site, path: str
) -> None:
    page = opened(new_context, site.listed)
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.evaluate(
            "address => { document.body.append(Object.assign(document.createElement('iframe'), {src: address})) }",
            desk.url(path),
        )
