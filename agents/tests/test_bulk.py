"""Assigning several tickets at once, and the palette."""

import re
import uuid

import pytest
from django.urls import reverse
from zeal import zeal_ignore

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.enums import EventKind, StageKind
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket

from .factories import signed_in, snapshot, text_of
from .test_queues import change, of

pytestmark = pytest.mark.django_db
ASSIGN = "/agentes/tickets/asignar/"


@pytest.fixture
def agent():
    return make_agent(name="Diego Salazar")


def assign(client, tickets, assignee=None, **data):
    given = {
        "sel": [ticket.folio for ticket in tickets],
        "key": str(uuid.uuid4()),
        "next": of("todos"),
    } | data
    with zeal_ignore():  # one verb call for each ticket, each with its own lock, is intended
        return client.post(ASSIGN, given | ({} if assignee is None else {"assignee": assignee}))


@pytest.mark.demand("S0.18")
def test_selected_tickets_are_assigned_to_one_person(agent):
    tickets = [make_ticket() for _ in range(3)]
    client = signed_in(make_supervisor())
    response = assign(client, tickets[:2], agent.pk)
    assert response["Location"] == of("todos")
    assert "Asignamos 2 tickets a Diego Salazar." in text_of(client.get(of("todos")))
    assert set(Ticket.objects.filter(assignee=agent)) == set(tickets[:2])
    assert [t.events.filter(kind=EventKind.ASSIGNED).count() for t in tickets] == [1, 1, 0]


def test_assigning_asks_for_the_assignee_first(agent):
    ticket = make_ticket()
    client = signed_in(make_supervisor())
    page = text_of(assign(client, [ticket]))
    assert ticket.title in page
    assert "Diego Salazar · 0 abiertos" in page
    assert not Ticket.objects.filter(assignee__isnull=False).exists()
    part = client.post(ASSIGN, {"sel": ticket.folio}, headers={"HX-Request": "true"})
    assert "<html" not in text_of(part)


def test_refused_tickets_are_named_and_others_assigned(agent):
    open_one, closed = make_ticket(), make_ticket()
    change(closed, stage_kind=StageKind.DONE, stage="cerrado")
    client = signed_in(make_supervisor())
    assign(client, [open_one, closed], agent.pk)
    page = text_of(client.get(of("todos")))
    assert "Asignamos 1 ticket a Diego Salazar." in page
    assert f"No pudimos con: {closed.folio}: El ticket está cerrado: ya no se asigna." in page


def test_tickets_can_be_unassigned(agent):
    ticket = change(make_ticket(), assignee=agent)
    client = signed_in(agent)
    assign(client, [ticket], "nadie")
    ticket.refresh_from_db()
    assert ticket.assignee is None
    assert "1 ticket volvió a la cola." in text_of(client.get(of("todos")))


def test_form_posted_twice_assigns_once(agent):
    ticket, key = make_ticket(), str(uuid.uuid4())
    client = signed_in(make_supervisor())
    for _twice in range(2):
        assign(client, [ticket], agent.pk, key=key)
    assert ticket.events.filter(kind=EventKind.ASSIGNED).count() == 1


def test_tickets_of_other_departments_are_ignored(agent):
    mine, secret = make_ticket(), change(make_ticket(title="Secreto"), department=make_department("cca"))
    client = signed_in(agent)
    assert "Secreto" not in text_of(assign(client, [mine, secret]))
    assign(client, [mine, secret], agent.pk)
    secret.refresh_from_db()
    assert secret.assignee is None
    assert secret.folio not in text_of(client.get(of("todos")))
    assign(client, [secret], agent.pk)
    assert "Selecciona al menos un ticket." in text_of(client.get(of("todos")))


@pytest.mark.parametrize("person", ["customer", "x", "999999", ""])
def test_only_staff_can_be_assigned(agent, person):
    ticket = make_ticket()
    value = make_user().pk if person == "customer" else person
    client = signed_in(agent)
    assign(client, [ticket], value)
    ticket.refresh_from_db()
    assert ticket.assignee is None
    assert "Elige a una persona del equipo." in text_of(client.get(of("todos")))


def test_redirect_stays_on_this_site(agent):
    response = assign(signed_in(agent), [make_ticket()], agent.pk, next="https://evil.example/")
    assert response["Location"] == reverse("agents:queue")


def test_customers_cannot_assign(agent):
    ticket = make_ticket()
    assert assign(signed_in(ticket.requester), [ticket], agent.pk).status_code == 404
    ticket.refresh_from_db()
    assert ticket.assignee is None


