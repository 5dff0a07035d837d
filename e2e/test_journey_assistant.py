"""S0.8 in a browser: from the assistant to a ticket on a phone, with and without JavaScript, and back to the ticket."""

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import People
from e2e.mailbox import Mailbox
from e2e.talking import GUEST, answer, begin_report, describe, finish_report, press
from e2e.walker import Walker

pytestmark = [pytest.mark.e2e, pytest.mark.demand("S0.8")]


def ready_to_send(page: Page, title: str) -> None:
    begin_report(page, title, "Pagué una vez y salen dos cobros.")
    finish_report(page, picture="cobro.png")


def folio_of(page: Page) -> str:
    done = page.locator(".chat__done strong").first
    expect(done).to_contain_text("Reporte creado")
    return done.inner_text().rpartition(" ")[2]


def test_report_is_talked_through_corrected_sent_and_followed(people: People, mailbox: Mailbox) -> None:
    rosa = people.on_phone("Rosa")
    page = rosa.page
    rosa.go("/")
    page.get_by_role("link", name="Pregúntale a Parkibot").click()
    expect(page.get_by_role("button", name="Hablar con una persona").first).to_be_visible()
    rosa.look()

    ready_to_send(page, "Cobro doble")
    rosa.look()
    expect(page.locator("dl")).to_contain_text("cobro.png")

    # Back to the question before, and to an earlier one; a reload in the middle changes nothing
    page.get_by_role("link", name="Volver").click()
    expect(page.get_by_label("Teléfono o WhatsApp")).to_be_visible()
    rosa.look()
    press(page, "Omitir")
    page.get_by_role("link", name="Cambiar Título").click()
    expect(page.get_by_label("Título")).to_have_value("Cobro doble")
    page.reload()
    answer(page, "Título", "Me cobraron dos veces la reserva")
    expect(page.locator("dl")).to_contain_text("Me cobraron dos veces la reserva")
    press(page, "Enviar reporte")
    folio = folio_of(page)
    rosa.look()
    page.reload()
    assert folio_of(page) == folio

    # Nothing is told about the ticket until the mailed link has been opened
    press(page, "Empezar de nuevo")
    press(page, "Seguir mi ticket")
    rosa.look()
    page.get_by_role("textbox", name="Folio").fill(folio)
    page.get_by_role("textbox", name="Correo electrónico").fill(GUEST)
    press(page, "Enviar enlace")
    expect(page.get_by_text("Si ese folio y ese correo van juntos")).to_be_visible()
    expect(page.get_by_text("Me cobraron dos veces la reserva")).to_have_count(0)
    rosa.go(mailbox.wait_for(GUEST, folio).link())
    expect(page.get_by_role("heading", name="Me cobraron dos veces la reserva")).to_be_visible()
    page.get_by_text("Conversación con el asistente").click()
    expect(page.locator(".chat__lines")).to_contain_text("App en Android")
    # The words and the conversation stand one below the other, not in two columns that squeeze the words
    conversation, words = (
        page.locator(place).first.bounding_box() for place in (".msg--out .ml-fold", ".msg__body")
    )
    assert conversation["x"] == pytest.approx(words["x"], abs=page.viewport_size["width"] / 2)
    assert words["width"] > page.viewport_size["width"] / 2
    rosa.look()
    rosa.go("/asistente/")
    expect(page.get_by_role("link", name="Me cobraron dos veces la reserva")).to_be_visible()
    rosa.look()

    read_by_staff(people, folio)


def read_by_staff(people: People, folio: str) -> None:
    diego = people.at_desk("Diego")
    diego.sign_in("tecnico@demo.test")
    diego.open_ticket(folio)
    diego.page.get_by_text("Conversación con el asistente").click()
    expect(diego.page.locator(".chat__lines")).to_contain_text("App en Android")
    expect(diego.page.get_by_text("cobro.png").first).to_be_visible()
    diego.look()
    supervisor = people.at_desk("Carolina")
    supervisor.sign_in("supervisor@demo.test")
    supervisor.go("/agentes/ajustes/asistente/")
    expect(supervisor.page.locator("pre").first).to_contain_text("/widget.js")
    supervisor.look()


def test_report_without_javascript(people: People) -> None:
    rosa = people.on_phone("Rosa", java_script_enabled=False)
    page = rosa.page
    page.goto("/asistente/")
    ready_to_send(page, "Sin JavaScript")
    page.get_by_role("link", name="Cambiar Título").click()
    answer(page, "Título", "Sin nada de JavaScript")
    expect(page.locator("dl")).to_contain_text("Sin nada de JavaScript")
    press(page, "Enviar reporte")

    assert folio_of(page).startswith("MA-")


def test_question_and_person(people: People) -> None:
    rosa = people.on_phone("Rosa")
    page = rosa.page
    rosa.go("/asistente/")
    answer(page, "Pregunta para Parkibot", "receta de arepas con queso")
    expect(page.get_by_text("No encontré un artículo")).to_be_visible()
    rosa.look()
    press(page, "Hablar con una persona")
    expect(page.get_by_text("te responde una persona")).to_be_visible()
    rosa.look()
    press(page, "Falla en el pago")
    describe(page, "Prefiero contarlo a alguien.")
    finish(page)
    rosa.look()
    assert folio_of(page)


def finish(page: Page) -> None:
    answer(page, "Correo electrónico", GUEST)
    expect(page.get_by_text("Te responde una persona en")).to_be_visible()
    press(page, "Enviar reporte")


def test_refused_answers_are_accessible(people: People) -> None:
    rosa: Walker = people.on_phone("Rosa")
    page = rosa.page
    rosa.go("/asistente/")
    press(page, "Reportar un problema técnico")
    expect(page.get_by_role("button", name="Falla en el pago")).to_be_visible()
    rosa.look()
    press(page, "Falla en el pago")
    answer(page, "Título", "")
    expect(page.get_by_role("alert")).to_contain_text("Escribe un título")
    rosa.look()
