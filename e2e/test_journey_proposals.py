"""A solved ticket is like a new one: an agent takes what it proposes by one key each, reads the answer and sends it; on
a phone, and without JavaScript."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.run import PASSWORD
from e2e.conftest import PHONE, People
from e2e.processes import Stack

pytestmark = pytest.mark.e2e
CUSTOMER, AGENT, SUPERVISOR = "cliente@demo.test", "tecnico@demo.test", "supervisor@demo.test"
SCENE = f"""
from django.utils import timezone
from accounts.models import User
from tickets.models import Category, Ticket
from tickets.search.indexing import index_changed
from tickets.tests.factories import make_ticket
from tickets.tests.solving import make_solved
agent, customer = (User.objects.get(email=email) for email in ("{AGENT}", "{CUSTOMER}"))
place = Category.objects.get(process__key="soporte-con-aprobacion", key="plataforma", is_active=True)
solved = make_solved(
    "El visor de planos se cierra al imprimir", category=place, assignee=agent, severity="medium",
    steps="Actualiza el visor a la versión 4.\\nImprime desde el menú.",
)
process = place.process
found = [solved.folio]
titles = (
    "El visor de planos se me cierra al imprimir",
    "Al imprimir se cierra el visor de planos",
    "Se cierra el visor de planos cuando quiero imprimir",
)
for title in titles:
    ticket = make_ticket(process, requester=customer, category="acceso", title=title)
    Ticket.objects.filter(pk=ticket.pk).update(standing_checked_at=timezone.now(), severity="high")
    found.append(ticket.folio)
index_changed()
print("FOLIOS", *found)
"""


@pytest.fixture(scope="module")
def folios(desk: Stack) -> list[str]:
    """The solved ticket, and three that are like it."""
    printed = re.search(r"FOLIOS (.+)", desk.manage("shell", "-v", "0", "-c", SCENE))
    assert printed
    return printed[1].split()


def body_of(page: Page) -> str:
    return page.locator("#composer-body").input_value()


def test_agent_takes_a_proposal_by_key_and_sends_its_answer(people: People, folios: list[str]) -> None:
    solved, folio = folios[:2]
    diego = people.at_desk("Diego")
    diego.sign_in(AGENT)
    diego.open_ticket(folio)
    page, keys = diego.page, diego.page.keyboard
    rows = page.locator("#sec-propuesta")
    expect(rows).to_contain_text(f"Se parece a {solved}, cierre aprobado")
    diego.look()

    # While somebody writes, the keys are letters
    page.locator("#composer-body").press_sequentially("2p")
    expect(page.locator("#composer-body")).to_have_value("2p")
    expect(rows.locator("[data-taken]")).to_have_count(0)
    page.locator("#composer-body").fill("Lo vi.")
    page.locator("#composer-body").blur()

    keys.press("2")
    expect(rows.locator("[data-part=severity][data-taken]")).to_be_visible()
    expect(page.locator("#thread")).to_contain_text(
        f"cambió severidad Media · propuesto porque se parece a {solved}"
    )
    keys.press("2")  # its key takes nothing else
    expect(rows.locator("[data-taken]")).to_have_count(1)

    keys.press("p")
    expect(page.locator("#composer-body")).to_be_focused()
    expect(page.locator("#composer-sources")).to_contain_text(f"Borrador basado en {solved}")
    expect(page.locator("#propiedades")).to_contain_text("Problema con la plataforma")
    expect(rows.locator("[data-taken]")).to_have_count(4)
    expect(rows.get_by_role("button")).to_have_text(["No se parece"])
    assert body_of(page).startswith("Lo vi.\n\nHola, Valentina.")
    assert "1. Actualiza el visor a la versión 4." in body_of(page)
    diego.look()

    page.get_by_role("button", name="Quitar").click()
    expect(page.locator("#composer-body")).to_have_value("Lo vi.")
    page.locator("#composer-body").blur()
    keys.press("5")
    keys.press("Control+Enter")
    expect(page.locator("#thread")).to_contain_text("Imprime desde el menú.")

    valentina = people.on_phone("Valentina")
    valentina.sign_in(CUSTOMER)
    valentina.go(f"/tickets/{folio}/")
    expect(valentina.page.locator("main")).to_contain_text("Actualiza el visor a la versión 4.")
    expect(valentina.page.locator("main")).not_to_contain_text(solved)
    expect(valentina.page.locator("main")).not_to_contain_text("propuesto")


def test_proposal_is_taken_by_touch(people: People, folios: list[str]) -> None:
    diego = people.on_phone("Diego")
    diego.sign_in(AGENT)
    diego.go(f"/agentes/tickets/{folios[2]}/")
    row = diego.page.locator("#sec-propuesta [data-part=severity]")
    diego.look()

    row.get_by_role("button", name="Tomar").tap()

    expect(diego.page.locator("#sec-propuesta [data-part=severity][data-taken]")).to_be_visible()
    expect(diego.page.locator("#snacks")).to_contain_text("Tomamos la propuesta: severidad.")


def test_proposal_is_taken_without_javascript(browser: Browser, desk: Stack, folios: list[str]) -> None:
    solved, folio = folios[0], folios[2]
    context = browser.new_context(
        viewport=PHONE, base_url=desk.url(), locale="es-VE", java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f"/agentes/tickets/{folio}/")
    page.locator("input[name=login]").fill(AGENT)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.get_by_role("link", name="Ver casos resueltos parecidos").click()
    expect(page.locator("main")).to_contain_text(f"Se parece a {solved}, cierre aprobado")

    page.get_by_role("button", name="Tomar todo").click()

    expect(page.locator("#composer-sources")).to_contain_text(f"Borrador basado en {solved}")
    expect(page.locator("#propiedades")).to_contain_text("Problema con la plataforma")
    assert body_of(page).startswith("Hola, Valentina.")
    page.get_by_role("button", name="Enviar seguimiento").click()
    expect(page.locator("#thread")).to_contain_text("Imprime desde el menú.")
    context.close()


def test_supervisor_fills_the_preparation_and_sets_a_proposal_aside(
    people: People, folios: list[str]
) -> None:
    solved, folio = folios[0], folios[3]
    maria = people.at_desk("María")
    maria.sign_in(SUPERVISOR)
    maria.go(f"/agentes/preparar/{folio}/")
    page, place = maria.page, maria.page.locator("#parecidos")
    expect(place).to_contain_text(f"Se parece a {solved}")
    expect(page.get_by_role("radio", name="Alta")).to_be_checked()
    maria.look()

    page.keyboard.press("2")
    expect(page.get_by_role("radio", name="Media")).to_be_checked()
    expect(place.locator("[data-part=severity] [data-taken-tag]")).to_be_visible()
    page.keyboard.press("4")
    expect(page.get_by_role("radio", name="Diego Salazar")).to_be_checked()
    expect(page.locator("#prep input[name=propuesta]")).to_have_count(1)

    place.get_by_role("button", name="No se parece").click()
    expect(place).to_contain_text("María Alejandra Figueroa apartó la propuesta: no se parece.")
    place.get_by_role("button", name="Mostrarla otra vez").click()
    expect(place).to_contain_text(f"Se parece a {solved}")
