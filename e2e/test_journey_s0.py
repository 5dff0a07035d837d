"""S0 in a browser: a guest reports a fault of the app from a phone; staff find the cause, solve and verify it, and the
guest rates the service."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import People
from e2e.mailbox import Mailbox

pytestmark = pytest.mark.e2e
GUEST = "camila.en.la.calle@correo.test"
TITLE = "La app se cierra al abrir el mapa"
DESCRIPTION = "Abro el mapa y a los dos segundos se cierra.\n\n1. Abrir la app\n2. Tocar «Mapa»"
INTERNAL = "Culpa del proveedor de mapas, no lo digas todavía"


@pytest.mark.demand("S0.6")
@pytest.mark.demand("S0.9")
@pytest.mark.demand("S0.10")
@pytest.mark.demand("S0.12")
@pytest.mark.demand("S0.13")
@pytest.mark.demand("S0.14")
@pytest.mark.demand("S0.15")
@pytest.mark.demand("S0.17")
@pytest.mark.demand("S0.18")
@pytest.mark.demand("S0.20")
@pytest.mark.demand("S0.21")
@pytest.mark.demand("S0.22")
@pytest.mark.demand("S0.23")
@pytest.mark.demand("S0.24")
@pytest.mark.demand("S0.25")
def test_s0_guest_from_filing_to_survey(people: People, mailbox: Mailbox) -> None:
    journey(people, mailbox)


def journey(people: People, mailbox: Mailbox) -> None:
    """Perform the journey. This file runs it on the embedded size, test_topology on the processes of production."""
    camila = people.on_phone("Camila")
    page = camila.page

    # A guest files a ticket
    camila.go("/")
    camila.look()
    page.get_by_role("contentinfo").get_by_role("link", name="Reportar un problema").click()
    camila.look()
    page.get_by_text("Problema con la App").click()
    camila.look()
    page.get_by_label("Título").fill(TITLE)
    page.get_by_label("Descripción detallada").fill(DESCRIPTION)
    page.get_by_label("¿Dónde te pasó?").select_option(label="App en Android")
    page.get_by_role("button", name="Continuar").first.click()
    expect(page.get_by_label("Correo electrónico")).to_be_visible()
    camila.look()
    page.get_by_label("Correo electrónico").fill(GUEST)
    page.get_by_label("Tu nombre").fill("Camila Duarte")
    page.get_by_role("button", name="Enviar reporte").click()
    expect(page.get_by_role("heading", name="Recibimos tu reporte")).to_be_visible()
    camila.look()
    folio = page.locator("main strong.num").inner_text()

    # The link in the received mail opens the ticket
    receipt = mailbox.wait_for(GUEST, folio)
    camila.go(receipt.link())
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    camila.look()

    # A technician classifies it and takes it
    diego = people.at_desk("Diego")
    diego.sign_in("tecnico@demo.test")
    assert mailbox.wait_for("ana.blanco@demo.test", folio)  # she manages the department
    diego.go("/agentes/colas/por-preparar/")
    diego.look()
    diego.open_ticket(folio)
    diego.look()
    diego.page.get_by_role("link", name="Clasificar y asignar").click()
    diego.choose("Alta", "Diego Salazar")
    diego.look()
    diego.page.locator("summary").filter(has_text="Otras").click()
    diego.page.get_by_role("button", name="Preparar y abrir").click()
    expect(diego.page.locator("header.tk__head")).to_contain_text("Diagnóstico y resolución")

    # Diagnosis, progress told to the guest, and a question that she answers on her page
    diego.note(INTERNAL)
    diego.take_action("Registrar diagnóstico", diagnostico="Falta memoria al cargar los iconos del mapa.")
    diego.take_action("Informar avance", message="Encontramos la causa y preparamos la corrección.")
    assert mailbox.wait_for(GUEST, folio, "Encontramos la causa")
    expect(page.get_by_text("Encontramos la causa")).to_be_visible(
        timeout=10_000
    )  # the page refreshes by itself
    diego.take_action("Pedir información al usuario", message="¿Qué versión de la app tienes?")
    question = mailbox.wait_for(GUEST, folio, "¿Qué versión de la app tienes?")
    camila.go(question.link())
    page.get_by_label("Tu respuesta").fill("La 4.12.0")
    page.get_by_role("button", name="Enviar respuesta").last.click()
    expect(page.locator("#hilo")).to_contain_text("La 4.12.0")

    # Solved, returned by the verification, solved again and verified
    diego.open_ticket(folio)
    diego.take_action("Enviar a verificación", solution_done="La versión 4.12.1 usa menos memoria.")
    diego.take_action("No está resuelto", note="Todavía se cierra en el teléfono de pruebas.")
    diego.take_action(
        "Enviar a verificación",
        solution_done="La versión 4.12.2 carga los iconos de a pocos.",
        solution_steps="Actualiza la app y borra la caché.",
    )
    diego.take_action("Verificado: cerrar")
    expect(diego.page.locator("header.tk__head")).to_contain_text("Cerrado")
    diego.look()

    # She reads the solution and what she has to do, and rates the service
    closed = mailbox.wait_for(GUEST, folio, "La versión 4.12.2 carga los iconos de a pocos.")
    assert "Actualiza la app y borra la caché." in closed.text
    assert "4.12.1" not in closed.text
    camila.go(closed.link())
    expect(page.locator("#hilo")).to_contain_text("Actualiza la app y borra la caché.")
    camila.look()
    page.get_by_role("link", name="Calificar la atención").click()
    camila.look()
    camila.rate(5)

    # She sees no internal note
    camila.go(receipt.link())
    assert INTERNAL not in page.content()
    assert all(INTERNAL not in letter.text + letter.html for letter in mailbox.letters(GUEST))
