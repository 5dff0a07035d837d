"""Nothing typed is lost: people who write in several tabs, reload, go back, close the page and return."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from demo.run import PASSWORD
from e2e.conftest import People
from e2e.processes import Stack
from e2e.test_portal import AGENT, CUSTOMER, details, file_ticket, in_the_desk, picture
from e2e.walker import Agent, Walker

pytestmark = pytest.mark.e2e
GUEST_TOPIC = "incidencia-tecnica.falla-en-el-pago"
SAVED = re.compile("Borrador guardado")


@pytest.fixture
def visitor(people: People) -> Walker:
    return people.at_desk("visitante")


def saved(page: Page) -> None:
    expect(page.locator("[data-draft-status]")).to_have_text(SAVED)


def steps_back(page: Page) -> int:
    return int(page.evaluate("history.length"))


def test_text_typed_during_a_slow_upload_stays(visitor: Walker, tmp_path: Path) -> None:
    page = visitor.page

    def hold(route: Route) -> None:
        page.wait_for_timeout(2500)  # the upload begins before the text is saved, and ends after it
        route.continue_()

    details(page, "La app no abre", GUEST_TOPIC)
    page.route("**/archivos/**", hold)
    page.locator("input[type=file]").set_input_files(picture(tmp_path, "foto.png"))
    page.get_by_label("Título").fill("La app no abre el mapa")
    saved(page)
    expect(page.locator(".file", has_text="foto.png")).to_have_attribute("data-state", "ready")
    page.reload()

    expect(page.get_by_label("Título")).to_have_value("La app no abre el mapa")
    expect(page.locator(".file", has_text="foto.png")).to_be_visible()


def test_closed_tab_is_offered_again_on_the_home_page(visitor: Walker) -> None:
    details(visitor.page, "La app se cierra", GUEST_TOPIC)
    saved(visitor.page)
    page = visitor.page.context.new_page()
    visitor.page.close()

    page.goto("/")
    page.get_by_role("link", name="Continuar «La app se cierra»").click()
    expect(page.get_by_label("Título")).to_have_value("La app se cierra")
    page.goto("/")
    page.get_by_role("button", name="Descartar «La app se cierra»").click()
    expect(page.get_by_text("Descartamos tu reporte «La app se cierra».")).to_be_visible()
    page.get_by_role("button", name="Deshacer").click()
    expect(page.get_by_role("heading", name="Continúa tu reporte")).to_be_visible()


def test_reload_after_a_refused_form_keeps_the_new_text(visitor: Walker) -> None:
    page = visitor.page
    page.goto(f"/nuevo/?tipo={GUEST_TOPIC}")
    page.get_by_label("Título").fill("Primera versión")
    page.get_by_role("button", name="Continuar").last.click()
    expect(page.get_by_role("alert")).to_contain_text("Revisa")
    page.get_by_label("Título").fill("Segunda versión")
    saved(page)
    page.reload()

    expect(page.get_by_label("Título")).to_have_value("Segunda versión")


def test_wrong_addresses_add_no_step_and_back_after_sending_shows_no_error(visitor: Walker) -> None:
    page = visitor.page
    details(page, "No puedo pagar", GUEST_TOPIC)
    page.get_by_role("button", name="Continuar").last.click()
    page.wait_for_url("**/contacto/")
    before = steps_back(page)
    for wrong in ("ana", "ana@", "ana@example"):
        page.get_by_label("Correo electrónico").fill(wrong)
        page.get_by_role("button", name=re.compile("^Enviar", re.IGNORECASE)).click()
        expect(page.get_by_role("alert")).to_contain_text("Escribe un correo válido")
        expect(page.get_by_label("Correo electrónico")).to_be_focused()
    assert steps_back(page) == before

    page.get_by_label("Correo electrónico").fill("ana-atras@example.com")
    page.get_by_role("button", name=re.compile("^Enviar", re.IGNORECASE)).click()
    page.wait_for_url("**/listo/")
    page.go_back()

    page.wait_for_url("**/listo/")
    expect(page.get_by_text("Escribe un correo válido")).to_have_count(0)


def test_two_tabs_of_one_report_keep_both_texts(visitor: Walker) -> None:
    first = visitor.page
    details(first, "Desde la primera", GUEST_TOPIC)
    saved(first)
    second = first.context.new_page()
    second.goto(first.url)
    second.get_by_label("Título").fill("Desde la segunda")
    saved(second)
    first.get_by_label("Título").fill("Otra vez la primera")

    expect(first.locator("[data-draft-status]")).to_contain_text("también cambió en otra pestaña")
    first.reload()
    expect(first.get_by_label("Título")).to_have_value("Otra vez la primera")
    visitor.look()
    first.get_by_role("button", name="Usar la otra versión").click()
    expect(first.get_by_label("Título")).to_have_value("Desde la segunda")


def test_expired_form_still_shows_the_page_that_sends_it_again(visitor: Walker) -> None:
    page = visitor.page
    details(page, "Se borraron mis cookies", GUEST_TOPIC)
    saved(page)
    page.context.clear_cookies(name="desk_csrf")
    page.get_by_role("button", name="Continuar").last.click()
    expect(page.get_by_role("heading", name="La página había vencido")).to_be_visible()
    visitor.complaints.clear()  # the console reports the 403
    page.get_by_role("button", name="Enviar otra vez").click()

    page.wait_for_url("**/contacto/")
    expect(page.get_by_text("Se borraron mis cookies")).to_be_visible()


def enter(page: Page) -> None:
    page.locator("input[name=login]").fill(CUSTOMER)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_report_written_when_the_session_ends_is_there_after_signing_in(visitor: Walker) -> None:
    page = visitor.page
    visitor.sign_in(CUSTOMER)
    details(page, "Antes de que terminara")
    saved(page)
    page.context.clear_cookies(name="desk_session")
    page.get_by_label("Título").fill("Terminado sin sesión")
    page.get_by_role("button", name="Continuar").last.click()  # sooner than the draft is saved
    page.wait_for_url("**/cuenta/entrar/**")
    assert "Terminado sin sesión" not in page.content()
    enter(page)

    expect(page.get_by_label("Título")).to_have_value("Terminado sin sesión")
    visitor.complaints.clear()


def test_reply_sent_after_the_session_ended_waits_on_the_ticket(visitor: Walker) -> None:
    page = visitor.page
    visitor.sign_in(CUSTOMER)
    file_ticket(page, "Responderé sin sesión")
    page.context.clear_cookies(name="desk_session")
    page.locator("#responder-texto").fill("Sigue sin funcionar la cámara.")
    page.locator("form[aria-label=Responder] button[type=submit]").last.click()
    expect(page.locator("#snacks")).to_contain_text("Tu sesión había terminado.")
    enter(page)

    expect(page.locator("#responder-texto")).to_have_value("Sigue sin funcionar la cámara.")
    visitor.complaints.clear()


# --- The back office --------------------------------------------------------------------------------------

SOLUTION = "Cambiamos el lector y probamos tres placas."
PREPARE = """
from datetime import timedelta
from django.utils import timezone
from tickets.workflow.perform import perform
data = {"severity": "high", "department": ticket.department, "difficulty": 3, "assignee": agent, "standing": "active"}
perform(ticket, "preparar", actor=supervisor, data=data | {"due_at": timezone.now() + timedelta(days=2)})
"""
ASK = """
from tickets.workflow import properties
properties.set_contribution(ticket, actor=supervisor, is_open=True)
conversation.send_follow_up(ticket, actor=supervisor, body="¿Qué cámara es?")
"""


@pytest.fixture
def folio(people: People, desk: Stack) -> str:
    """A ticket in work, assigned to the agent."""
    customer = people.at_desk("clienta")
    customer.sign_in(CUSTOMER)
    folio = file_ticket(customer.page, "La cámara no lee placas")
    in_the_desk(desk, folio, PREPARE)
    return folio


@pytest.fixture
def agent(people: People) -> Agent:
    agent = people.at_desk("técnico")
    agent.sign_in(AGENT)
    return agent


def test_agent_who_leaves_an_action_finds_the_solution_again(agent: Agent, folio: str) -> None:
    page = agent.page
    agent.open_ticket(folio)
    page.get_by_role("link", name="Pedir aprobación").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=solution_done]").fill(SOLUTION)
    expect(dialog.locator("[data-draft-status]")).to_have_text(SAVED)
    dialog.get_by_role("button", name="Cerrar").click()
    agent.open_ticket(folio)
    page.get_by_role("link", name="Pedir aprobación").last.click()

    expect(page.locator("[name=solution_done]")).to_have_value(SOLUTION)
    expect(page.get_by_text("Recuperamos lo que escribiste y no enviaste.")).to_be_visible()
    agent.look()
    page.get_by_role("button", name="Descartar").click()
    expect(page.locator("[name=solution_done]")).to_have_value("")


def test_composer_follows_the_stage_without_losing_the_solution(
    agent: Agent, folio: str, desk: Stack
) -> None:
    page = agent.page
    agent.open_ticket(folio)
    composer = page.locator("form.composer")
    composer.locator("label").filter(has_text="Solución").click()
    area = composer.get_by_label("Mensaje", exact=True)
    area.fill(SOLUTION)
    area.evaluate("area => area.setSelectionRange(3, 9)")
    in_the_desk(desk, folio, ASK)

    expect(composer.get_by_text("El ticket ya no está en una etapa que admita una solución.")).to_be_visible(
        timeout=20_000
    )
    expect(area).to_have_value(SOLUTION)
    expect(area).to_be_focused()
    assert area.evaluate("area => [area.selectionStart, area.selectionEnd]") == [3, 9]
    expect(composer.get_by_role("button", name="Enviar solución")).to_be_disabled()
    agent.look()
    page.reload()
    expect(composer.get_by_label("Mensaje", exact=True)).to_have_value(SOLUTION)


CLOSE = (
    PREPARE
    + """
data = {"solution_done": "Cambiamos el lector.", "solution_steps": ""}
from tickets.tests.playing import review
perform(ticket, "pedir_aprobacion", actor=agent, data=data)
review(ticket, by=supervisor)
perform(ticket, "aprobar", actor=ticket.requester)
"""
)


def test_back_from_the_surveys_thanks_shows_no_refusal(people: People, desk: Stack) -> None:
    customer = people.at_desk("clienta")
    customer.sign_in(CUSTOMER)
    page = customer.page
    folio = file_ticket(page, "La cámara no lee placas")
    in_the_desk(desk, folio, CLOSE)
    customer.go(f"/tickets/{folio}/encuesta/")
    before = steps_back(page)
    page.get_by_role("button", name="Enviar opinión").click()
    expect(page.get_by_role("alert")).to_contain_text("Elige una de las cinco respuestas")
    customer.rate(5)

    assert steps_back(page) == before
    page.go_back()
    page.wait_for_url(f"**/tickets/{folio}/")
    page.go_forward()
    expect(page.get_by_role("heading", name="Gracias por tu opinión")).to_be_visible()
