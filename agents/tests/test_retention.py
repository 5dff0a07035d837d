"""The pages of a closed ticket whose history, mails and files are no longer kept."""

import pytest
from django.urls import reverse

from accounts.tests.factories import make_supervisor
from tickets.models import TicketEvent
from tickets.tests.test_retention import keep_for, make_closed
from tickets.workflow import retention

pytestmark = pytest.mark.django_db


def test_page_of_a_ticket_without_history_shows_its_messages(client):
    process = keep_for("files = 60\nmails = 60\nevents = 60")
    ticket = make_closed(process)
    retention.sweep()
    assert not TicketEvent.objects.filter(ticket=ticket).exists()
    client.force_login(make_supervisor())

    page = client.get(reverse("agents:ticket", args=[ticket.folio])).content.decode()

    assert "Adjunto la captura." in page
    assert "captura.png" not in page


def test_verb_on_a_ticket_without_history_records_the_next_event(client):
    process = keep_for("events = 60")
    ticket = make_closed(process)
    version = ticket.version
    retention.sweep()
    client.force_login(make_supervisor())

    client.post(
        reverse("agents:ticket_send", args=[ticket.folio]), {"mode": "note", "body": "Una nota tardía."}
    )

    assert ticket.messages.filter(body="Una nota tardía.").exists()
    assert ticket.events.get().version > version
