"""Tickets on which everybody whom the process names has left: their page says so, and supervisors find them."""

from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import Department, User
from accounts.tests.factories import make_agent, make_department, make_supervisor
from tickets.models import Ticket
from tickets.record.turns import record_turns
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.perform import perform

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(ticket: Ticket, user: User) -> str:
    return unescape(signed_in(user).get(reverse("agents:ticket", args=[ticket.folio])).content.decode())


@pytest.fixture
def report():
    """A report at work, which goes on to the evaluator who accepted it."""
    process = make_process("reporte-de-incidentes")
    evaluator = make_agent(make_department("soporte-tecnico"), name="Eva Luna")
    evaluator.groups.add(Group.objects.get(name="evaluador"))
    ticket = make_ticket(process, fields={"tipo": "tarea", "sistema": "Nómina", "prioridad": "high"})
    Ticket.objects.filter(pk=ticket.pk).update(department=make_department("soporte-tecnico"))
    ticket.events.create(kind="action", action="aceptar", actor=evaluator, actor_name="Eva Luna", version=98)
    stage = next(s for s in ticket.definition.stages if s.owner.kind == "actor_of")
    Ticket.objects.filter(pk=ticket.pk).update(stage=stage.key, stage_kind=stage.kind, assignee=make_agent())
    ticket = Ticket.objects.get(pk=ticket.pk)
    record_turns(ticket)
    return ticket, evaluator


def test_page_and_queue_show_that_nobody_may_act(report):
    ticket, evaluator = report
    boss = make_supervisor()
    assert "Nadie puede actuar</strong>" not in page_of(ticket, boss)

    User.objects.filter(pk=evaluator.pk).update(is_active=False)
    page = page_of(ticket, boss)
    assert "Nadie puede actuar</strong>" in page
    assert "Quien hizo «Aceptar» ya no puede actuar." in page
    queue = signed_in(boss).get(reverse("agents:queue_of", args=["nadie-puede-actuar"])).content.decode()
    assert ticket.folio in queue


def test_page_names_a_department_that_was_emptied_or_switched_off():
    ticket, boss, agent = make_ticket(make_process("incidencia-tecnica")), make_supervisor(), make_agent()
    team = make_agent(make_department("desarrollo"))
    perform(ticket, "clasificar", actor=agent, data={"severity": "high", "department": ticket.department})
    perform(ticket, "pedir_a_otro_equipo", actor=agent, data={"equipo": "desarrollo", "note": "Vean esto."})
    assert "Nadie puede actuar</strong>" not in page_of(ticket, boss)

    team.memberships.all().delete()
    assert "Nadie de Desarrollo puede actuar." in page_of(ticket, boss)
    Department.objects.filter(key="desarrollo").update(is_active=False)
    assert "Desarrollo está desactivado." in page_of(ticket, boss)


def test_queue_of_nobody_is_for_those_who_act_instead():
    agent = make_agent()
    address = reverse("agents:queue_of", args=["nadie-puede-actuar"])
    assert signed_in(agent).get(address).status_code == 404
    agent.memberships.update(is_manager=True)
    answer = signed_in(agent).get(address)
    assert "Nadie puede actuar" in answer.content.decode()


def test_no_list_shows_somebody_who_left_as_the_assignee():
    agent, boss = make_agent(name="Pedro Vielma"), make_supervisor()
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(assignee=agent)
    lists = [
        reverse("agents:queue_of", args=["todos"]),
        reverse("agents:queue_items", args=["todos"]),
        reverse("agents:customer", args=[ticket.requester_id]),
    ]
    for address in lists:
        assert "Pedro" in signed_in(boss).get(address).content.decode(), address
    User.objects.filter(pk=agent.pk).update(is_active=False)
    for address in lists:
        page = signed_in(boss).get(address).content.decode()
        assert ticket.folio in page, address
        assert "Pedro" not in page, address
        assert "Sin asignar" in page, address
