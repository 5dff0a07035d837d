"""S2 in a browser: a ticket is prepared, gets two contributions by mailed link, is rejected once, approved, reviewed
and rated.

After filing, the customer's phone never signs in again."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import People
from e2e.mailbox import Mailbox

pytestmark = pytest.mark.e2e
CUSTOMER, AGENT, SUPERVISOR = "cliente@demo.test", "tecnico@demo.test", "supervisor@demo.test"
REVIEWER = "beatriz.solano@demo.test"
TITLE = "No puedo subir el informe de Meteorología"
SECRET = "Ojo: el decanato no quiere que se sepa"


@pytest.mark.demand("S2.1")
@pytest.mark.demand("S2.2")
@pytest.mark.demand("S2.3")
@pytest.mark.demand("S2.4")
@pytest.mark.demand("S2.5")
@pytest.mark.demand("S2.6")
@pytest.mark.demand("S2.7")
@pytest.mark.demand("S2.8")
@pytest.mark.demand("S2.28")
@pytest.mark.demand("S2.30")
@pytest.mark.demand("S2.31")
@pytest.mark.demand("S2.14")
@pytest.mark.demand("S2.44")
@pytest.mark.demand("S2.45")
@pytest.mark.demand("S2.46")
def test_s2_ticket_from_filing_to_survey(people: People, mailbox: Mailbox) -> None:
    journey(people, mailbox)


def journey(people: People, mailbox: Mailbox) -> None:
    """Perform the journey. This file runs it on the embedded size, test_topology on the processes of production."""
    # Filing requires an account, whose email address is filled in
    valentina = people.on_phone("Valentina")
    page = valentina.page
    valentina.go("/nuevo/")
    page.get_by_text("Problema con la plataforma").click()
    expect(page.get_by_role("heading", name="Entra a tu cuenta para seguir")).to_be_visible()
    valentina.look()
    page.get_by_role("main").get_by_role("link", name="Entrar", exact=True).click()
    valentina.look()
    page.get_by_label("Correo electrónico").fill(CUSTOMER)
    page.locator("input[name=password]").fill("demo-mesa-2026")
    page.get_by_role("button", name="Entrar", exact=True).click()
    page.get_by_label("Título").fill(TITLE)
    page.locator("[name=description]").fill("El aula rechaza mi PDF con «Formato no admitido».")
    valentina.attach("formato-no-admitido.png")
    page.get_by_role("button", name="Continuar").first.click()
    expect(page.get_by_label("Correo electrónico")).to_have_value(CUSTOMER)
    expect(page.get_by_label("Correo electrónico")).not_to_be_editable()
    valentina.look()
    page.get_by_role("button", name="Enviar reporte").click()
    expect(page.get_by_role("heading", name="Recibimos tu reporte")).to_be_visible()
    folio = page.locator("main strong.num").inner_text()
    received = mailbox.wait_for(CUSTOMER, folio)
    assert TITLE in received.text
    page.get_by_role("link", name="Ver mi ticket").click()
    valentina.look()

    # The supervisor prepares it
    maria = people.at_desk("María Alejandra")
    maria.sign_in(SUPERVISOR)
    maria.look()
    maria.go(f"/agentes/preparar/{folio}/")
    maria.choose("Alta", "Activo", "Diego Salazar")
    expect(maria.page.locator("[name=due_at]")).not_to_have_value("")
    maria.page.get_by_label("Habilitar aporte de usuario").check()
    maria.look()
    maria.page.locator("summary").filter(has_text="Otras").click()
    maria.page.get_by_role("button", name="Preparar y abrir").click()
    expect(maria.page.locator("header.tk__head")).to_contain_text("Procesar ticket")
    prepared = mailbox.wait_for(CUSTOMER, folio, after=received.id)
    assert mailbox.wait_for(AGENT, folio)

    # The agent answers; the customer's open page shows it by itself and keeps what she is typing
    page.get_by_label("Tu respuesta").fill("Otra cosa: también me pasa en")
    diego = people.at_desk("Diego")
    diego.sign_in(AGENT)
    diego.go("/agentes/")
    diego.look()
    diego.page.get_by_text(TITLE).first.click()
    diego.note(SECRET)
    diego.follow_up("¿Qué navegador usas, y en qué versión?")
    expect(diego.page.locator("header.tk__head")).to_contain_text("Aporte de usuario")
    diego.look()
    expect(page.locator("#hilo")).to_contain_text("¿Qué navegador usas, y en qué versión?", timeout=10_000)
    expect(page.get_by_label("Tu respuesta")).to_have_value("Otra cosa: también me pasa en")
    valentina.look()

    # She contributes twice through links in mails, without signing in
    asked = mailbox.wait_for(CUSTOMER, folio, "¿Qué navegador usas", after=prepared.id)
    guest = people.on_phone("Valentina, sin sesión")
    contribute(guest, asked.link(), "Firefox 144. Adjunto la captura.", file="captura-de-firefox.png")
    diego.open_ticket(folio)
    expect(diego.page.locator("#thread")).to_contain_text("Firefox 144")
    expect(diego.page.locator("#thread")).to_contain_text("captura-de-firefox.png")
    diego.follow_up("Gracias. ¿Y en Chrome también?")
    again = mailbox.wait_for(CUSTOMER, folio, "¿Y en Chrome también?", after=asked.id)
    contribute(guest, again.link(), "En Chrome también.")
    diego.open_ticket(folio)
    diego.page.get_by_role("switch", name="Aporte").click()
    expect(diego.page.locator("#propiedades")).to_contain_text("Deshabilitado")

    # Closure is asked for, and rejected through the link in the mail; the nonconformity is reviewed
    diego.take_action("Pedir aprobación", solution_done="La tarea ya admite PDF.")
    ask = mailbox.wait_for(CUSTOMER, folio, "La tarea ya admite PDF.", after=again.id)
    guest.go(ask.link())
    guest.look()
    guest.page.get_by_text("Rechazar").first.click()
    guest.page.get_by_label("¿Qué falta por resolver?").fill("Sigue igual con archivos de más de 5 MB.")
    guest.look()
    guest.page.get_by_role("button", name="Rechazar").last.click()
    expect(guest.page.get_by_text("Rechazaste el cierre")).not_to_have_count(0)
    assert mailbox.wait_for(AGENT, folio, "Sigue igual con archivos de más de 5 MB.")
    maria.go("/agentes/inconformidades/")
    maria.look()
    maria.page.get_by_text(folio).first.click()
    maria.look()
    maria.page.locator("textarea").first.fill(
        "Se probó con un archivo pequeño. Añadimos la prueba con uno grande."
    )
    maria.page.locator("main form button[type=submit]").last.click()
    expect(maria.page.get_by_text("Guardamos la revisión.")).to_be_visible()
    maria.go("/agentes/inconformidades/?vista=revisadas")
    expect(maria.page.get_by_role("main")).to_contain_text(folio)

    # Solved again, then approved through the link in the mail
    diego.open_ticket(folio)
    diego.look()
    diego.take_action(
        "Pedir aprobación",
        solution_done="Subimos el límite de la tarea a 20 MB.",
        solution_steps="Vuelve a subir tu informe.",
    )
    last = mailbox.wait_for(CUSTOMER, folio, "Subimos el límite de la tarea a 20 MB.", after=ask.id)
    guest.go(last.link())
    guest.page.get_by_role("button", name="Aprobar cierre").click()
    expect(guest.page.get_by_text("Aprobaste el cierre. Gracias por confirmarlo.")).to_be_visible()
    expect(guest.page.get_by_role("main")).to_contain_text("Atención al usuario hace la revisión final")
    guest.look()
    assert mailbox.wait_for(AGENT, folio, "se cierra cuando termine su revisión", after=last.id)

    # User service completes the closing checklist and closes
    assert mailbox.wait_for(REVIEWER, folio, "Falta de la lista de cierre", after=last.id)
    beatriz = people.at_desk("Beatriz")
    beatriz.sign_in(REVIEWER)
    beatriz.go("/agentes/colas/por-verificar/")
    beatriz.look()
    beatriz.page.get_by_text(TITLE).first.click()
    review_and_close(beatriz)

    # She rates through the link in the mail that says that it is closed
    closed = mailbox.wait_for(CUSTOMER, folio, "Vuelve a subir tu informe.", after=last.id)
    guest.go(closed.link())
    expect(guest.page.get_by_role("heading", name="¿Cómo te atendimos?")).to_be_visible()
    guest.look()
    guest.rate(5)
    guest.look()

    # Her list shows it as completed, and no internal note reached her
    valentina.go("/tickets/")
    expect(page.get_by_role("row").filter(has_text=folio)).to_contain_text("Completado")
    valentina.look()
    valentina.go(f"/tickets/{folio}/")
    for seen in (page.content(), guest.page.content()):
        assert SECRET not in seen
    assert all(SECRET not in letter.text + letter.html for letter in mailbox.letters(CUSTOMER))


def review_and_close(agent) -> None:
    """Tick the items of the closing checklist, with the evidence of the last two, and close with R10."""
    page = agent.page
    checklist = page.locator("#sec-lista")
    expect(checklist).to_contain_text("0 de 3")
    agent.look()
    checklist.get_by_role("checkbox").first.click()
    expect(checklist).to_contain_text("1 de 3")
    for done, url in (("2 de 3", ""), ("3 de 3", "https://wa.me/c/584125550142")):
        checklist.get_by_role("link", name="Registrar").first.click()
        dialog = page.get_by_role("dialog")
        dialog.locator("[name=outcome]").select_option("successful")
        dialog.locator("[name=url]").fill(url)
        dialog.get_by_role("button", name="Registrar contacto").click()
        expect(checklist).to_contain_text(done)
    composer = page.locator("form.composer")
    composer.locator("label").filter(has_text="Nota interna").first.click()
    composer.get_by_label("Mensaje", exact=True).fill("Captura de la conversación.")
    agent.attach("whatsapp-cierre.png")
    composer.get_by_role("button", name="Guardar nota").click()
    expect(page.locator("#thread")).to_contain_text("whatsapp-cierre.png")
    agent.take_action("Cerrar por atención al usuario")
    expect(page.locator("header.tk__head")).to_contain_text("Cerrado")


def contribute(guest, link: str, text: str, *, file: str = "") -> None:
    guest.go(link)
    assert "/enlace/" not in guest.page.url  # the token must not stay in the address bar
    guest.page.get_by_label("Tu respuesta").fill(text)
    if file:
        guest.attach(file)
    guest.look()
    guest.page.get_by_role("button", name="Enviar respuesta").last.click()
    expect(guest.page.locator("#hilo")).to_contain_text(text)
