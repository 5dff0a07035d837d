"""A form whose session has ended: nothing typed is lost, with and without script."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db
OURS = {"Origin": "http://testserver"}


@pytest.fixture
def ticket():
    return make_ticket(make_process("incidencia-tecnica"))


FORMS = {
    "composer": ("agents:ticket_send", {"kind": "follow_up", "body": "Listo", "version": "1", "key": "k"}),
    "action": (
        ("agents:ticket_action", "clasificar"),
        {"note": "Es el lector de la puerta.", "version": "1"},
    ),
    "contact": ("agents:ticket_contact", {"kind": "call", "note": "No contesta el teléfono."}),
    "survey": ("portal:ticket_survey", {"score": "2", "comment": "Tardaron una semana."}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("script", [False, True])
def test_form_without_session_keeps_what_was_typed(ticket, form, script):
    name, values = FORMS[form]
    names = (name,) if isinstance(name, str) else name
    address = reverse(names[0], args=[ticket.folio, *names[1:]])
    htmx = {"HX-Request": "true"} if script else {}

    answer = Client().post(address, values, headers=OURS | htmx)

    if script:
        assert answer.status_code == 401, "the page says so and keeps the form"
        return
    page = unescape(answer.content.decode())
    assert answer.status_code == 403
    assert "Tu sesión terminó" in page
    assert f'action="{address}"' in page
    for value in values.values():
        assert f'value="{value}"' in page
    assert reverse("account_login") in page


def test_foreign_form_is_not_repeated(ticket):
    address = reverse("agents:ticket_send", args=[ticket.folio])
    for headers in ({}, {"Origin": "https://malo.example"}):
        answer = Client().post(address, {"body": "Texto de un extraño"}, headers=headers)
        assert "Texto de un extraño" not in answer.content.decode()


def test_button_without_text_leads_to_sign_in(ticket):
    address = reverse("agents:assign")
    assert (
        Client()
        .post(address, {"sel": ticket.folio}, headers=OURS)["Location"]
        .startswith(reverse("account_login"))
    )


def test_page_with_what_was_typed_is_stored_nowhere(ticket):
    """Without it, «Back» showed an internal note to the next person at the browser."""
    address = reverse("agents:ticket_send", args=[ticket.folio])
    note = {"kind": "note", "body": "Solo para el equipo"}
    for client in (Client(), Client(enforce_csrf_checks=True)):
        answer = client.post(address, note, headers=OURS)
        assert "Solo para el equipo" in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]


def test_huge_form_is_not_repeated(ticket):
    """An anonymous body of 4 MB came back as a page of up to 48 MB: every quote is written as six characters, twice."""
    address = reverse("agents:ticket_send", args=[ticket.folio])
    for client in (Client(), Client(enforce_csrf_checks=True)):
        answer = client.post(address, {"body": '" ' * 1_000_000}, headers=OURS)
        assert answer.status_code == 403
        assert len(answer.content) < 20_000
        longest = client.post(address, {"body": '" ' * 10_000}, headers=OURS)
        assert longest.content.count(b"&quot; ") == 20_000
