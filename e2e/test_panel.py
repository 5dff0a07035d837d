"""The panel in a browser: a number that opens its list, a mark reached by keyboard, filters, phone and both themes."""

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import People
from e2e.test_portal import file_ticket
from e2e.waiting import until

pytestmark = pytest.mark.e2e
SUPERVISOR, CUSTOMER = "supervisor@demo.test", "cliente@demo.test"
PAGE = "/agentes/panel/"
FIRST_PAGE = 50
"""The most tickets that the first page of a list shows."""


def reported(page: Page) -> int:
    figure = page.locator(".kpi").filter(has=page.get_by_role("heading", name="Reportados", exact=True))
    return int(figure.locator(".kpi__value").inner_text()) if figure.count() else 0


def filed_today(page: Page) -> int:
    """Return how many tickets were filed today, those included that the worker has not counted yet."""
    page.goto("/agentes/panel/tickets/?medida=filed&rango=hoy")
    count = page.locator("h1 .count")
    return int(count.inner_text()) if count.count() else 0


def wait_for(page: Page, count: int) -> None:
    """Load the panel until the worker has counted this many tickets."""

    def is_counted() -> bool:
        page.goto(page.url)
        return reported(page) == count

    until(is_counted, f"{count} reported tickets", 60)


@pytest.mark.demand("S1.18", "S4.3")
def test_number_opens_its_list_and_a_mark_is_reached_by_keyboard(people: People) -> None:
    supervisor, customer = people.at_desk("Supervisora"), people.at_desk("Clienta")
    supervisor.sign_in(SUPERVISOR)
    page, before = supervisor.page, filed_today(supervisor.page)
    supervisor.go(f"{PAGE}?rango=hoy")
    customer.sign_in(CUSTOMER)
    folio = file_ticket(customer.page, "La talanquera no abre")
    wait_for(page, before + 1)
    supervisor.look()

    page.locator(".kpi__value").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Reportados")
    expect(page.locator("td.folio")).to_have_count(min(before + 1, FIRST_PAGE))
    expect(page.get_by_text(folio)).to_be_visible()
    supervisor.look()
    page.get_by_role("link", name="Volver al panel").click()
    expect(page.get_by_role("link", name="Hoy", exact=True)).to_have_attribute("aria-current", "true")

    mark = page.locator('section[aria-labelledby="arrivals-t"] svg a').first
    said = mark.get_attribute("aria-label") or ""
    mark.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Reportados")
    expect(page.locator("td.folio")).to_have_count(min(int(re.findall(r"\d+", said)[-1]), FIRST_PAGE))


@pytest.mark.demand("S1.18")
def test_map_of_a_process_is_walked_by_keyboard_and_opens_its_tickets(people: People) -> None:
    supervisor, customer = people.at_desk("Supervisora"), people.at_desk("Clienta")
    supervisor.sign_in(SUPERVISOR)
    page, before = supervisor.page, filed_today(supervisor.page)
    supervisor.go(f"{PAGE}?rango=hoy")
    customer.sign_in(CUSTOMER)
    folio = file_ticket(customer.page, "El lector no reconoce la tarjeta")
    wait_for(page, before + 1)
    supervisor.go(f"/agentes/tickets/{folio}/")
    its_map = page.locator('a[href*="/mapa/?etapa="]').first.get_attribute("href") or ""
    process, stage = re.findall(r"/procesos/([^/]+)/mapa/\?etapa=(\w+)", its_map)[0]
    supervisor.go(f"{PAGE}?rango=hoy&proceso={process}")
    page.get_by_role("link", name="Mapa del proceso").click()
    expect(page.get_by_role("link", name="Hoy", exact=True)).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("heading", name="Qué cambió")).to_be_visible()
    supervisor.look()

    page.locator(".flow--heat").focus()
    page.keyboard.press("Tab")  # how many came in
    page.keyboard.press("Tab")  # the first stage
    node = page.locator(".flow--heat a:focus")
    expect(node).to_have_attribute("aria-label", re.compile("Recibido: mediana"))
    page.locator(f'section[aria-labelledby=stages-t] a[href*="medida=open"][href*="parte={stage}"]').click()
    expect(page.get_by_text(folio)).to_be_visible()
    supervisor.look()


