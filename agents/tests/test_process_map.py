"""The map of a process for staff: each process, in both languages, for agents and supervisors."""

import re

import pytest
from django.urls import reverse

from accounts.tests.factories import make_agent, make_supervisor, make_user
from tickets.definitions.loading import library
from tickets.tests.factories import make_process, make_ticket

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db


def address(key: str) -> str:
    return reverse("agents:process_map", args=[key])


@pytest.mark.parametrize("make", [make_agent, make_supervisor])
@pytest.mark.parametrize("key", library())
def test_map_names_every_stage_and_says_who_acts(key, make):
    process = make_process(key)
    page = text_of(signed_in(make()).get(address(key)))
    for stage in process.definition.stages:
        assert f"<b>{stage.label}</b>" in page
    assert f'<h1 class="truncate">{process.definition.name}</h1>' in page
    assert '<svg role="img"' in page
    assert "Le toca a: " in page
    assert " style=" not in page


def test_map_is_in_the_readers_language():
    make_process()
    client = signed_in(make_agent(language="en"))
    page = text_of(client.get(address("soporte-con-aprobacion")))
    assert "Process ticket" in page
    assert "Ask for approval" in page
    assert "Procesar ticket" not in page


def test_ticket_leads_to_the_map_which_marks_its_stage():
    ticket = make_ticket(make_process())
    client = signed_in(make_supervisor())
    page = text_of(client.get(reverse("agents:ticket", args=[ticket.folio])))
    link = f"{address(ticket.definition.key)}?etapa=recibido"
    assert f'href="{link}"' in page
    shown = text_of(client.get(link))
    assert re.findall(r'aria-current="step"> <b>([^<]+)</b>', shown) == ["Recibido"]
    assert 'aria-current="step"' not in text_of(client.get(address(ticket.definition.key) + "?etapa=otra"))


def test_customers_get_no_map_of_staff():
    make_process()
    assert signed_in(make_user()).get(address("soporte-con-aprobacion")).status_code == 404
    assert signed_in(make_agent()).get(address("no-existe")).status_code == 404
