"""A customer's page, with those of their tickets that the reader may see."""

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from accounts.enums import Standing
from accounts.models import CustomerKind, User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> User:
    kind = CustomerKind.objects.create(key="parkiador", name="Parkiador")
    return make_user(
        name="Valentina Ospina",
        kind=kind,
        phone="+58 412 555 0142",
        external_account="vospina",
        standing=Standing.INACTIVE,
        standing_since=date(2026, 3, 2),
    )


def url(person: User) -> str:
    return reverse("agents:customer", args=[person.pk])


def test_page_shows_the_customers_data(customer: User):
    make_ticket(requester=customer)
    page = text_of(signed_in(make_agent()).get(url(customer)))

    for fact in (
        "Valentina Ospina",
        "Parkiador",
        "+58 412 555 0142",
        "vospina",
        "Inactivo desde",
        customer.email,
    ):
        assert fact in page


def test_page_lists_and_counts_only_visible_tickets(customer: User):
    mine, hidden = (make_ticket(requester=customer, title=title) for title in ("Mi caso", "Caso reservado"))
    foreign = make_ticket(title="De otra persona")
    Ticket.objects.filter(pk=hidden.pk).update(department=make_department("academico"))

    page = text_of(signed_in(make_agent()).get(url(customer)))
    assert "Mi caso" in page
    assert "Caso reservado" not in page
    assert hidden.folio not in page
    assert foreign.folio not in page
    assert "1 ticket abierto de 1" in page
    assert "2 tickets abiertos de 2" in text_of(signed_in(make_supervisor()).get(url(customer)))
    assert mine.folio in page


def test_agents_see_only_requesters_of_visible_tickets(customer: User):
    agent, ticket = make_agent(), make_ticket(requester=customer)
    assert signed_in(agent).get(url(customer)).status_code == 200

    Ticket.objects.filter(pk=ticket.pk).update(department=make_department("academico"))
    assert signed_in(agent).get(url(customer)).status_code == 404


def test_supervisors_see_every_customer(customer: User):
    assert signed_in(make_supervisor()).get(url(customer)).status_code == 200


def test_staff_have_a_page_only_as_requesters():
    colleague, reader = make_agent(name="Diego Salazar"), make_supervisor()

    assert signed_in(reader).get(url(colleague)).status_code == 404
    make_ticket(requester=colleague)
    assert "Diego Salazar" in text_of(signed_in(reader).get(url(colleague)))


def test_customers_get_404_even_for_themselves(customer: User):
    for person in (customer, make_user()):
        assert signed_in(person).get(url(customer)).status_code == 404


def test_pages_show_every_ticket_once(customer: User):
    reader = signed_in(make_supervisor())
    tickets = [make_ticket(requester=customer) for _number in range(27)]

    first = reader.get(url(customer))
    second = reader.get(url(customer) + first.context["page_older"])
    shown = [row.ticket.pk for page in (first, second) for row in page.context["rows"]]
    assert sorted(shown) == sorted(ticket.pk for ticket in tickets)
    assert len(first.context["rows"]) == 25


def test_invalid_cursor_shows_the_first_page(customer: User):
    make_ticket(requester=customer)

    response = signed_in(make_supervisor()).get(url(customer), {"desde": "x:y"})
    assert response.context["problem"]
    assert len(response.context["rows"]) == 1


@pytest.mark.parametrize("others", [1, 20])
def test_page_query_count_is_constant(customer: User, others: int, django_assert_num_queries: Any):
    for _number in range(others):
        make_ticket(requester=customer)
    reader = signed_in(make_agent())

    with django_assert_num_queries(8):
        page = reader.get(url(customer))
    assert [row.ticket.requester_id for row in page.context["rows"]] == [customer.pk] * others
