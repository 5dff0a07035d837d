"""Articles in a browser: one is written, freed of personal data, published and read; and a procedure stands beside a
ticket, from where its steps go only into a note."""

import re

import pytest
from playwright.sync_api import expect

from e2e.conftest import People
from e2e.walker import Agent

pytestmark = pytest.mark.e2e
SUPERVISOR = "supervisor@demo.test"
KNOWLEDGE = "/agentes/conocimiento/"
NEW = f"{KNOWLEDGE}articulos/nuevo/"


@pytest.fixture
def carolina(people: People) -> Agent:
    """A supervisor, who has made a section."""
    carolina = people.at_desk("Carolina")
    carolina.sign_in(SUPERVISOR)
    carolina.go(f"{KNOWLEDGE}ajustes/secciones/nueva/")
    carolina.page.locator("[name=name]").fill("Taller")
    carolina.page.get_by_role("button", name="Guardar").click()
    expect(carolina.page.get_by_role("heading", name="Secciones")).to_be_visible()
    return carolina


@pytest.mark.demand("S2.47")
def test_article_from_its_first_word_to_its_reader(carolina: Agent, people: People) -> None:
    page = carolina.page
    for address in (
        "",
        "articulos/por-escribir/",
        "ajustes/busquedas/",
        "ajustes/sinonimos/",
        "ajustes/secciones/",
    ):
        carolina.go(f"{KNOWLEDGE}{address}")
        carolina.look()
    carolina.go(NEW)
    carolina.look()
    page.locator("[name=title]").fill("Limpiar la memoria del visor")
    page.locator("[name=body]").fill("## Antes\n\nLlama a [[Julián Torres]].")
    page.get_by_role("button", name="Guardar borrador").click()

    # The editor previews what is typed, keeps a picture, and refuses to publish personal data
    area = page.locator("#id_body")
    expect(area).to_have_value(re.compile("Julián"))
    carolina.look()
    area.press("Control+End")
    area.press_sequentially("\n\n1. Abre **Ajustes**.")
    expect(page.locator("#preview strong")).to_have_text("Ajustes")
    carolina.attach("pantalla.png")
    expect(area).to_have_value(re.compile(r"!\[pantalla\]\(pantalla\.png\)"))
    expect(page.locator("#preview img")).to_be_attached()
    page.get_by_role("button", name="Publicar").click()
    expect(page.get_by_role("alert")).to_contain_text("Quita los datos personales marcados")
    area.fill(area.input_value().replace("[[Julián Torres]]", "la mesa"))
    page.get_by_role("button", name="Publicar").click()
    expect(page.locator(".topbar .tag")).to_contain_text("Publicado")

    # What is saved afterwards is compared, and not read yet
    area.fill(area.input_value().replace("la mesa", "soporte"))
    page.get_by_role("button", name="Guardar", exact=True).click()
    page.get_by_role("link", name="Qué cambió en la versión 4").click()
    expect(page.locator(".kb-diff ins")).to_have_text("soporte.")
    carolina.look()
    reader = people.on_phone("Valentina")
    reader.go("/ayuda/limpiar-la-memoria-del-visor/")
    expect(reader.page.get_by_role("heading", name="Limpiar la memoria del visor")).to_be_visible()
    expect(reader.page.locator(".kb-body")).to_contain_text("Llama a la mesa.")


@pytest.mark.demand("S2.36", "S2.37", "S2.38")
def test_steps_of_a_procedure_go_only_into_a_note(carolina: Agent) -> None:
    page = carolina.page
    carolina.go(NEW)
    page.locator("[name=title]").fill("Barrera atascada")
    page.locator("[name=body]").fill("1. Mira la **cámara** del carril.\n2. Llama al vigilante.")
    page.locator("[name=audience]").select_option("internal")
    page.get_by_text("Dónde encaja").click()
    page.locator("[name=topic-0]").select_option("incidencia-tecnica")
    page.get_by_role("button", name="Guardar borrador").click()
    page.get_by_role("button", name="Publicar").click()
    expect(page.locator(".topbar .tag")).to_contain_text("Publicado")

    carolina.go("/agentes/tickets/nuevo/")
    page.get_by_role("link", name="Problema con la App").click()
    page.get_by_label("Correo del solicitante").fill("quien.llama@correo.test")
    page.get_by_label("Título").fill("La barrera no abre")
    page.get_by_label("Descripción detallada").fill("Llamó por teléfono y lo contó.")
    page.get_by_role("button", name="Crear ticket").click()
    procedure = page.locator(".kb-beside", has_text="Barrera atascada")
    expect(procedure).to_be_attached()
    if procedure.get_attribute("open") is None:
        procedure.locator("summary").click()
    expect(procedure).to_contain_text("Mira la cámara del carril.")
    carolina.look()
    procedure.get_by_role("link", name="Ver completo").click()
    expect(page.locator("#ticket-dialog .kb-steps strong")).to_have_text("cámara")
    page.keyboard.press("Escape")

    body = page.locator("#composer-body")
    body.press("/")
    page.locator("#composer-answers").get_by_role("link", name=re.compile("Barrera atascada")).click()
    expect(page.locator("#composer [name=mode][value=note]")).to_be_checked()
    expect(body).to_have_value(re.compile("1. Mira la cámara del carril."))
    page.locator("#composer label").filter(has_text="Seguimiento").click()
    expect(body).to_have_value("")
