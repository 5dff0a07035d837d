"""S1 in a browser: a guest registers a phone for repair; it is validated, assigned to a technician, asked about and
repaired. A second one is rejected."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import People
from e2e.mailbox import Mailbox
from e2e.walker import Walker

pytestmark = pytest.mark.e2e
GUEST = "marta.sosa@correo.test"
RESPONSIBLE, TECHNICIAN = "nelson.pineda@demo.test", "marisela.duque@demo.test"
CAMERA, SERIAL = "Cámara", "353918-05-771"
INSIDE = "Ya vino dos veces por lo mismo"


@pytest.mark.demand("S1.1")
@pytest.mark.demand("S1.2")
@pytest.mark.demand("S1.3")
@pytest.mark.demand("S1.4")
@pytest.mark.demand("S1.5")
@pytest.mark.demand("S1.6")
@pytest.mark.demand("S1.7")
@pytest.mark.demand("S1.8")
@pytest.mark.demand("S1.9")
@pytest.mark.demand("S1.10")
@pytest.mark.demand("S1.11")
@pytest.mark.demand("S1.13")
@pytest.mark.demand("S1.14")
@pytest.mark.demand("S1.15")
@pytest.mark.demand("S1.16")
@pytest.mark.demand("S1.17")
@pytest.mark.demand("S1.18")
@pytest.mark.demand("S1.19")
def test_s1_one_phone_repaired_another_rejected(people: People, mailbox: Mailbox) -> None:
    # The home page carries the form: personal data, the device, its faults, pictures and documents
    marta = people.on_phone("Marta")
    page = marta.page
    folio = register(marta, CAMERA, files=("camara-borrosa.png", "factura.pdf"), look=True)
    received = mailbox.wait_for(GUEST, folio)
    assert "Reparación de dispositivo" in received.text
    marta.go(received.link())
    steps = page.get_by_role("region", name="Avance").get_by_role("listitem")
    expect(steps).to_contain_text(["Registrado", "En reparación", "Finalizado"])
    page.get_by_text("Lo que nos contaste").click()
    expect(page.get_by_role("complementary", name="Datos del ticket")).to_contain_text(SERIAL)
    marta.look()

    # The department is told, and its manager validates the ticket
    nelson = people.at_desk("Nelson")
    nelson.sign_in(RESPONSIBLE)
    nelson.open_ticket(folio)
    assert nelson.offered() == {"Validar y asignar", "Denegar"}
    expect(nelson.page.locator("#propiedades")).to_contain_text(SERIAL)
    expect(nelson.page.locator("#thread")).to_contain_text("factura.pdf")
    nelson.take_action(
        "Validar y asignar",
        trabajo="Reparación",
        assignee="Marisela Duque",
        en_garantia=True,
        note=INSIDE,
    )
    assert nelson.offered() == {"Preguntar al cliente"}  # only the technician may finish
    expect(page.locator("main")).to_contain_text("En curso", timeout=10_000)  # the page refreshes by itself

    # The technician reads everything and asks; the guest answers through the link in the mail
    marisela = people.at_desk("Marisela")
    marisela.sign_in(TECHNICIAN)
    marisela.open_ticket(folio)
    assert marisela.offered() == {"Preguntar al cliente", "Finalizar"}
    expect(marisela.page.locator("#thread")).to_contain_text(INSIDE)
    marisela.look()
    marisela.take_action("Preguntar al cliente", message="¿Se mojó alguna vez?")
    assert marisela.offered() == set()
    asked = mailbox.wait_for(GUEST, folio, "¿Se mojó alguna vez?")
    marta.go(asked.link())
    expect(page.get_by_text("Esperamos tu respuesta.")).to_be_visible()
    marta.look()
    page.get_by_label("Tu respuesta").fill("Solo con la lluvia.")
    page.get_by_role("button", name="Enviar respuesta").last.click()
    expect(page.locator("#hilo")).to_contain_text("Solo con la lluvia.")

    # The technician finishes the repair; the guest and the manager are told
    marisela.open_ticket(folio)
    marisela.take_action(
        "Finalizar",
        solution_done="Cambiamos el módulo de la cámara.",
        solution_steps="Pasa a retirarlo con tu cédula.",
    )
    expect(marisela.page.locator("header.tk__head")).to_contain_text("FINALIZADO")
    finished = mailbox.wait_for(GUEST, folio, "Cambiamos el módulo de la cámara.")
    assert "Pasa a retirarlo con tu cédula." in finished.text
    for person, words in (
        (RESPONSIBLE, "Llegó un ticket"),
        (GUEST, "Aceptamos tu reporte"),
        (TECHNICIAN, "Te asignaron"),
        (TECHNICIAN, "Solo con la lluvia."),
        (RESPONSIBLE, "Cambiamos el módulo de la cámara."),
    ):
        assert mailbox.wait_for(person, folio, words)
    # A new ticket is the manager's until it is assigned; the technician of the same department waits.
    assert not [letter for letter in mailbox.letters(TECHNICIAN) if "Llegó un ticket" in letter.text]
    marta.go(finished.link())
    expect(page.locator("main")).to_contain_text("100 %")
    expect(page.locator("#hilo")).to_contain_text("Reparamos tu dispositivo")
    marta.look()
    assert INSIDE not in page.content()
    assert all(INSIDE not in letter.text + letter.html for letter in mailbox.letters(GUEST))

    # A second ticket is rejected, and the guest reads why
    other = register(marta, "Pantalla rota")
    nelson.open_ticket(other)
    nelson.take_action("Denegar", message="La garantía no cubre golpes.")
    assert nelson.offered() == {"Reabrir"}
    denied = mailbox.wait_for(GUEST, other, "La garantía no cubre golpes.")
    marta.go(denied.link())
    expect(page.locator("#hilo")).to_contain_text("La garantía no cubre golpes.")
    expect(page.locator("main")).to_contain_text("No procede")
    marta.look()

    # The history shows both, and can be filtered by any field of the process
    nelson.go("/agentes/historico/?proceso=reparacion-de-dispositivo")
    for listed in (folio, other):
        expect(nelson.page.get_by_role("main")).to_contain_text(listed)
    nelson.go(f"/agentes/historico/?proceso=reparacion-de-dispositivo&campo-numero_de_serie={SERIAL}")
    expect(nelson.page.get_by_role("main")).to_contain_text(folio)
    expect(nelson.page.get_by_role("main")).not_to_contain_text(other)
    nelson.look()


def register(customer: Walker, fault: str, *, files: tuple[str, ...] = (), look: bool = False) -> str:
    """File a ticket with the form of the home page. Returns its folio. Gives the serial number only if there are
    files."""
    page = customer.page
    look_at = customer.look if look else lambda: None
    customer.go("/")
    page.get_by_label("Marca del dispositivo").fill("Samsung")
    page.locator("label.rcard", has_text=fault).click()
    page.get_by_label("Cuéntanos qué pasó").fill("Desde el lunes, las fotos salen borrosas.")
    if files:
        page.get_by_label("Número de serie o IMEI").fill(SERIAL)
        customer.attach(*files)
    page.get_by_label("Tu nombre").fill("Marta Sosa")
    page.get_by_label("Correo electrónico").fill(GUEST)
    look_at()
    if look:  # a forgotten phone: all that was typed stays, and the files
        page.get_by_role("button", name="Enviar reporte").last.click()
        expect(page.get_by_role("alert")).to_contain_text("Teléfono o WhatsApp")
        expect(page.locator(".file", has_text=files[0])).to_be_visible()
        expect(page.locator("label.rcard", has_text=fault).locator("input")).to_be_checked()
        look_at()
    page.get_by_label("Teléfono o WhatsApp").fill("+58 212 555 0101")
    page.get_by_role("button", name="Enviar reporte").last.click()
    expect(page.get_by_role("heading", name="Recibimos tu reporte")).to_be_visible()
    return page.locator("main strong.num").inner_text()
