"""Procedures stand beside the ticket that they fit, and the composer inserts them only in notes (S2.36–S2.38)."""

import re
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import make_agent
from knowledge.articles import Scope
from knowledge.enums import Audience
from knowledge.tests.factories import make_article
from tickets.models import Message, Ticket
from tickets.tests.factories import make_process, make_ticket

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
STEPS = "1. Mira en **Accesos** el SECRETO.\n2. Bloquea la cuenta."


@pytest.fixture
def agent() -> User:
    return make_agent(name="Diego Salazar")


@pytest.fixture
def ticket() -> Ticket:
    return make_ticket()


def procedure(ticket: Ticket, title: str = "Cuenta robada", body: str = STEPS, **fields: Any) -> Any:
    scope = Scope(ticket.definition.key)
    return make_article(title, audience=Audience.INTERNAL, body=body, scopes=[scope], **fields)


def url(ticket: Ticket) -> str:
    return reverse("agents:ticket", args=[ticket.folio])


@pytest.mark.demand("S2.36", "S2.37", "S2.38")
def test_procedure_that_fits_stands_beside_the_ticket(agent: User, ticket: Ticket):
    procedure(ticket)
    make_article("De otro proceso", audience=Audience.INTERNAL, body="Otro SECRETO.", scopes=[Scope("otro")])

    page = text_of(signed_in(agent).get(url(ticket)))
    assert "<li><span>Mira en Accesos el SECRETO.</span></li>" in page
    assert "De otro proceso" not in page
    whole = signed_in(agent).get("/agentes/conocimiento/cuenta-robada/", headers={"HX-Request": "true"})
    assert "<strong>Accesos</strong>" in text_of(whole)
    assert "<html" not in text_of(whole)


def test_ticket_without_procedures_shows_no_section(agent: User, ticket: Ticket):
    assert "sec-procedimientos" not in text_of(signed_in(agent).get(url(ticket)))


def test_procedure_without_steps_shows_its_beginning(agent: User, ticket: Ticket):
    procedure(ticket, body="Llama primero a la persona.")

    assert "Llama primero a la persona." in text_of(signed_in(agent).get(url(ticket)))


@pytest.mark.demand("S2.47")
def test_composer_inserts_the_link_of_an_article(agent: User, ticket: Ticket):
    make_article("Recuperar la cuenta", scopes=[Scope(ticket.definition.key)])
    client = signed_in(agent)

    link = r"\[Recuperar la cuenta\]\(http://[\w.:]+/ayuda/recuperar-la-cuenta/\)"
    assert re.search(f'data-insert="{link}"', text_of(client.get(url(ticket))))
    page = client.get(url(ticket), {"articulo": "recuperar-la-cuenta"}).content.decode()
    assert re.search(f"{link}</textarea>", page)
    assert re.search(r'value="follow_up"[^>]*checked', page)


def test_composer_inserts_steps_only_in_a_note(agent: User, ticket: Ticket):
    procedure(ticket)
    client = signed_in(agent)

    page = client.get(url(ticket), {"articulo": "cuenta-robada", "modo": "follow_up"}).content.decode()
    assert "1. Mira en Accesos el SECRETO." in page.partition("</textarea>")[0]
    assert re.search(r'value="note"[^>]*checked', page)
    for offered in re.findall(r"<a [^>]*data-insert=\"[^\"]*SECRETO[^>]*>", page):
        assert 'data-mode="note"' in offered
    assert not Message.objects.filter(ticket=ticket, kind="follow_up").exists()


@pytest.mark.parametrize("slug", ["de-otro-proceso", "borrador", "no-existe", "x" * 300])
def test_article_that_does_not_fit_inserts_nothing(agent: User, ticket: Ticket, slug: str):
    make_article("De otro proceso", audience=Audience.INTERNAL, body="SECRETO.", scopes=[Scope("otro")])

    page = text_of(signed_in(agent).get(url(ticket), {"articulo": slug}))
    assert "></textarea>" in page
    assert "SECRETO" not in page


def test_guest_gets_no_link_that_needs_an_account(agent: User):
    guest = make_ticket(make_process("incidencia-tecnica"), guest_email="ana@example.com")
    make_article("Con cuenta", audience=Audience.CUSTOMERS, scopes=[Scope(guest.definition.key)])
    make_article("Para todos", scopes=[Scope(guest.definition.key)])

    page = text_of(signed_in(agent).get(url(guest)))
    assert "ayuda/para-todos" in page
    assert "ayuda/con-cuenta" not in page


@pytest.mark.parametrize("count", [1, 5])
def test_procedures_take_four_queries_whatever_their_number(
    agent: User, ticket: Ticket, count: int, django_assert_max_num_queries: Any
):
    for number in range(count):
        procedure(ticket, f"Procedimiento {number}")
        make_article(f"Artículo {number}", scopes=[Scope(ticket.definition.key)])
    client = signed_in(agent)
    client.get(url(ticket))

    with django_assert_max_num_queries(22):
        client.get(url(ticket))
