"""Properties of the style sheets that axe does not check."""

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import People
from e2e.test_portal import file_ticket

pytestmark = pytest.mark.e2e

MAIN_CONTROLS = (
    ".btn:not(.btn-text), .form-control:not(textarea), .form-select, .topbar__search, "
    ".tabs > a, .seg > a, .menu__list > a"
)
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def too_small_for_a_finger(page: Page) -> list[str]:
    return page.locator(MAIN_CONTROLS).evaluate_all(
        """controls => controls
            .filter(control => control.checkVisibility() && control.getBoundingClientRect().width > 1)
            .filter(control => control.getBoundingClientRect().height < 43.5)
            .map(control => `${control.className}: ${control.innerText || control.name}`)"""
    )


@pytest.mark.parametrize(
    ("person", "paths"),
    [
        ("cliente@demo.test", ["/", "/tickets/", "/perfil/"]),
        ("supervisor@demo.test", ["/agentes/colas/todos/", "/agentes/tickets/nuevo/", "/agentes/inconformidades/"]),
        ("supervisor@demo.test", ["/agentes/salud/"]),
    ],
)  # fmt: skip
def test_main_controls_are_44_px_on_phones(people: People, person: str, paths: list[str]) -> None:
    walker = people.on_phone(person)
    walker.sign_in(person)
    for path in paths:
        walker.go(path)
        walker.page.locator("summary").first.click()
        assert not too_small_for_a_finger(walker.page), path


def test_long_words_wrap(people: People) -> None:
    customer = people.on_phone("Clienta con una palabra larga")
    customer.sign_in("cliente@demo.test")
    folio = file_ticket(customer.page, LONG_WORD)
    customer.look()
    supervisor = people.on_phone("Supervisora en el teléfono")
    supervisor.sign_in("supervisor@demo.test")
    for path in ("/agentes/colas/todos/", f"/agentes/tickets/{folio}/"):
        supervisor.go(path)
        supervisor.look()


def test_admin_uses_our_colours(people: People) -> None:
    admin = people.at_desk("Administradora")
    admin.sign_in("admin@demo.test")
    for path in ("/admin/", "/admin/tickets/ticket/"):
        admin.go(path)
        admin.look()
        header = admin.page.locator("#header").evaluate("header => getComputedStyle(header).backgroundColor")
        assert header == "rgb(0, 38, 47)"


def test_health_page_reads_well_on_phone_and_screen(people: People) -> None:
    for supervisor in (people.on_phone("Supervisora en el teléfono"), people.at_desk("Supervisora")):
        supervisor.sign_in("supervisor@demo.test")
        supervisor.go("/agentes/salud/")
        supervisor.look()
        assert supervisor.page.get_by_role("heading", name="Qué funciona").is_visible()


def test_rows_of_the_preparing_form_do_not_overlap(people: People) -> None:
    """The form scrolls, and the text below a switch takes two lines."""
    customer = people.at_desk("Clienta")
    customer.sign_in("cliente@demo.test")
    folio = file_ticket(customer.page, "No puedo subir mi informe")
    supervisor = people.at_desk("Supervisora")
    supervisor.sign_in("supervisor@demo.test")
    supervisor.go(f"/agentes/preparar/{folio}/")
    too_low = supervisor.page.locator(".prep__body > *").evaluate_all(
        """rows => rows
            .filter(row => row.scrollHeight > row.offsetHeight + 1 && getComputedStyle(row).overflowY === 'visible')
            .map(row => `${row.id || row.className}: ${row.offsetHeight} px for ${row.scrollHeight}`)"""
    )
    assert not too_low


def test_folios_of_a_large_desk_are_whole(people: People) -> None:
    customer = people.on_phone("Clienta")
    customer.sign_in("cliente@demo.test")
    file_ticket(customer.page, "La impresora no imprime")
    supervisor = people.at_desk("Supervisora de una mesa grande")
    supervisor.sign_in("supervisor@demo.test")
    for width in (1440, 1300, 1000):
        supervisor.page.set_viewport_size({"width": width, "height": 900})
        supervisor.go("/agentes/colas/todos/")
        left = supervisor.page.locator(".qtable .folio").first.evaluate(
            """folio => {
                folio.textContent = "MA-8888888"
                const cell = folio.closest("td")
                const end = cell.getBoundingClientRect().right - parseFloat(getComputedStyle(cell).paddingRight)
                return end - folio.getBoundingClientRect().right
            }"""
        )
        assert left >= 0, f"{-left} px of the folio are cut at {width} px"


@pytest.mark.demand("S1.2")
def test_map_of_the_process_reads_well_on_phone_and_screen(people: People) -> None:
    folio = ""
    for number, customer in enumerate((people.on_phone("Clienta en el teléfono"), people.at_desk("Clienta"))):
        customer.sign_in("cliente@demo.test")
        if not number:
            folio = file_ticket(customer.page, "No puedo subir mi informe")
        customer.go(f"/tickets/{folio}/")
        customer.page.get_by_text("Ver el proceso completo").click()
        steps = customer.page.get_by_role("list", name="Etapas del proceso").locator('[aria-current="step"]')
        expect(steps).to_contain_text("Estás aquí")
        customer.look()
    supervisor = people.at_desk("Supervisora")
    supervisor.sign_in("supervisor@demo.test")
    supervisor.open_ticket(folio)
    supervisor.page.get_by_role("link", name="Ver el mapa").click()
    expect(supervisor.page.get_by_role("list", name="Etapas del proceso")).to_contain_text("Etapa actual")
    drawing = supervisor.page.locator(".flow svg")
    expect(drawing.locator(".node[data-on]")).to_have_count(1)
    supervisor.look()


def test_filters_of_the_history_are_applied_without_scrolling(people: People) -> None:
    for supervisor in (people.on_phone("Supervisora en el teléfono"), people.at_desk("Supervisora")):
        supervisor.sign_in("supervisor@demo.test")
        supervisor.go("/agentes/historico/")
        page = supervisor.page
        page.get_by_role("link", name="Filtro").click()
        apply = page.get_by_role("button", name="Aplicar filtros")
        expect(apply).to_be_in_viewport(ratio=1)
        supervisor.look()
        expect(apply).to_be_in_viewport(ratio=1)
    for what in ("Creado", "Cerrado"):
        tops = [
            page.get_by_label(f"{what} {side}").evaluate("field => field.getBoundingClientRect().top")
            for side in ("desde", "hasta")
        ]
        assert tops[0] == tops[1], what
