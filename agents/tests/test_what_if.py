"""«Qué pasaría si»: the page replays the last weeks, says on what it rests, and changes nothing."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import make_agent, make_supervisor, make_user
from tickets.enums import ClockKind, StageKind
from tickets.models import Clock, Ticket
from tickets.tests.factories import make_process, make_ticket

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = "/agentes/panel/que-pasaria/"
TARGET = "semanas=4&escenario=plazo&severidad=medium&horas=48"


@pytest.fixture
def client():
    cache.clear()
    return signed_in(make_supervisor())


@pytest.fixture
def desk():
    """Six tickets that ended last week: three in time, three late, each after twenty working hours more."""
    process, agent = make_process("incidencia-tecnica"), make_agent()
    now = timezone.now()
    found = []
    for number in range(6):
        ticket = make_ticket(process)
        ended = now - timedelta(days=5, hours=-number)
        Ticket.objects.filter(pk=ticket.pk).update(
            stage_kind=StageKind.DONE,
            closed_at=ended,
            resolution_seconds=(number + 1) * 12 * 3600,
            severity="medium",
            assignee=agent,
            department=agent.departments.first(),
        )
        Clock.objects.filter(ticket=ticket, kind=ClockKind.RESOLUTION).update(
            started_at=ended - timedelta(hours=(number + 1) * 12),
            target=timedelta(hours=36),
            stopped_at=ended,
            breached_at=ended if number > 2 else None,
        )
        found.append(ticket)
    return found


def test_page_offers_scenarios_before_anything_is_calculated(client):
    page = text_of(client.get(PAGE))
    assert "Elige un escenario y calcula" in page
    assert 'aria-current="page">Qué pasaría si' in page


def test_other_target_says_what_was_and_would_have_been(client, desk):
    page = text_of(client.get(f"{PAGE}?{TARGET}"))
    assert "Con un plazo de 48 horas para severidad Media" in page
    assert "3 de 6 a tiempo" in page
    assert "4 de 6 a tiempo" in page
    assert '<td class="r">+1</td>' in page  # in the table of departments
    assert "3 → 2" in page  # late
    assert desk[3].folio in page
    assert "Nadie trabaja de otra forma" in page


def test_one_person_more_is_replayed_with_its_assumptions(client, desk):
    before = list(Ticket.objects.order_by("pk").values())
    page = text_of(client.get(f"{PAGE}?semanas=4&escenario=persona&departamento=soporte-tecnico&personas=1"))
    assert "Con una persona más en Soporte técnico" in page
    assert "Al repetir el período sin cambios, el cálculo da" in page
    assert re.search(r"la mediana da [\d<].+? y fue \d", page)
    assert "Una persona más tarda lo mismo que las demás." in page
    assert list(Ticket.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("semanas=4&escenario=persona", "Elige un valor para calcular."),
        ("semanas=4&escenario=horario", "Elige un horario"),
        ("semanas=4&escenario=plazo&severidad=high&horas=0", "1"),
        ("semanas=4&escenario=horario&abre=12:00&cierra=09:00", "Cierra después de abrir."),
        ("semanas=99&escenario=nada", "nada"),
    ],
)
def test_wrong_scenario_says_what_is_wrong_and_calculates_nothing(client, desk, query, told):
    page = text_of(client.get(f"{PAGE}?{query}"))
    assert told in page
    assert "is-invalid" in page
    assert "Habría sido" not in page


def test_period_without_tickets_says_so(client):
    assert "Ningún ticket con plazo se resolvió" in text_of(client.get(f"{PAGE}?{TARGET}"))


def test_only_supervisors_see_it():
    assert signed_in(make_agent()).get(PAGE).status_code == 404
    assert signed_in(make_user()).get(PAGE).status_code == 404
    assert Client().get(PAGE).status_code == 302


def test_page_in_english_has_no_spanish():
    client = signed_in(make_supervisor(language="en"))
    page = text_of(client.get(PAGE))
    assert "What if" in page
    for word in ("Escenario", "Calcular", "Supuestos", "Período"):
        assert word not in page


def test_result_takes_as_many_queries_with_more_tickets(client, desk, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        client.get(f"{PAGE}?{TARGET}")
