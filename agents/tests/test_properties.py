"""Changing a ticket's properties one at a time, the explanation of its dates, and the contribution switch."""

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor
from content.dates import short_date
from tickets.enums import EventKind, StageKind
from tickets.models import Clock, Ticket
from tickets.tests.factories import make_ticket, set_clock
from tickets.workflow import properties

from .factories import signed_in, snapshot, text_of
from .test_tickets import prepared, url

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "propiedades"}


@pytest.fixture
def agent():
    return make_agent(name="Diego Salazar")


@pytest.fixture
def ticket(agent):
    return prepared(make_ticket(), agent)


@pytest.fixture
def client(agent):
    return signed_in(agent)


def save(client, ticket, name, value, headers=None, **data):
    ticket.refresh_from_db()
    given = {"value": value, "version": ticket.version, "key": str(uuid.uuid4())} | data
    return client.post(url(ticket, "property", name), given, headers=headers or {})


@pytest.mark.demand("S0.17", "S0.18")
def test_each_property_has_its_own_form(client, ticket):
    colleague = make_agent(name="Ana")
    due = timezone.localtime(timezone.now() + timedelta(days=9)).replace(second=0, microsecond=0)
    for name, given, expected in (
        ("severity", "critical", "critical"),
        ("case_kind", "procedure", "procedure"),
        ("difficulty", "5", 5),
        ("difficulty", "", None),
        ("queue_position", "4", 4),
        ("due_at", due.strftime("%Y-%m-%dT%H:%M"), due),
        ("assignee", colleague.pk, colleague),
        ("assignee", "", None),
    ):
        assert save(client, ticket, name, given).status_code == 302, name
        ticket.refresh_from_db()
        assert getattr(ticket, name) == expected, name


@pytest.mark.demand("S0.18", "S2.39")
def test_changing_the_department_leads_to_the_queue(client, ticket, agent):
    other = make_agent()
    properties.assign(ticket, actor=agent, assignee=other)
    response = save(client, ticket, "department", make_department("cca").pk)
    assert response["Location"] == reverse("agents:queue_of", args=["mios"])
    assert "Guardamos el cambio: departamento." in text_of(client.get(response["Location"]))
    assert client.get(url(ticket)).status_code == 404
    ticket.refresh_from_db()
    by_script = save(signed_in(other), ticket, "department", make_department("academico").pk, headers=HTMX)
    assert by_script.status_code == 200  # the assignee still sees it


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("severity", "urgentísima"),
        ("severity", ""),
        ("difficulty", "9"),
        ("due_at", "2020-01-01T10:00"),
        ("due_at", "ayer"),
        ("queue_position", "-3"),
        ("department", "999999"),
        ("assignee", "abc"),
    ],
)
def test_invalid_value_is_refused_with_a_reason(client, ticket, name, value):
    before = snapshot(ticket)
    response = save(client, ticket, name, value)
    assert response.status_code == 422
    assert "invalid-feedback" in text_of(response)
    assert snapshot(ticket) == before


def test_customer_cannot_be_the_assignee(client, ticket):
    before = snapshot(ticket)
    assert save(client, ticket, "assignee", ticket.requester_id).status_code == 422
    assert snapshot(ticket) == before


def test_stale_form_shows_what_changed(client, ticket):
    properties.change_properties(ticket, actor=make_supervisor(name="Carolina"), difficulty=1)
    response = save(client, ticket, "severity", "critical", version=ticket.version)
    ticket.refresh_from_db()
    assert response.status_code == 409
    assert "<b>Carolina</b> cambió dificultad <b>1</b>" in text_of(response)
    assert f'name="version" value="{ticket.version}"' in text_of(response)
    assert ticket.severity == "high"


def test_other_fields_have_no_form(client, ticket):
    for name in ("stage", "requester", "title", "is-escalated", "closed_at"):
        assert client.get(f"/agentes/tickets/{ticket.folio}/datos/{name}/").status_code == 404
        assert save(client, ticket, name, "x").status_code == 404


