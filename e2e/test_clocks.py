"""Clocks in a browser, in real time: a pause that postpones a date, a date that runs out, a ticket filed when the desk
is closed."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from e2e.conftest import People
from e2e.mailbox import Mailbox
from e2e.test_portal import file_ticket
from e2e.test_schedules import CUSTOMER, SUPERVISOR, TARGETS, confirm, take_back_targets
from e2e.waiting import until
from e2e.walker import Agent

pytestmark = pytest.mark.e2e
ZONE = ZoneInfo("America/Caracas")
BEFORE_THE_PAUSE = timedelta(seconds=30)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ELEVATED = "/agentes/colas/elevados/"


def now() -> datetime:
    return datetime.now(tz=ZONE)


@pytest.mark.demand("S0.20", "S2.3", "S2.4")
def test_pause_postpones_a_date_and_the_date_runs_out_after_it(people: People, mailbox: Mailbox) -> None:
    customer, supervisor, agent = people.on_phone("Clienta"), people.at_desk("María"), people.at_desk("Diego")
    customer.sign_in(CUSTOMER)
    supervisor.sign_in(SUPERVISOR)
    agent.sign_in("tecnico@demo.test")
    folio = file_ticket(customer.page, "El aula no abre")
    due = (now() + BEFORE_THE_PAUSE).replace(second=0, microsecond=0) + timedelta(minutes=1)
    supervisor.go(f"/agentes/preparar/{folio}/")
    supervisor.choose("Alta", "Activo", "Diego Salazar")
    supervisor.page.locator("[name=due_at]").fill(f"{due:%Y-%m-%dT%H:%M}")
    supervisor.page.get_by_label("Habilitar aporte de usuario").check()
    supervisor.page.locator("summary").filter(has_text="Otras").click()
    supervisor.page.get_by_role("button", name="Preparar y abrir").click()

    # It waits for the customer: the date passes, and nothing runs out.
    agent.open_ticket(folio)
    agent.follow_up("¿Qué navegador usas?")
    paused = now()
    assert paused < due, "the machine was too slow for this journey"
    expect(agent.page.locator("header.tk__head")).to_contain_text("Aporte de usuario")
    customer.go(f"/tickets/{folio}/")
    expect(customer.page.get_by_text("En pausa mientras respondes")).to_be_visible()
    customer.look()
    until(lambda: now() > due + timedelta(seconds=35), "the sweep after the first date", 130)
    supervisor.go(ELEVATED)
    expect(supervisor.page.get_by_text(folio)).to_have_count(0)

    # It goes on with what was left, and says so.
    customer.page.get_by_label("Tu respuesta").fill("Firefox 144")
    customer.page.get_by_role("button", name="Enviar respuesta").last.click()
    postponed = due + (now() - paused)
    expect(customer.page.locator("#hilo")).to_contain_text("Firefox 144")
    supervisor.go(f"/agentes/tickets/{folio}/fecha/")
    expect(supervisor.page.get_by_role("main")).to_contain_text("En pausa")
    supervisor.look()

    # The new date runs out: an elevated ticket, a mail, and a line in its history.
    def is_elevated() -> bool:
        supervisor.go(ELEVATED)
        return supervisor.page.get_by_text(folio).count() > 0

    until(is_elevated, "the ticket in the queue of elevated ones", 150)
    assert now() > postponed - timedelta(seconds=5)
    supervisor.look()
    assert mailbox.wait_for(SUPERVISOR, folio, "soporte elevado")
    agent.open_ticket(folio)
    expect(agent.page.get_by_role("main")).to_contain_text(re.compile("venció hace", re.IGNORECASE))
    agent.look()


def only_open_on(supervisor: Agent, day: date) -> None:
    """Create a calendar that is open on this weekday alone, from 8 to 17, and promise four of its hours."""
    page = supervisor.page
    supervisor.go("/agentes/ajustes/nuevo-horario/")
    page.get_by_label("Nombre", exact=False).first.fill("Turno del viernes")
    page.get_by_role("button", name="Crear el calendario").click()
    for box in page.locator(".week__hours > .week__slot input").all():
        box.fill("")
    begin = page.locator(f"#id_{DAYS[day.weekday()]}_0_begin")
    if not begin.is_visible():  # a day that is closed
        page.locator(".week__row").nth(day.weekday()).locator("summary").click()
    begin.fill("8:00")
    page.locator(f"#id_{DAYS[day.weekday()]}_0_end").fill("17:00")
    page.get_by_role("button", name="Ver qué cambia").first.click()
    confirm(page, "Guardar y recalcular")
    supervisor.go(TARGETS)
    page.get_by_label("Calendario", exact=True).select_option(label="Turno del viernes")
    page.get_by_label("Resolución: Problema: cantidad").fill("4")
    page.get_by_label("Resolución: Problema: cómo se cuenta").select_option("working hours")
    page.get_by_role("button", name="Ver qué cambia").click()
    confirm(page, "Guardar y recalcular")


@pytest.mark.demand("S0.19", "S2.33")
def test_ticket_filed_while_the_desk_is_closed_begins_when_it_opens(people: People) -> None:
    customer, supervisor = people.on_phone("Clienta"), people.at_desk("María")
    customer.sign_in(CUSTOMER)
    supervisor.sign_in(SUPERVISOR)
    opens = now().date() + timedelta(days=3)
    only_open_on(supervisor, opens)
    folio = file_ticket(customer.page, "El aula no abre desde el viernes")
    due = datetime.combine(opens, time(12), tzinfo=ZONE)
    customer.go(f"/tickets/{folio}/fecha/")
    main = customer.page.get_by_role("main")
    expect(main).to_contain_text("12:00")
    expect(main).to_contain_text("0 min de 4 horas hábiles")
    expect(main).to_contain_text(f"{due.day} ")
    customer.look()
    supervisor.go(f"/agentes/tickets/{folio}/fecha/")
    expect(supervisor.page.get_by_role("main")).to_contain_text("Fuera de horario")
    supervisor.look()
    take_back_targets(supervisor)
