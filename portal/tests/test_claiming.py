"""Only a person who has confirmed an address gets the tickets that a guest filed with it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db
PASSWORD = "la-clave-del-extraño-2026"
VICTIM = "lucia@example.com"


def test_password_set_before_confirmation_stops_working(client, code_in_mail):
    """B24, B26: a stranger signs up with an address that is not theirs and waits for its owner to confirm it."""
    data = {"email": VICTIM, "name": "Nadie", "password1": PASSWORD}
    Client().post(reverse("account_signup"), data)
    ticket = make_ticket(
        make_process("incidencia-tecnica"), guest_email=VICTIM, title="Mi diagnóstico médico"
    )

    client.post(reverse("account_request_login_code"), {"email": VICTIM})
    client.post(reverse("account_confirm_login_code"), {"code": code_in_mail(VICTIM)})
    assert ticket.title in client.get(reverse("portal:ticket_list")).content.decode()

    stranger = Client()
    stranger.post(reverse("account_login"), {"login": VICTIM, "password": PASSWORD})
    answer = stranger.get(reverse("portal:ticket_list"), follow=True)
    assert ticket.title not in answer.content.decode()
    assert not User.objects.get(email=VICTIM).has_usable_password()
