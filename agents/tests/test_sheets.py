"""Lists that are kept for some seconds: for whom, and until when (docs/decisions/0042)."""

import re

import pytest
import time_machine
from django.utils import timezone

from accounts.tests.factories import make_administrator, make_agent, make_department, make_supervisor
from agents.sheets import kept, mark_change_by
from tickets.lists.figures import KEPT_SECONDS
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
HISTORY, BEHIND = "/agentes/historico/", "/agentes/panel/tickets/?medida=filed"


def renamed(ticket, title):
    Ticket.objects.filter(pk=ticket.pk).update(title=title)


@pytest.mark.parametrize("address", [HISTORY, BEHIND])
@pytest.mark.demand("S1.18")
def test_list_is_read_once_while_it_is_kept(address):
    ticket = make_ticket(make_process("incidencia-tecnica"), title="La talanquera no abre")
    client = signed_in(make_supervisor())
    assert "La talanquera no abre" in text_of(client.get(address))
    renamed(ticket, "Otro asunto")
    assert "La talanquera no abre" in text_of(client.get(address))


@pytest.mark.parametrize("address", [HISTORY, BEHIND])
@pytest.mark.demand("S1.18")
def test_who_changes_a_ticket_sees_it_in_the_next_list(address, django_capture_on_commit_callbacks):
    ticket = make_ticket(make_process("incidencia-tecnica"), title="La talanquera no abre")
    supervisor = make_supervisor()
    client = signed_in(supervisor)
    client.get(address)
    renamed(ticket, "El torniquete no abre")
    with django_capture_on_commit_callbacks(execute=True):
        conversation.add_internal_note(ticket, actor=supervisor, body="Visto.")
    assert "El torniquete no abre" in text_of(client.get(address))


@pytest.mark.demand("S1.18")
def test_kept_list_of_one_person_is_never_shown_to_another():
    department = make_department("redes")
    ticket = make_ticket(make_process("incidencia-tecnica"), title="Solo de Redes")
    Ticket.objects.filter(pk=ticket.pk).update(department=department)
    member, stranger = make_agent(department), make_agent()
    assert "Solo de Redes" in text_of(signed_in(member).get(HISTORY))
    assert "Solo de Redes" not in text_of(signed_in(stranger).get(HISTORY))


@pytest.mark.demand("S1.18")
def test_kept_list_is_of_one_language_and_zone():
    make_ticket(make_process("incidencia-tecnica"), title="La talanquera no abre")
    supervisor = make_supervisor()
    client = signed_in(supervisor)
    assert "Severidad" in text_of(client.get(HISTORY))
    supervisor.language = "en"
    supervisor.save(update_fields=["language"])
    assert "Severity" in text_of(client.get(HISTORY))


@pytest.mark.demand("S1.18")
def test_who_changes_hours_sees_what_they_did_in_the_next_list(django_capture_on_commit_callbacks):
    ticket = make_ticket(make_process("incidencia-tecnica"), title="La talanquera no abre")
    supervisor = make_supervisor()
    client = signed_in(supervisor)
    client.get(HISTORY)
    renamed(ticket, "El torniquete no abre")
    with django_capture_on_commit_callbacks(execute=True):
        mark_change_by(supervisor)
    assert "El torniquete no abre" in text_of(client.get(HISTORY))


@pytest.mark.demand("S1.18")
def test_change_that_is_taken_back_leaves_the_list(django_capture_on_commit_callbacks):
    ticket = make_ticket(make_process("incidencia-tecnica"), title="La talanquera no abre")
    supervisor = make_supervisor()
    client = signed_in(supervisor)
    client.get(HISTORY)
    renamed(ticket, "El torniquete no abre")
    with django_capture_on_commit_callbacks(execute=False):
        conversation.add_internal_note(ticket, actor=supervisor, body="Visto.")
    assert "La talanquera no abre" in text_of(client.get(HISTORY))


def test_mark_of_a_change_outlives_what_was_kept_before_it(django_capture_on_commit_callbacks):
    supervisor = make_supervisor()
    with time_machine.travel(0, tick=False) as clock, django_capture_on_commit_callbacks(execute=True):
        kept("x", (), lambda: "before", person=supervisor)
        mark_change_by(supervisor)
        clock.shift(KEPT_SECONDS - 1)
    assert kept("x", (), lambda: "after", person=supervisor) == "after"


@pytest.mark.parametrize("first", ["supervisor", "agent"])
def test_frame_of_one_role_and_page_is_never_shown_on_another(first):
    people = {"supervisor": signed_in(make_supervisor()), "agent": signed_in(make_agent())}
    second = "agent" if first == "supervisor" else "supervisor"
    pages = {who: people[who].get(HISTORY).content.decode() for who in (first, second)}
    assert "/agentes/panel/" in pages["supervisor"]
    assert "/agentes/panel/" not in pages["agent"]
    panel = people["supervisor"].get("/agentes/panel/").content.decode()
    assert re.search(r'href="/agentes/panel/"[^>]*aria-current="page"', panel)
    assert not re.search(r'href="/agentes/panel/"[^>]*aria-current="page"', pages["supervisor"])
    administrator = signed_in(make_administrator()).get(HISTORY).content.decode()
    assert "Puesta en marcha" in administrator
    assert "Puesta en marcha" not in pages["supervisor"]


def test_menus_of_one_list_and_language_are_never_shown_on_another():
    supervisor = make_supervisor()
    client = signed_in(supervisor)
    make_ticket(make_process("incidencia-tecnica"))
    spanish = text_of(client.get(HISTORY))
    filtered = text_of(client.get(f"{HISTORY}?severidad=medium"))
    assert "Quitar filtro Severidad" in client.get(f"{HISTORY}?severidad=medium").content.decode()
    assert "Quitar filtro" not in client.get(HISTORY).content.decode()
    assert "Responsable" in spanish
    assert "Media" in filtered
    supervisor.language = "en"
    supervisor.save(update_fields=["language"])
    english = text_of(client.get(HISTORY))
    assert "Assignee" in english
    assert "Responsable" not in english


def test_what_is_kept_differs_by_what_is_seen():
    made = iter(range(9))
    assert kept("x", ("a",), lambda: next(made)) == 0
    assert kept("x", ("a",), lambda: next(made)) == 0
    assert kept("x", ("b",), lambda: next(made)) == 1
    assert kept("y", ("a",), lambda: next(made)) == 2
    with timezone.override("America/Bogota"):
        assert kept("x", ("a",), lambda: next(made)) == 3


def test_what_fails_is_tried_again():
    with pytest.raises(ZeroDivisionError):
        kept("x", (), lambda: 1 / 0)
    assert kept("x", (), lambda: 1) == 1
