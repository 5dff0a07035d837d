"""The proof of the order of arrival on pages (S2.35)."""

import pytest
from django.urls import reverse

from accounts.tests.factories import make_agent, make_department, make_supervisor
from tickets.tests.factories import make_ticket
from tickets.tests.test_arrival_order import BY_ARRIVAL
from tickets.workflow import conversation
from tickets.workflow.publishing import publish

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S2.35")]


@pytest.fixture
def passed():
    process = publish(BY_ARRIVAL).process
    first, second = make_ticket(process), make_ticket(process)
    conversation.send_follow_up(second, actor=make_supervisor(name="Carolina Ruiz"), body="Ya.")
    return first, second


def test_both_tickets_say_who_was_passed_over_and_who_decided(client, passed):
    client.force_login(make_supervisor())
    for ticket, other in (passed, passed[::-1]):
        page = client.get(reverse("agents:ticket", args=[ticket.folio])).content.decode()
        section = page.partition('id="sec-llegada"')[2].partition("</details>")[0]
        assert other.folio in section
        assert "Carolina Ruiz" in section


def test_supervisors_list_all_cases(client, passed):
    client.force_login(make_supervisor())
    page = client.get(reverse("agents:overtaken")).content.decode()
    assert passed[0].folio in page
    assert f"Se respondió antes a {passed[1].folio}" in page


def test_agents_have_no_such_list(client, passed):
    client.force_login(make_agent(make_department("soporte-tecnico")))
    assert client.get(reverse("agents:overtaken")).status_code in (403, 404)


def test_ticket_in_order_has_no_such_section(client):
    client.force_login(make_supervisor())
    ticket = make_ticket(publish(BY_ARRIVAL).process)
    assert "sec-llegada" not in client.get(reverse("agents:ticket", args=[ticket.folio])).content.decode()