def test_get_assigns_nothing(agent):
    ticket = make_ticket()
    before = snapshot(ticket)
    assert signed_in(agent).get(ASSIGN, {"sel": ticket.folio, "assignee": agent.pk}).status_code == 405
    assert snapshot(ticket) == before


# --- Ctrl K ---------------------------------------------------------------------------------------------

HTMX = {"HX-Request": "true"}
PALETTE = "/agentes/buscar/"


def test_palette_finds_tickets_and_queues(agent):
    ticket = make_ticket(title="Cobro duplicado", requester=make_user(name="Mateo Ríos"))
    client = signed_in(agent)
    found = text_of(client.get(PALETTE, {"q": "mateo"}, headers=HTMX))
    assert f'href="{reverse("agents:ticket", args=[ticket.folio])}"' in found
    assert "Cobro duplicado" in found
    assert f'href="{of("sin-asignar")}"' in text_of(client.get(PALETTE, {"q": "sin asig"}, headers=HTMX))
    assert "No encontramos nada" in text_of(client.get(PALETTE, {"q": "zzz\x00"}, headers=HTMX))


def test_palette_offers_preparing_only_if_allowed():
    def places(user) -> str:
        return text_of(signed_in(user).get(reverse("agents:palette"), headers={"HX-Request": "true"}))

    make_process()
    assert reverse("agents:prepare") in places(make_supervisor())
    assert reverse("agents:prepare") not in places(make_agent())


def test_palette_without_script_redirects(agent):
    ticket = make_ticket()
    client = signed_in(agent)
    assert client.get(PALETTE, {"q": ticket.folio.lower()})["Location"].endswith(f"/{ticket.folio}/")
    assert client.get(PALETTE, {"q": "doble cobro"})["Location"] == f"{of('todos')}?q=doble+cobro"


def test_palette_shows_nothing_of_other_departments(agent):
    secret = change(make_ticket(title="Secreto"), department=make_department("cca"))
    client = signed_in(agent)
    for text in ("Secreto", secret.folio, "Persona"):
        assert "Secreto" not in text_of(client.get(PALETTE, {"q": text}, headers=HTMX))
    assert client.get(PALETTE, {"q": secret.folio})["Location"].startswith(of("todos"))
    assert "Inconformidades" not in text_of(client.get(PALETTE, {"q": "inconf"}, headers=HTMX))
    assert "Inconformidades" in text_of(
        signed_in(make_supervisor()).get(PALETTE, {"q": "inconf"}, headers=HTMX)
    )


# --- Handing over the tickets of somebody who leaves --------------------------------------------------------------


@pytest.fixture
def leaving():
    agent = make_agent(name="Ana Pérez")
    for number in range(3):
        ticket = make_ticket(title=f"Caso {number}")
        Ticket.objects.filter(pk=ticket.pk).update(assignee=agent)
    agent.is_active = False
    agent.save()
    return agent


def test_open_tickets_are_handed_over(leaving):
    client, colleague = signed_in(make_supervisor()), make_agent(name="Luis Gil")
    address = reverse("agents:hand_over", args=[leaving.pk])
    page = client.get(address)
    assert "Tickets abiertos de Ana Pérez" in text_of(page)
    assert "Ana Pérez ·" not in text_of(page)
    chosen = {
        "sel": re.findall(r'name="sel" value="([^"]+)"', page.content.decode()),
        "assignee": colleague.pk,
    }
    assert len(chosen["sel"]) == 3

    with zeal_ignore():
        answer = client.post(reverse("agents:assign"), chosen | {"next": address}, follow=True)

    assert Ticket.objects.filter(assignee=colleague).count() == 3
    assert answer.redirect_chain == [(address, 302)]
    assert "No le queda ningún ticket abierto" in text_of(answer)


def test_only_supervisors_hand_over(leaving):
    address = reverse("agents:hand_over", args=[leaving.pk])
    assert signed_in(make_agent()).get(address).status_code == 404
    customer = reverse("agents:hand_over", args=[make_user().pk])
    assert signed_in(make_supervisor()).get(customer).status_code == 404


def test_ticket_page_and_lists_say_that_nobody_has_it(leaving):
    client, ticket = signed_in(make_supervisor()), Ticket.objects.first()
    page = text_of(client.get(reverse("agents:ticket", args=[ticket.folio])))
    assert "Nadie lo tiene" in page
    assert "Ana Pérez ya no trabaja en la mesa." in page
    assert reverse("agents:hand_over", args=[leaving.pk]) in page
    assert "Ana" not in text_of(client.get(reverse("agents:queue_of", args=["todos"])))
    found = client.get(reverse("agents:queue_of", args=["todos"]), {"responsable": "nadie"})
    assert ticket.folio in text_of(found)
