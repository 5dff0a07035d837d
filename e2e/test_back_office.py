"""The back office in a browser: by keyboard alone, after a session ended, and while the page refreshes itself."""

import re

import pytest
from playwright.sync_api import Page, expect

from demo.run import PASSWORD
from e2e.conftest import People
from e2e.test_portal import file_ticket
from e2e.waiting import until, until_drawn
from e2e.walker import Agent

pytestmark = pytest.mark.e2e
SUPERVISOR = "supervisor@demo.test"
SIGNED_OUT = re.compile(r"\b40[13]\b")
STORAGES = "JSON.stringify([localStorage, sessionStorage])"


@pytest.fixture
def maria(people: People) -> Agent:
    """A supervisor who filed two tickets for a caller and is the assignee of both."""
    maria = people.at_desk("María Alejandra")
    maria.sign_in(SUPERVISOR)
    for title in ("La barrera no abre", "No llega el recibo"):
        page = maria.page
        maria.go("/agentes/tickets/nuevo/")
        page.get_by_role("link", name="Problema con la App").click()
        page.get_by_label("Correo del solicitante").fill("quien.llama@correo.test")
        page.get_by_label("Título").fill(title)
        page.get_by_label("Descripción detallada").fill("Llamó por teléfono y lo contó.")
        page.get_by_role("button", name="Crear ticket").click()
        page.get_by_role("button", name="Asignarme").click()
        expect(page.locator("#snacks")).to_contain_text("Guardamos el cambio: responsable.")
    return maria


def sign_in_again(page: Page) -> None:
    """Sign in by keyboard: Enter moves from the email address to the password."""
    page.locator("input[name=login]").fill(SUPERVISOR)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    until_drawn(page)


def test_reply_is_sent_by_keyboard_alone(maria: Agent) -> None:
    page, keys = maria.page, maria.page.keyboard
    page.context.clear_cookies(name="desk_session")
    maria.go("/agentes/")
    sign_in_again(page)
    keys.press("f")
    expect(page.locator("#filters input[name=q]")).to_be_focused()
    keys.press("Escape")
    expect(page.locator("#filters")).to_be_hidden()  # the browser closes a dialog a moment after the key
    expect(page.locator("#filters input[name=q]")).not_to_be_focused()  # and gives back the focus after that

    for key in ("j", "j", "k"):
        keys.press(key)
    expect(page.locator("[data-row][data-cursor]")).to_have_count(1)
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/agentes/tickets/MA-\d+/"))
    first = page.url
    until_drawn(page)
    keys.press("r")
    expect(page.locator("#composer-body")).to_be_focused()
    keys.type("Lo estamos revisando.")
    with page.expect_navigation():
        keys.press("Control+Enter")
    until_drawn(page)
    expect(page.locator("#thread")).to_contain_text("Lo estamos revisando.")

    # A property is edited in place: Esc cancels, Enter saves, and the links to the next tickets still work
    value = page.locator("select[name=value]")
    keys.press("s")
    expect(value).to_be_focused()
    keys.press("Escape")
    expect(value).to_have_count(0)
    keys.press("s")
    expect(value).to_be_focused()
    value.select_option("critical")
    keys.press("Enter")
    expect(page.locator("#snacks")).to_contain_text("Guardamos el cambio: severidad.")
    expect(page.locator("[data-key=s]")).to_be_focused()
    with page.expect_response(re.compile("/pulso/")):
        pass
    expect(page.locator("[data-key=s]")).to_be_focused()
    with page.expect_navigation():
        keys.press("j")
    assert page.url != first


def test_draft_survives_an_ended_session(maria: Agent) -> None:
    page = maria.page
    ticket = page.url
    page.keyboard.press("r")
    page.keyboard.type("Buenos días.")
    expect(page.locator("[data-draft-status]")).to_have_text(re.compile("Borrador guardado"))
    page.locator("h1").click()
    page.keyboard.press("n")
    expect(page.locator("#composer-body")).to_have_value("")
    page.context.clear_cookies(name="desk_session")
    page.keyboard.type("Cuidado con este cliente")
    expect(page.locator("#snacks")).to_contain_text("Tu sesión terminó")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#composer-body")).to_have_value("Cuidado con este cliente")
    assert page.url == ticket

    other = page.context.new_page()
    other.goto("/cuenta/entrar/")
    assert "Cuidado" not in other.evaluate(STORAGES)
    sign_in_again(other)
    page.bring_to_front()
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Enviar otra vez").click()
    expect(page.locator("#thread")).to_contain_text("Cuidado con este cliente")
    page.get_by_role("radio", name="Seguimiento").check(force=True)
    expect(page.locator("#composer-body")).to_have_value("Buenos días.")
    maria.complaints[:] = [complaint for complaint in maria.complaints if not SIGNED_OUT.search(complaint)]


