"""S0.5 in a browser: the app of an organisation opens the desk with its person signed in."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import People
from e2e.mailbox import Mailbox
from e2e.walker import Agent, Walker

pytestmark = [pytest.mark.e2e, pytest.mark.demand("S0.5")]


def help_of(walker: Walker, name: str) -> None:
    """Press «Ayuda» in the app of the example, as the person with this name."""
    walker.go("/app-de-ejemplo/")
    walker.page.get_by_role("button", name=f"Ayuda {name}").click()


def test_signed_link_of_an_app_opens_the_desk(people: People, mailbox: Mailbox) -> None:
    # Somebody new enters by the link alone, and reports a fault of the app
    lucia = people.on_phone("Lucía")
    page = lucia.page
    help_of(lucia, "Lucía Pardo")
    expect(page.get_by_text("Entraste como Lucía Pardo.")).to_be_visible()
    assert "/desde/" not in page.url
    page.get_by_role("main").get_by_role("link", name="Problema con la App").click()
    page.get_by_label("Título").fill("El mapa no abre")
    page.get_by_label("Descripción detallada").fill("Pasos: abrir el mapa. Error 12.")
    page.get_by_role("button", name="Continuar").last.click()
    expect(page.get_by_label("Correo electrónico")).to_have_value("lucia.pardo@correo.test")
    page.get_by_role("button", name="Enviar reporte").click()
    folio = page.locator("main strong.num").inner_text()
    page.get_by_role("link", name="Ver mi ticket").click()
    expect(page.locator("#hilo")).to_contain_text("Error 12")
    lucia.look()

    # Staff read from which app and version it came
    admin = people.at_desk("Jorge")
    admin.sign_in("admin@demo.test")
    admin.open_ticket(folio)
    expect(admin.page.locator("#thread")).to_contain_text("envió el reporte desde Parkiapp 5.2.1")

    # The address of a customer whom the desk knew before is proved once
    mateo = people.on_phone("Mateo")
    help_of(mateo, "Mateo Ríos")
    expect(mateo.page.get_by_role("heading", name="Escribe el código")).to_be_visible()
    expect(mateo.page.get_by_text("mateo.rios@demo.test ya tiene cuenta aquí.")).to_be_visible()
    mateo.look()

    # Another person's session in the same browser is named before it ends
    help_of(lucia, "Gabriela Rondón")
    expect(page.get_by_text("En este navegador está la sesión de Lucía Pardo.")).to_be_visible()
    lucia.look()
    page.get_by_role("button", name="Continuar como Gabriela Rondón").click()
    expect(page.get_by_role("heading", name="No pudimos abrir el enlace")).to_be_visible()
    expect(page.get_by_text("Las cuentas del equipo no entran desde otra aplicación.")).to_be_visible()
    lucia.look()

    # An administrator connects another app
    connect(admin)


def connect(admin: Agent) -> None:
    page = admin.page
    admin.go("/agentes/ajustes/aplicaciones/")
    admin.look()
    page.get_by_role("link", name="Conectar una aplicación").first.click()
    page.get_by_label("Nombre").fill("Aula virtual")
    page.get_by_label("Clave").fill("aula")
    admin.look()
    page.get_by_role("button", name="Conectar").click()
    page.get_by_role("button", name="Crear un secreto").click()
    expect(page.get_by_text("Copia ahora el secreto: no se vuelve a mostrar.")).to_be_visible()
    admin.look()
