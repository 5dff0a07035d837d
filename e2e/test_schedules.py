"""Hours and targets in a browser: a closure and its undo, figures with their lists, an explained date."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import People
from e2e.test_portal import file_ticket
from e2e.walker import Agent, Walker

pytestmark = pytest.mark.e2e
SUPERVISOR, CUSTOMER = "supervisor@demo.test", "cliente@demo.test"
TARGETS = "/agentes/ajustes/plazos/soporte-con-aprobacion/"


def next_working_day() -> date:
    day = datetime.now(tz=ZoneInfo("America/Caracas")).date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day


def press(page: Page, name: str) -> None:
    """Press a button of the panel «Qué cambia» and wait for the page after it."""
    with page.expect_navigation():
        page.locator("#impact").get_by_role("button", name=name).click()


def confirm(page: Page, name: str) -> None:
    """Confirm a change, and wait until the job has moved every clock."""
    press(page, name)
    expect(page.locator("#impact")).to_contain_text("Qué cambió")
    expect(page.locator("#impact")).not_to_contain_text("Recalculamos", timeout=30_000)


def use_working_hours(supervisor: Agent) -> None:
    """Create a calendar, and promise 16 working hours to the tickets of a process."""
    page = supervisor.page
    supervisor.go("/agentes/ajustes/nuevo-horario/")
    page.get_by_label("Nombre", exact=False).first.fill("Sede norte")
    page.get_by_role("button", name="Crear el calendario").click()
    expect(page.get_by_role("heading", name="Sede norte")).to_be_visible()
    supervisor.look()
    supervisor.go(TARGETS)
    page.get_by_label("Calendario", exact=True).select_option(label="Sede norte")
    page.get_by_label("Resolución: Problema: cantidad").fill("16")
    page.get_by_label("Resolución: Problema: cómo se cuenta").select_option("working hours")
    supervisor.look()
    page.get_by_role("button", name="Ver qué cambia").click()
    expect(page.locator("#impact")).to_contain_text("Qué cambia al guardar")
    confirm(page, "Guardar y recalcular")
    supervisor.look()


def close_on(supervisor: Agent, day: date) -> None:
    """Propose that the desk closes at eleven, and look at what that would do."""
    page = supervisor.page
    supervisor.go("/agentes/ajustes/horarios/sede-norte/")
    form = page.locator("#cierre")
    form.get_by_label("Día").fill(day.isoformat())
    form.get_by_label("Cerramos a las").fill("11:00")
    form.get_by_role("button", name="Ver qué cambia").click()
    expect(page.locator("#impact")).to_contain_text("Qué cambia al guardar")


def test_closure_moves_a_date_is_read_and_explained_and_is_undone(people: People) -> None:
    supervisor, customer = people.at_desk("Supervisora"), people.on_phone("Clienta")
    supervisor.sign_in(SUPERVISOR)
    customer.sign_in(CUSTOMER)
    use_working_hours(supervisor)
    folio = file_ticket(customer.page, "El torniquete no gira")
    page = supervisor.page
    close_on(supervisor, next_working_day())
    supervisor.look()
    with page.expect_navigation():
        page.locator("#impact [data-kind=despues] a").click()
    expect(page.get_by_role("link", name="El torniquete no gira")).to_be_visible()
    supervisor.look()
    page.go_back()
    confirm(page, "Confirmar cierre")

    customer.go("/")
    notice = customer.page.get_by_text(re.compile(r"cerramos a las 11:00.*: corte de luz"))
    expect(notice.first).to_be_visible()
    customer.go(f"/tickets/{folio}/")
    customer.page.get_by_role("link", name="¿Por qué esta fecha?").click()
    expect(customer.page.get_by_text(re.compile(r"de 16 horas hábiles que damos"))).to_be_visible()
    customer.look()
    supervisor.go(f"/agentes/tickets/{folio}/fecha/")
    expect(page.get_by_text("cambió el horario: Corte de luz")).to_be_visible()
    supervisor.look()

    supervisor.go("/agentes/ajustes/horarios/sede-norte/")
    page.locator("#cierre").get_by_role("button", name="Deshacer").click()
    expect(page.get_by_text("Todavía no deshicimos nada")).to_be_visible()
    expect(page.locator("#impact [data-kind=antes] b")).not_to_have_text("0")
    confirm(page, "Deshacer y recalcular")
    customer.go("/")
    expect(notice).to_have_count(0)
    take_back_targets(supervisor)


def take_back_targets(supervisor: Agent) -> None:
    """Go back to the targets of the process file, which other journeys read."""
    page = supervisor.page
    supervisor.go(f"{TARGETS}versiones/")
    supervisor.look()
    page.get_by_role("listitem").filter(has_text="Los del archivo del proceso").get_by_role("button").click()
    confirm(page, "Guardar y recalcular")


def test_hours_are_edited_on_a_phone(people: People) -> None:
    supervisor: Walker = people.on_phone("Supervisora en el teléfono")
    supervisor.sign_in(SUPERVISOR)
    page = supervisor.page
    supervisor.go("/agentes/ajustes/nuevo-horario/")
    page.get_by_label("Nombre", exact=False).first.fill("Sede sur")
    page.get_by_role("button", name="Crear el calendario").click()
    expect(page.locator("#id_sat_0_begin")).to_be_hidden()
    page.locator("summary", has_text="Sábado: otro tramo").click()
    page.locator("#id_sat_0_begin").fill("9")
    page.locator("#id_sat_0_end").fill("13:00")
    page.get_by_role("button", name="Ver qué cambia").first.click()
    expect(page.locator("#impact")).to_contain_text("Qué cambia al guardar")
    supervisor.look()
    expect(page.locator("#id_sat_0_end")).to_have_value("13:00")
    expect(page.locator("#id_sat_0_end")).to_be_visible()
    expect(page.locator("#id_sat_1_begin")).to_be_hidden()
    page.get_by_role("link", name="Ver qué cambia").click()
    press(page, "Descartar")
    expect(page.locator("#impact")).to_have_count(0)


def test_hours_of_a_day_with_two_intervals_take_one_line(people: People) -> None:
    supervisor = people.at_desk("Supervisora")
    supervisor.sign_in(SUPERVISOR)
    page = supervisor.page
    supervisor.go("/agentes/ajustes/nuevo-horario/")
    page.get_by_label("Nombre", exact=False).first.fill("Sede este")
    page.get_by_role("button", name="Crear el calendario").click()
    page.locator("#id_mon_0_end").fill("12:00")
    page.locator("summary", has_text="Lunes: otro tramo").click()
    page.locator("#id_mon_1_begin").fill("13:00")
    page.locator("#id_mon_1_end").fill("18:00")
    page.get_by_role("button", name="Ver qué cambia").first.click()
    expect(page.locator("#impact")).to_contain_text("Qué cambia al guardar")
    heights = page.locator(".week__hours").evaluate_all("days => days.map(day => day.offsetHeight)")
    assert max(heights) <= 36
    assert len(heights) == 7
    supervisor.look()
    press(page, "Descartar")


SCROLLING_SIDEWAYS = """boxes => boxes
    .filter(box => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "hidden")
    .map(box => `${box.className.baseVal ?? box.className}: ${box.scrollWidth} > ${box.clientWidth}`)"""


def test_targets_and_the_year_fit_the_window(people: People) -> None:
    for supervisor in (people.at_desk("Supervisora"), people.on_phone("Supervisora en el teléfono")):
        supervisor.sign_in(SUPERVISOR)
        for path in (TARGETS, "/agentes/ajustes/horarios/"):
            supervisor.go(path)
            supervisor.look()
            assert supervisor.page.locator("main .panel *:visible").evaluate_all(SCROLLING_SIDEWAYS) == [], (
                path
            )


CUT_SHORT = """selects => {
    const pen = document.createElement("canvas").getContext("2d")
    return selects.map(select => {
        const look = getComputedStyle(select), chosen = select.selectedOptions[0].text
        pen.font = look.font
        const room = select.clientWidth - parseFloat(look.paddingLeft) - parseFloat(look.paddingRight)
        return [chosen, Math.round(room - pen.measureText(chosen).width)]
    }).filter(([_chosen, left]) => left < 0)
}"""


def test_units_of_targets_are_read_whole_beside_what_changes(people: People) -> None:
    supervisor = people.at_desk("Supervisora")
    supervisor.sign_in(SUPERVISOR)
    page = supervisor.page
    supervisor.go("/agentes/ajustes/plazos/incidencia-tecnica/")
    page.get_by_label("Resolución: Baja: cantidad").fill("12")
    page.get_by_role("button", name="Ver qué cambia").click()
    expect(page.locator("#impact")).to_contain_text("Qué cambia al guardar")
    supervisor.look()
    longest = "días calendario, o el hábil siguiente"
    page.get_by_label("Resolución: Baja: cómo se cuenta").select_option(label=longest)
    assert page.locator(".target .form-select").evaluate_all(CUT_SHORT) == []
    press(page, "Descartar")
