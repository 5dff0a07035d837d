"""«Inicio» of supervisors: what needs them, each figure with the list behind it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import make_agent, make_supervisor, make_user
from tickets.lists import needs, queues
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket, set_clock
from tickets.workflow import properties

pytestmark = pytest.mark.django_db
PAGE = "/agentes/inicio/"


@pytest.fixture
def supervisor():
    return make_supervisor()


@pytest.fixture
def client(supervisor):
    client = Client()
    client.force_login(supervisor)
    return client


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def due_in(ticket, **gap):
    return set_clock(
        ticket, "first_response", stopped_at=timezone.now() - timedelta(minutes=1)
    ) and set_clock(ticket, due_at=timezone.now() + timedelta(**gap))


def figures_of(client):
    page = client.get(PAGE).content.decode()
    found = re.findall(r'href="#([a-z-]+)"><b>([^<]+)</b>', page)
    return dict(found)


def test_each_need_has_its_figure_and_its_first_tickets(client):
    process = make_process("incidencia-tecnica")
    soon, elevated = make_ticket(process, title="Vence pronto"), make_ticket(process, title="Elevado")
    later = make_ticket(process, title="Vence mañana")
    due_in(soon, hours=3)
    due_in(later, hours=30)
    Ticket.objects.filter(pk=elevated.pk).update(is_escalated=True)
    due_in(elevated, hours=40)
    page = text_of(client.get(PAGE))
    figures = figures_of(client)
    assert (figures["elevados"], figures["vencen-pronto"], figures["por-aprobar"]) == ("1", "1", "0")
    assert "1 en soporte elevado y 1 vencen en 4 h." in page
    for title in ("Vence pronto", "Elevado"):
        assert title in page


def test_figures_equal_their_lists(client, supervisor):
    process = make_process("soporte-con-aprobacion")
    for number in range(6):
        ticket = make_ticket(process)
        due_in(ticket, hours=number)
        Ticket.objects.filter(pk=ticket.pk).update(is_escalated=number % 2 == 0)
    figures = figures_of(client)
    for queue in queues.queues_for(supervisor):
        if queue.key in figures:
            assert figures[queue.key] == str(queue.tickets(supervisor).count()), queue.key
    assert figures["vencen-pronto"] == "4"  # from 1 to 4 hours; what is due now has passed
    listed = client.get("/agentes/colas/vencen-pronto/").content.decode()
    assert len(set(re.findall(r"MA-\d+", listed))) >= 3


def test_paused_and_overdue_tickets_are_not_due_soon(client):
    process = make_process("incidencia-tecnica")
    paused, overdue, agreed = make_ticket(process), make_ticket(process), make_ticket(process)
    due_in(paused, hours=2)
    set_clock(paused, paused_at=timezone.now())
    due_in(overdue, hours=-2)
    due_in(agreed, hours=2)
    assert figures_of(client)["vencen-pronto"] == "1"


def test_people_with_too_much_are_named(client):
    process = make_process("incidencia-tecnica")
    heavy, light = make_agent(name="Ana Beltrán"), make_agent(name="Iván Lozano")
    for person, count in ((heavy, 12), (light, 3)):
        for _number in range(count):
            Ticket.objects.filter(pk=make_ticket(process).pk).update(assignee=person)
    loads = {load.person: (load.size, load.is_too_much) for load in needs.loads()}
    assert loads[heavy] == (12, True)
    assert loads[light] == (3, False)
    assert figures_of(client)["sobrecarga"] == "1"


def test_nobody_has_too_much_with_few_tickets(client):
    process = make_process("incidencia-tecnica")
    busy = make_agent()
    for _number in range(needs.LEAST_LOAD - 1):
        Ticket.objects.filter(pk=make_ticket(process).pk).update(assignee=busy)
    assert not any(load.is_too_much for load in needs.loads())


def test_quiet_desk_says_so(client):
    page = text_of(client.get(PAGE))
    assert "Nada te necesita ahora mismo." in page
    assert page.count("Nada pendiente aquí") == 5


def test_agents_go_to_their_queue_and_customers_nowhere():
    agent, customer = Client(), Client()
    agent.force_login(make_agent())
    customer.force_login(make_user())
    assert agent.get(PAGE).headers["Location"] == "/agentes/"
    assert customer.get(PAGE).status_code == 404
    assert Client().get(PAGE).status_code == 302


def test_query_count_does_not_grow_with_the_tickets(client, django_assert_max_num_queries):
    process = make_process("incidencia-tecnica")
    for number in range(9):
        ticket = due_in(make_ticket(process), hours=number / 3)
        Ticket.objects.filter(pk=ticket.pk).update(is_escalated=True)
    client.get(PAGE)
    with django_assert_max_num_queries(16):
        client.get(PAGE)


def test_agreed_date_counts_as_due_soon(client, supervisor):
    ticket = make_ticket(make_process("incidencia-tecnica"))
    properties.change_properties(ticket, actor=supervisor, due_at=timezone.now() + timedelta(minutes=30))
    assert figures_of(client)["vencen-pronto"] == "1"