def test_what_if_asks_only_for_its_scenario_and_says_that_nothing_was_resolved(people: People) -> None:
    supervisor = people.at_desk("Supervisora")
    supervisor.sign_in(SUPERVISOR)
    supervisor.go(f"{PAGE}que-pasaria/")
    page = supervisor.page
    expect(page.get_by_label("Personas más")).to_be_visible()
    expect(page.get_by_label("Plazo en horas")).to_be_hidden()
    page.locator("#id_escenario").select_option("plazo")
    expect(page.get_by_label("Plazo en horas")).to_be_visible()
    supervisor.look()
    page.get_by_role("button", name="Calcular").click()
    expect(page).to_have_url(re.compile("escenario=plazo"))
    expect(page.get_by_label("Plazo en horas")).to_be_visible()
    supervisor.look()


def test_filters_and_the_numbers_behind_a_chart_work_on_a_phone(people: People) -> None:
    supervisor = people.on_phone("Supervisora en el teléfono")
    supervisor.sign_in(SUPERVISOR)
    supervisor.go(PAGE)
    page = supervisor.page
    page.locator(".panel-top summary").click()
    page.get_by_label("Departamento", exact=True).select_option(index=1)
    supervisor.look()
    page.get_by_role("button", name="Ver", exact=True).click()
    expect(page.get_by_role("link", name="Quitar filtro Departamento")).to_be_visible()
    page.get_by_role("link", name="Quitar filtro Departamento").click()
    page.get_by_text("Ver los números").first.click()
    supervisor.look()
    page.locator(".kpi__ask").first.click()
    expect(page.get_by_text("Tickets que llegaron en el período.")).to_be_visible()
    supervisor.look()


PAPER = {"width": 718, "height": 1047}
"""The room on A4 within margins of one centimetre."""
CUT_ON_PAPER = """boxes => boxes
    .filter(box => box.scrollWidth > box.clientWidth + 1 || getComputedStyle(box).overflowX !== "visible")
    .map(box => box.className)"""


def pages_of(paper: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", paper))


@pytest.mark.demand("S4.3")
def test_panel_and_map_print_whole_with_their_period(people: People) -> None:
    supervisor, customer = people.at_desk("Supervisora"), people.at_desk("Clienta")
    supervisor.sign_in(SUPERVISOR)
    page, before = supervisor.page, filed_today(supervisor.page)
    supervisor.go(f"{PAGE}?rango=hoy")
    customer.sign_in(CUSTOMER)
    file_ticket(customer.page, "La impresora no imprime")
    wait_for(page, before + 1)
    # The panel is two pages (section 5); the tables of the map are as long as its paths are many.
    for path, most in (
        ("?departamento=soporte-tecnico&rango=7", 2),
        ("proceso/?proceso=incidencia-tecnica", 4),
    ):
        supervisor.go(f"{PAGE}{path}")
        paper = page.pdf(format="A4", margin=dict.fromkeys(("top", "right", "bottom", "left"), "1cm"))
        assert 1 <= pages_of(paper) <= most
        page.set_viewport_size(PAPER)
        page.emulate_media(media="print")
        expect(page.locator(".panel-printed")).to_contain_text(
            re.compile(r"Del \d+ \w+ \d{4} al \d+ \w+ \d{4}")
        )
        expect(page.locator(".panel-printed")).to_be_visible()
        assert page.locator(".dash :is(.chart-scroll, .scroll-x, .flow)").evaluate_all(CUT_ON_PAPER) == []
        for hidden in (".chip__x", ".panel-top .menu", 'a:text("Ver pasos y responsables")'):
            assert not any(each.is_visible() for each in page.locator(hidden).all()), hidden
        page.emulate_media(media="screen")
        expect(page.locator(".panel-printed")).to_be_hidden()
