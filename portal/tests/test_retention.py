"""The customer's page of a closed ticket whose history is no longer kept."""

import pytest
from django.urls import reverse

from tickets.tests.test_retention import keep_for, make_closed
from tickets.workflow import retention

pytestmark = pytest.mark.django_db


def test_page_of_a_ticket_without_history_shows_its_messages(client):
    ticket = make_closed(keep_for("files = 60\nmails = 60\nevents = 60"))
    retention.sweep()
    client.force_login(ticket.requester)

    page = client.get(reverse("portal:ticket", args=[ticket.folio])).content.decode()

    assert "Adjunto la captura." in page
    assert "captura.png" not in page
