"""The history in a browser: found by a word of a message, saved as a shared view, exported, on a phone."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.conftest import People
from e2e.test_portal import file_ticket
from e2e.waiting import until

pytestmark = pytest.mark.e2e
SUPERVISOR, AGENT, CUSTOMER = "supervisor@demo.test", "agente@demo.test", "cliente@demo.test"
PAGE = "/agentes/historico/"


@pytest.mark.demand("S1.18", "S1.19")
def test_word_is_found_saved_as_a_shared_view_and_exported(people: People) -> None:
    supervisor, customer = people.at_desk("Supervisora"), people.at_desk("Clienta")
    customer.sign_in(CUSTOMER)
    folio = file_ticket(customer.page, "El torniquete tiene murciélagos")
    supervisor.sign_in(SUPERVISOR)
    page = supervisor.page

    def is_found() -> bool:
        page.goto(page.url)
        return page.get_by_text(folio, exact=True).count() == 1

    supervisor.go(f"{PAGE}?q=murcielago")
    until(is_found, "the words of the new ticket", 60)
    expect(page.locator("mark").first).to_have_text("murciélagos")
    supervisor.look()

    page.locator("summary", has_text="Columnas").click()
    for name in ("Satisfacción", "Tiempo hábil"):
        page.get_by_label(name, exact=True).uncheck()
    page.get_by_label("Canal", exact=True).check()
    page.locator(".cols-pick").get_by_role("button", name="Ver").click()
    expect(page.get_by_role("columnheader", name="Canal")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Satisfacción")).to_have_count(0)

    page.locator("summary", has_text="Guardar").click()
    page.get_by_label("Nombre de la vista").fill("Fauna en accesos")
    page.get_by_label("Compartir con el equipo").check()
    page.get_by_role("button", name="Guardar vista").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fauna en accesos")
    expect(page.locator("#history-views")).to_contain_text("Fauna en accesos1")
    supervisor.look()

    page.locator("summary", has_text="Exportar").click()
    page.get_by_role("button", name="CSV", exact=True).click()
    link = page.get_by_role("link", name="Descargar")
    expect(link).to_be_visible(timeout=60_000)
    supervisor.look()
    with page.expect_download() as waiting:
        link.click()
    assert waiting.value.suggested_filename == "Fauna en accesos.csv"
    rows = list(csv.reader(Path(waiting.value.path()).read_text("utf-8-sig").splitlines()))
    assert (rows[0][0], rows[1][0], len(rows)) == ("Folio", folio, 2)

    agent = people.at_desk("Agente")
    agent.sign_in(AGENT)
    agent.go(PAGE)
    agent.page.get_by_role("link", name=re.compile("Fauna en accesos")).click()
    expect(agent.page.get_by_role("heading", level=1)).to_have_text("Fauna en accesos")
    agent.look()


def test_history_is_filtered_and_sorted_on_a_phone_and_by_keyboard(people: People) -> None:
    supervisor, customer = people.on_phone("Supervisora en el teléfono"), people.at_desk("Clienta")
    customer.sign_in(CUSTOMER)
    file_ticket(customer.page, "La pantalla del cajero está negra")
    supervisor.sign_in(SUPERVISOR)
    supervisor.go(PAGE)
    page = supervisor.page
    supervisor.look()
    page.get_by_role("link", name="Filtro").click()
    page.locator("#filters-body").get_by_label("Estado", exact=True).select_option("abiertos")
    supervisor.look()
    page.get_by_role("button", name="Aplicar filtros").click()
    expect(page.get_by_role("link", name="Quitar filtro Estado")).to_be_visible()
    page.locator(".searchline summary").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Última actividad").click()
    expect(page).to_have_url(re.compile("orden=-actividad"))
    supervisor.look()
    page.locator(".htable__subject a").first.click()
    expect(page).to_have_url(re.compile("/agentes/tickets/"))