def test_htmx_gets_form_alone_and_changed_parts(client, ticket):
    form = client.get(url(ticket, "property", "severity"), headers=HTMX)
    assert "<html" not in text_of(form)
    assert f'hx-post="{url(ticket, "property", "severity")}"' in text_of(form)
    done = save(client, ticket, "severity", "critical", headers=HTMX)
    page = text_of(done)
    assert (done["HX-Retarget"], done["HX-Reswap"]) == ("#propiedades", "innerHTML")
    ticket.refresh_from_db()
    assert 'data-sev="critical"' in page
    assert re.search(rf'id="composer-version" value="{ticket.version}"[^>]* hx-swap-oob="true"', page)
    assert "cambió severidad" in page  # the answer brings the conversation and a current pulse
    assert f'id="pulse-v" value="{ticket.version}-' in page
    assert "Guardamos el cambio: severidad." in page
    assert "<html" not in page


def test_paused_ticket_shows_a_closing_date_that_has_not_passed(client, ticket):
    """While a ticket waits its date moves. The one stored when the pause began would contradict the time left."""
    now = timezone.now()
    set_clock(
        ticket, target=timedelta(days=9), paused_at=now - timedelta(days=6), due_at=now - timedelta(days=1)
    )
    due = now + timedelta(days=5)
    with time_machine.travel(now, tick=False):
        page = text_of(client.get(url(ticket)))
        explained = text_of(client.get(url(ticket, "due")))
        form = text_of(client.get(url(ticket, "property", "due_at")))
        unchanged = timezone.localtime(due).strftime("%Y-%m-%dT%H:%M")
        save(client, ticket, "due_at", unchanged)
    assert "quedan 5 d" in page
    properties = page[page.index("Fecha de cierre</dt>") :]
    assert re.search(r"datetime=\"([^\"]+)", properties)[1] == due.isoformat(timespec="seconds")
    assert "Se aplaza mientras dure la pausa." in properties
    assert f"Vence {short_date(due)}" in explained
    assert f'value="{unchanged}"' in form
    assert not ticket.events.filter(kind=EventKind.PROPERTIES).exists()


def test_unchanged_value_records_no_event(client, ticket):
    save(client, ticket, "severity", "high")
    assert not ticket.events.filter(kind=EventKind.PROPERTIES).exists()


@pytest.mark.demand("S2.5")
def test_contribution_is_switched_on_and_off(client, ticket):
    assert 'aria-checked="false"' in text_of(client.get(url(ticket)))
    client.post(url(ticket, "contribution"), {"is_open": "1"})
    ticket.refresh_from_db()
    assert ticket.contribution_open
    assert 'aria-checked="true"' in text_of(client.get(url(ticket)))
    client.post(url(ticket, "contribution"), {"is_open": "0"})
    ticket.refresh_from_db()
    assert not ticket.contribution_open


@pytest.mark.demand("S2.5")
def test_contribution_tells_who_can_answer(client, ticket):
    """«Deshabilitado» stood there while the stage waited for the requester, who answered by the link of its mail."""
    page = text_of(client.get(url(ticket)))
    assert "Aun así puede responder cuando quiera." in page
    Ticket.objects.filter(pk=ticket.pk).update(stage="aporte", stage_kind=StageKind.WAITING_CUSTOMER)
    page = text_of(client.get(url(ticket)))
    assert "Habilitado mientras espera su respuesta" in page
    assert "Deshabilitado" not in page
    assert "Aun así puede responder" not in page


def test_contribution_without_an_address_is_refused(client, ticket):
    Ticket.objects.filter(pk=ticket.pk).update(requester_email="")
    response = client.post(url(ticket, "contribution"), {"is_open": "1"}, follow=True)
    assert "Falta el correo del solicitante" in text_of(response)


@pytest.mark.demand("S0.19", "S2.33")
def test_due_page_explains_every_date(client, agent):
    ticket = make_ticket()
    supervisor = signed_in(make_supervisor())
    page = text_of(supervisor.get(url(ticket, "due")))
    assert "Primera respuesta" in page
    assert "5 días" in page
    assert "Llegó con severidad" in page
    clock = Clock.objects.get(ticket=ticket, kind="resolution")
    clock.pauses.create(
        started_at=timezone.now() - timedelta(hours=3),
        ended_at=timezone.now() - timedelta(hours=1),
        stage="aporte",
    )
    Clock.objects.filter(pk=clock.pk).update(started_at=timezone.now() - timedelta(hours=9))
    assert "En pausa, esperando al solicitante" in text_of(supervisor.get(url(ticket, "due")))
    assert "fijó la fecha" in text_of(client.get(url(prepared(ticket, agent), "due")))
