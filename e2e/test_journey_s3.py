"""S3 in a browser: a guest files a request step by step; it is answered, completed, reopened and closed by the guest,
and rated."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import People
from e2e.mailbox import Mailbox

pytestmark = pytest.mark.e2e
GUEST, DEVELOPER, MANAGER = "luz.arias@correo.test", "pedro.vielma@demo.test", "carla.bravo@demo.test"
CUSTOMER = "cliente@demo.test"
TITLE = "El botón de pagar no responde"
SECRET = "Lo rompimos nosotros el viernes"


@pytest.mark.demand("S3.1")
@pytest.mark.demand("S3.2")
@pytest.mark.demand("S3.3")
@pytest.mark.demand("S3.5")
@pytest.mark.demand("S3.6")
@pytest.mark.demand("S3.7")
@pytest.mark.demand("S3.8")
@pytest.mark.demand("S3.9")
@pytest.mark.demand("S3.12")
@pytest.mark.demand("S3.13")
@pytest.mark.demand("S3.14")
@pytest.mark.demand("S3.15")
@pytest.mark.demand("S3.16")
@pytest.mark.demand("S3.17")
@pytest.mark.demand("S3.18")
@pytest.mark.demand("S3.19")
def test_s3_request_completed_reopened_and_closed(people: People, mailbox: Mailbox) -> None:
    # Filing in steps: type with its notice, title and description, at most three files, a valid email address
    luz = people.on_phone("Luz")
    page = luz.page
    luz.go("/nuevo/")
    page.get_by_text("Reporte de Bug").click()
    expect(page.get_by_text("Incluye la dirección de la página, los pasos y una captura.")).to_be_visible()
    page.get_by_label("Título").fill(TITLE)
    page.get_by_label("Descripción detallada").fill("Al pulsarlo no pasa nada.\n\n1. Elegir\n2. Pagar")
    page.get_by_label("Dirección de la página").fill("https://tienda.test/pago")
    luz.attach("boton.png", "consola.png", "pedido.pdf")
    luz.attach("una-mas.png", state="error")
    page.locator(".file[data-state=error] [data-remove]").click()
    luz.look()
    page.get_by_role("button", name="Continuar").last.click()
    page.get_by_role("button", name="Abrir solicitud").click()
    expect(page.locator("#id_email_error")).to_be_visible()
    page.get_by_label("Correo electrónico").fill(GUEST)
    page.get_by_label("Tu nombre").fill("Luz Arias")
    luz.look()
    page.get_by_role("button", name="Abrir solicitud").click()
    expect(page.get_by_role("heading", name="Recibimos tu reporte")).to_be_visible()
    folio = page.locator("main strong.num").inner_text()
    received = mailbox.wait_for(GUEST, folio)
    luz.go(received.link())
    state, thread = page.locator("main"), page.locator("#hilo")
    expect(state).to_contain_text("10 %")
    expect(state).to_contain_text("Última actualización")
    expect(page.locator("#vivo")).to_contain_text("En espera")
    for file in ("boton.png", "consola.png", "pedido.pdf"):
        expect(thread).to_contain_text(file)
    luz.look()

    # The first answer starts the request and makes its author the assignee; the guest's open page shows it by itself
    pedro = people.at_desk("Pedro")
    pedro.sign_in(DEVELOPER)
    pedro.open_ticket(folio)
    assert pedro.offered() == {"Empezar"}
    pedro.look()
    pedro.note(SECRET)
    pedro.follow_up("¿Te pasa también en una ventana privada?")
    expect(pedro.page.locator("#propiedades")).to_contain_text("Pedro Vielma")
    assert pedro.offered() == {"Completar"}
    expect(page.locator("#vivo")).to_contain_text("50 %", timeout=10_000)
    expect(page.locator("#vivo")).to_contain_text("En curso")
    answer = mailbox.wait_for(GUEST, folio, "¿Te pasa también en una ventana privada?")
    luz.go(answer.link())
    page.get_by_label("Tu respuesta").fill("Sí, y en otro navegador.")
    luz.attach("otro-navegador.png")
    page.get_by_role("button", name="Enviar respuesta").last.click()
    expect(thread).to_contain_text("otro-navegador.png")

    # Completed; something is missing, so she reopens it with a message
    pedro.open_ticket(folio)
    pedro.take_action("Completar", solution_done="Corregimos el botón.", solution_steps="Recarga la página.")
    completed = mailbox.wait_for(GUEST, folio, "Corregimos el botón.")
    assert "Recarga la página." in completed.text
    luz.go(completed.link())
    expect(page.locator("#vivo")).to_contain_text("100 %")
    expect(page.get_by_role("link", name="Calificar la atención")).to_be_visible()
    page.locator("summary").filter(has_text="Reabrir").click()
    expect(page.get_by_text("Tu solicitud vuelve a En curso")).to_be_visible()
    page.get_by_label("¿Qué falta?").fill("En la tableta sigue igual.")
    luz.look()
    page.get_by_role("button", name="Reabrir", exact=True).click()
    expect(page.locator("#vivo")).to_contain_text("50 %")
    pedro.open_ticket(folio)
    assert pedro.offered() == {"Completar"}
    pedro.look()

    # She closes it herself and rates the service; she sees the whole history, but no internal note
    page.locator("summary").filter(has_text="Cerrar mi solicitud").click()
    page.get_by_role("button", name="Cerrar mi solicitud").click()
    expect(page.locator("summary").filter(has_text="Cerrar mi solicitud")).to_have_count(0)
    luz.look()
    luz.rate(4)
    closed = mailbox.wait_for(DEVELOPER, folio, "Luz Arias cerró")
    assert TITLE in closed.text
    for person, words in (
        (MANAGER, "Llegó un ticket"),
        (DEVELOPER, "Sí, y en otro navegador."),
        (DEVELOPER, "En la tableta sigue igual."),
    ):
        assert mailbox.wait_for(person, folio, words)
    assert not [letter for letter in mailbox.letters(MANAGER) if "Sí, y en otro navegador." in letter.text]
    luz.go(received.link())
    expect(page.locator("#vivo")).to_contain_text("Completado")
    for words in ("ventana privada", "Corregimos el botón.", "Recarga la página.", "sigue igual"):
        expect(thread).to_contain_text(words)
    luz.look()
    assert SECRET not in page.content()
    assert all(SECRET not in letter.text + letter.html for letter in mailbox.letters(GUEST))


@pytest.mark.demand("S3.10")
@pytest.mark.demand("S3.11")
def test_s3_customer_without_mails_uses_the_list(people: People, mailbox: Mailbox) -> None:
    valentina = people.at_desk("Valentina")
    page = valentina.page
    valentina.sign_in(CUSTOMER)
    valentina.go("/nuevo/?tipo=solicitud-guiada.asistencia-tecnica")
    page.get_by_label("Título").fill("¿Cómo cambio el logo?")
    page.get_by_label("Descripción detallada").fill("Los comprobantes siguen con el viejo.")
    page.get_by_role("button", name="Continuar").last.click()
    page.get_by_label("Recibir un correo con cada novedad").uncheck()
    valentina.look()
    page.get_by_role("button", name="Abrir solicitud").click()
    expect(page.get_by_role("heading", name="Recibimos tu reporte")).to_be_visible()
    folio = page.locator("main strong.num").inner_text()

    pedro = people.at_desk("Pedro")
    pedro.sign_in(DEVELOPER)
    pedro.open_ticket(folio)
    pedro.take_action("Empezar")
    pedro.take_action("Completar", solution_done="Se cambia en Ajustes › Facturación.")

    valentina.go("/tickets/")
    row = page.get_by_role("row").filter(has_text=folio)
    expect(row).to_contain_text("Asistencia Técnica")
    expect(row).to_contain_text("Completado")
    row.get_by_role("link").first.click()
    page.locator("summary").filter(has_text="Reabrir").click()
    page.get_by_label("¿Qué falta?").fill("En la factura sigue el viejo.")
    page.get_by_role("button", name="Reabrir", exact=True).click()
    # Mails are sent in order: when this one is there, a mail about the solution would be there too.
    assert mailbox.wait_for(DEVELOPER, folio, "En la factura sigue el viejo.")
    assert not [letter for letter in mailbox.letters(CUSTOMER) if "Se cambia en Ajustes" in letter.text]