def test_text_sent_before_the_page_knows_that_the_session_ended_is_kept(maria: Agent) -> None:
    page = maria.page
    ticket = page.url
    page.keyboard.press("r")
    expect(page.locator("#composer-body")).to_be_focused()
    page.context.clear_cookies(name="desk_session")
    page.keyboard.type("Cambiamos el lector de la puerta.")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")  # sooner than the draft is saved
    expect(page.get_by_role("heading", name="Tu sesión terminó")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Entrar en otra pestaña").click()
    sign_in_again(opened.value)

    page.bring_to_front()
    page.get_by_role("button", name="Enviar otra vez").click()
    if page.url != ticket and page.get_by_role("button", name="Enviar otra vez").count():
        page.get_by_role("button", name="Enviar otra vez").click()  # signing in changed the token of the form
    expect(page.locator("#thread")).to_contain_text("Cambiamos el lector de la puerta.")
    maria.complaints[:] = [complaint for complaint in maria.complaints if not SIGNED_OUT.search(complaint)]


def leave_note_in_browser(maria: Agent, text: str) -> None:
    """Type an internal note while the server fails, so that the browser keeps it."""
    page = maria.page
    page.route(re.compile("/borrador/"), lambda route: route.abort())
    page.keyboard.press("n")
    page.keyboard.type(text)
    expect(page.locator("[data-draft-status]")).to_have_text(re.compile("Borrador guardado"))
    assert text in page.evaluate(STORAGES)
    page.unroute(re.compile("/borrador/"))


def sign_out(page: Page) -> None:
    page.goto("/cuenta/salir/")
    page.get_by_role("button", name="Salir").last.click()


def test_signing_out_leaves_nothing_in_the_browser(maria: Agent) -> None:
    page = maria.page
    leave_note_in_browser(maria, "Cuidado con este cliente")
    page.once("dialog", lambda dialog: dialog.accept())
    sign_out(page)

    expect(page.get_by_role("link", name="Entrar").first).to_be_visible()
    assert "Cuidado" not in page.evaluate(STORAGES)
    for _step in range(4):
        page.go_back()
        expect(page.locator("body")).not_to_contain_text("Cuidado con este cliente")
        expect(page.locator("body")).not_to_contain_text("Llamó por teléfono")
    maria.complaints.clear()


def test_next_person_finds_nothing_in_the_browser(maria: Agent) -> None:
    page = maria.page
    leave_note_in_browser(maria, "Cuidado con este cliente")
    page.context.clear_cookies(name="desk_session")
    maria.go("/cuenta/entrar/")
    assert "Cuidado" not in page.evaluate(STORAGES)
    page.evaluate("localStorage.setItem('desk-draft:respuesta-MA-10001', 'de antes')")
    maria.sign_in("agente@demo.test")
    assert "de antes" not in page.evaluate(STORAGES)
    maria.complaints.clear()


def test_composer_says_what_a_follow_up_does(maria: Agent) -> None:
    page = maria.page
    expect(page.locator("[data-submit-label]")).to_have_text("Enviar seguimiento")
    page.get_by_role("switch").click()
    expect(page.locator("[data-submit-label]")).to_have_text("Enviar y pedir aporte")


def test_refresh_keeps_an_open_property_form(maria: Agent, people: People) -> None:
    page = maria.page
    page.keyboard.press("d")
    expect(page.locator("select[name=value]")).to_be_focused()
    page.locator("h1").click()  # the form stays open without the focus

    ana = people.at_desk("Ana")
    ana.sign_in("admin@demo.test")
    ana.go(page.url)
    ana.note("Lo miro yo también.")

    expect(page.locator("#thread")).to_contain_text("Lo miro yo también.", timeout=10_000)
    page.wait_for_load_state("networkidle")
    expect(page.locator(".inline-edit")).to_be_visible()


def waited(page: Page) -> bool:
    """Let the browser hand over the requests that it holds. True."""
    page.wait_for_timeout(20)
    return True


def test_date_that_is_typed_while_a_proposal_is_on_its_way_stays(people: People) -> None:
    """S2.3: the proposal for another severity came late, and replaced the date that the supervisor had typed."""
    customer, supervisor = people.at_desk("clienta"), people.at_desk("supervisora")
    customer.sign_in("cliente@demo.test")
    folio = file_ticket(customer.page, "El simulador se apaga")
    supervisor.sign_in(SUPERVISOR)
    supervisor.go(f"/agentes/preparar/{folio}/")
    page = supervisor.page
    due, held, typed = page.locator("#prep-when [name=due_at]"), [], "2031-05-06T10:30"

    page.route("**/propuesta/**", lambda route: held.append(route))  # noqa: PLW0108  (playwright counts parameters)
    supervisor.choose("Crítica")
    until(lambda: waited(page) and len(held) == 1, "the first request")
    due.fill(typed)
    held[0].continue_()
    until(lambda: waited(page) and len(held) == 2, "the second request")
    assert "2031-05-06" in held[1].request.url
    with page.expect_response("**/propuesta/**"):
        held[1].continue_()

    expect(page.locator("#prep-when")).not_to_have_class(re.compile("htmx-swapping|htmx-settling"))
    expect(due).to_have_value(typed)
