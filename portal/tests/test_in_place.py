"""Forms that htmx posts: a refused one replaces the page's content, an accepted one loads the next page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tickets.models import Ticket
from tickets.workflow.perform import perform

from .browsing import html, stamp, url

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "contenido"}


def post(client: Client, address: str, values: dict[str, Any]) -> Any:
    return client.post(address, values, headers=HTMX)


def test_reply_is_answered_in_place(in_work: Ticket, customer_client: Client):
    refused = post(customer_client, url(in_work, "responder/"), {"body": ""})
    accepted = post(customer_client, url(in_work, "responder/"), {"body": "Sigue igual."})

    assert refused.status_code == 422
    assert accepted["HX-Redirect"] == url(in_work, f"#mensaje-{in_work.messages.last().pk}")


def test_decision_is_answered_in_place(to_approve: Ticket, customer_client: Client):
    address = url(to_approve, "acciones/rechazar/")
    stamped = stamp(html(customer_client, url(to_approve)), "rechazar")
    refused = post(customer_client, address, stamped)
    accepted = post(customer_client, address, stamped | {"rechazar-message": "Sigue sin leer."})

    assert refused.status_code == 422
    assert accepted["HX-Redirect"] == url(to_approve)


def test_survey_is_answered_in_place(to_approve: Ticket, customer: User, customer_client: Client):
    perform(to_approve, "aprobar", actor=customer)
    refused = post(customer_client, url(to_approve, "encuesta/"), {"comment": ""})
    accepted = post(customer_client, url(to_approve, "encuesta/"), {"score": "5"})

    assert refused.status_code == 422
    assert accepted["HX-Redirect"] == url(to_approve, "encuesta/")


def test_profile_and_new_link_are_answered_in_place(customer_client: Client):
    link = reverse("portal:resend_link")

    assert post(customer_client, link, {"folio": ""}).status_code == 422
    sent = post(customer_client, link, {"folio": "MA-1", "email": "ana@example.com"})
    assert sent["HX-Redirect"] == reverse("portal:resend_done")
    assert post(customer_client, reverse("portal:profile"), {"name": ""}).status_code == 422


def test_ended_link_or_session_gives_a_status_that_shows_the_servers_page(in_work: Ticket, client: Client):
    """js/behaviours/in-place.js then posts the form without htmx, which shows that page."""
    guest = f"/invitado/{in_work.folio}/responder/"

    assert post(client, guest, {"body": "Hola"}).status_code == 404
    assert post(client, url(in_work, "responder/"), {"body": "Hola"}).status_code == 401
    assert client.get(f"/invitado/{in_work.folio}/novedades/", headers=HTMX).status_code == 286
