"""S4 in a browser: an employee reports an incident; it is accepted, completed, resolved, returned, resolved again and
validated. A second one is rejected on evaluation, a third one while it is being resolved."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import People
from e2e.mailbox import Mailbox
from e2e.walker import Walker

pytestmark = pytest.mark.e2e
REPORTER, EVALUATOR, TECHNICIAN = "ramon.acosta@demo.test", "carla.bravo@demo.test", "pedro.vielma@demo.test"
TITLE = "La nómina duplica las horas extra"
RESOLVING = {"Resolver", "Solicitar información", "No es necesario resolverlo"}


@pytest.mark.demand("S4.1")
@pytest.mark.demand("S4.2")
@pytest.mark.demand("S4.5")
@pytest.mark.demand("S4.6")
@pytest.mark.demand("S4.7")
@pytest.mark.demand("S4.8")
@pytest.mark.demand("S4.9")
@pytest.mark.demand("S4.10")
@pytest.mark.demand("S4.11")
@pytest.mark.demand("S4.12")
@pytest.mark.demand("S4.14")
@pytest.mark.demand("S4.15")
@pytest.mark.demand("S4.17")
@pytest.mark.demand("S4.20")
@pytest.mark.demand("S4.21")
@pytest.mark.demand("S4.22")
@pytest.mark.demand("S4.24")
def test_s4_incident_resolved_returned_and_validated(people: People, mailbox: Mailbox) -> None:
    # The form; it asks for the steps only if the incident is an error
    ramon = people.at_desk("Ramón")
    page = ramon.page
    ramon.sign_in(REPORTER)
    folio = report(ramon, TITLE, kind="Error", priority="Alta", look=True)
    ramon.go(f"/tickets/{folio}/")
    expect(page.locator("#vivo")).to_contain_text("En evaluación")
    ramon.look()

    # Only the evaluator may evaluate, and must give a reason
    pedro = people.at_desk("Pedro")
    pedro.sign_in(TECHNICIAN)
    pedro.open_ticket(folio)
    assert pedro.offered() == set()
    carla = people.at_desk("Carla")
    carla.sign_in(EVALUATOR)
    carla.open_ticket(folio)
    assert carla.offered() == {"Aceptar", "Rechazar"}
    expect(carla.page.locator("#propiedades")).to_contain_text("Nómina")
    expect(carla.page.locator("#propiedades")).to_contain_text("2. Ver el recibo.")
    expect(carla.page.locator("header.tk__head")).to_contain_text("Alta")
    carla.look()
    carla.take_action("Aceptar", evaluacion="Se acepta: se repite cada mes.")
    assert carla.offered() == set()
    expect(page.locator("#vivo")).to_contain_text("En resolución", timeout=10_000)

    # Technicians resolve it; they ask the evaluator, not the requester, for missing information
    pedro.open_ticket(folio)
    assert pedro.offered() == {*RESOLVING, "Tomar"}
    pedro.take_action("Tomar")
    assert pedro.offered() == RESOLVING
    expect(pedro.page.locator("#propiedades")).to_contain_text("Se acepta: se repite cada mes.")
    pedro.take_action("Solicitar información", note="¿Con qué versión pasa?")
    carla.open_ticket(folio)
    assert carla.offered() == {"Completar la información"}
    carla.take_action("Completar la información", note="Con la 3.1.")

    # Resolved (the requester is told), returned, resolved again and validated
    pedro.open_ticket(folio)
    pedro.take_action(
        "Resolver", solution_done="Corregimos el cálculo.", solution_steps="Vuelve a cerrar el mes."
    )
    carla.open_ticket(folio)
    assert carla.offered() == {"La resolución es correcta", "Devolver a Resolver Incidente"}
    carla.take_action("Devolver a Resolver Incidente", note="En diciembre sigue mal.")
    ramon.go(f"/tickets/{folio}/")
    expect(page.locator("#hilo")).to_contain_text("todavía falta algo: seguimos trabajando")
    pedro.open_ticket(folio)
    pedro.take_action("Resolver", solution_done="Corregimos también diciembre.", solution_steps="")
    carla.open_ticket(folio)
    carla.take_action("La resolución es correcta")
    expect(carla.page.locator("header.tk__head")).to_contain_text("Resuelto")
    assert carla.offered() == {"Reabrir"}
    ramon.go(f"/tickets/{folio}/")
    expect(page.locator("#vivo")).to_contain_text("100 %")
    ramon.look()

    # Each person got their mails, and the requester none with internal information
    for person, words in (
        (EVALUATOR, "Llegó un ticket"),
        (REPORTER, "Aceptamos tu reporte"),
        (TECHNICIAN, "Aceptaron el reporte"),
        (EVALUATOR, "¿Con qué versión pasa?"),
        (TECHNICIAN, "Con la 3.1."),
        (EVALUATOR, "Verifica la solución"),
        (TECHNICIAN, "En diciembre sigue mal."),
        (REPORTER, "cerramos el ticket"),
    ):
        assert mailbox.wait_for(person, folio, words)
    again = mailbox.wait_for(REPORTER, folio, "Corregimos también diciembre.")
    assert "Vuelve a cerrar el mes." not in again.text
    for inside in ("¿Con qué versión pasa?", "Con la 3.1.", "En diciembre sigue mal.", "Se acepta"):
        assert inside not in page.content()
        assert all(inside not in letter.text + letter.html for letter in mailbox.letters(REPORTER))


@pytest.mark.demand("S4.13")
@pytest.mark.demand("S4.18")
@pytest.mark.demand("S4.19")
@pytest.mark.demand("S4.23")
def test_s4_incident_rejected_with_a_reason(people: People, mailbox: Mailbox) -> None:
    ramon, carla, pedro = people.on_phone("Ramón"), people.at_desk("Carla"), people.at_desk("Pedro")
    for walker, email in ((ramon, REPORTER), (carla, EVALUATOR), (pedro, TECHNICIAN)):
        walker.sign_in(email)

    known = report(ramon, "El recibo no abre", kind="Error", priority="Media")
    carla.open_ticket(known)
    carla.page.get_by_label("Más acciones").click()
    carla.page.get_by_role("link", name="Rechazar").click()
    dialog = carla.page.get_by_role("dialog")
    dialog.locator("[name=evaluacion]").fill("Se rechaza: está repetido.")
    dialog.locator("[name=message]").fill("Lo reportó Isabel el lunes: te avisaremos ahí.")
    dialog.get_by_role("button", name="Rechazar").click()
    expect(carla.page.locator("#id_motivo_rechazo_error")).to_be_visible()  # a reason is required
    carla.look()
    carla.page.locator("[name=motivo_rechazo]").select_option(label="Otro usuario ya reportó ese error")
    carla.page.get_by_role("button", name="Rechazar").click()
    expect(carla.page.locator("header.tk__head")).to_contain_text("Rechazado")
    assert carla.offered() == {"Reabrir"}
    ramon.go(f"/tickets/{known}/")
    expect(ramon.page.locator("#hilo")).to_contain_text("Lo reportó Isabel el lunes")
    expect(ramon.page.locator("#hilo")).to_contain_text("No seguiremos con tu reporte")
    expect(ramon.page.locator("#vivo")).to_contain_text("Rechazado")
    ramon.look()

    wish = report(ramon, "Firmar con el dedo", kind="Nueva Funcionalidad", priority="Baja")
    carla.open_ticket(wish)
    carla.take_action("Aceptar", evaluacion="Se acepta.", assignee="Pedro Vielma")
    pedro.open_ticket(wish)
    assert pedro.offered() == RESOLVING
    pedro.take_action(
        "No es necesario resolverlo",
        motivo_rechazo="Otro motivo",
        otro_motivo="El módulo se retira en mayo",
        message="El módulo se retira en mayo: el nuevo ya lo trae.",
    )
    expect(pedro.page.locator("header.tk__head")).to_contain_text("Rechazado")
    expect(pedro.page.locator("#propiedades")).to_contain_text("El módulo se retira en mayo")
    assert mailbox.wait_for(TECHNICIAN, wish, "Te asignaron")
    assert mailbox.wait_for(REPORTER, wish, "el nuevo ya lo trae")
    rejected = mailbox.wait_for(REPORTER, known, "Lo reportó Isabel el lunes")
    assert "está repetido" not in rejected.text


def report(reporter: Walker, title: str, *, kind: str, priority: str, look: bool = False) -> str:
    """File a ticket through the guide. Returns its folio."""
    page = reporter.page
    reporter.go("/nuevo/?tipo=reporte-de-incidentes.incidente")
    page.locator("[name=title]").fill(title)
    page.get_by_label("Descripción").fill("Al cerrar el mes, las horas extra salen dos veces.")
    steps = page.get_by_label("Pasos para recrear el error")
    expect(steps).to_be_hidden()
    page.get_by_label("Tipo de incidente").select_option(label=kind)
    if kind == "Error":
        steps.fill("1. Cerrar el mes.\n2. Ver el recibo.")
    page.get_by_label("Sistema").fill("Nómina")
    page.get_by_label("Prioridad").select_option(label=priority)
    if look:
        reporter.attach("recibo-duplicado.png")
        reporter.look()
    page.get_by_role("button", name="Continuar").last.click()
    page.get_by_role("button", name="Enviar reporte").click()
    expect(page.get_by_role("heading", name="Recibimos tu reporte")).to_be_visible()
    return page.locator("main strong.num").inner_text()
