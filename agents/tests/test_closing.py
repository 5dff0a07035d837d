"""The contact log with its evidence, and the closing checklist."""

import uuid

import pytest

from accounts.tests.factories import make_agent
from tickets.enums import ContactKind
from tickets.models import ChecklistEntry, ContactEntry
from tickets.tests.factories import make_ticket

from .factories import signed_in, snapshot, text_of
from .test_tickets import prepared, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent():
    return make_agent(name="Diego Salazar")


@pytest.fixture
def ticket(agent):
    return prepared(make_ticket(), agent)


@pytest.fixture
def client(agent):
    return signed_in(agent)


def log(client, ticket, **data):
    given = {"kind": "call", "outcome": "successful", "key": str(uuid.uuid4())} | data
    return client.post(url(ticket, "contact"), given)


@pytest.mark.demand("S2.22", "S2.45")
def test_call_is_logged_with_its_outcome(client, ticket, agent):
    assert log(client, ticket, outcome="failed", note="Buzón de voz").status_code == 302
    entry = ContactEntry.objects.get()
    assert (entry.kind, entry.outcome, entry.note, entry.by) == ("call", "failed", "Buzón de voz", agent)
    assert "Llamada · fallida · Buzón de voz" in text_of(client.get(url(ticket)))


@pytest.mark.demand("S2.14", "S2.46")
def test_whatsapp_contact_requires_its_conversation_url(client, ticket):
    response = log(client, ticket, kind="whatsapp", note="Le escribí")
    assert response.status_code == 422
    assert "es la evidencia del contacto" in text_of(response)
    assert 'value="Le escribí"' in text_of(response)
    assert not ContactEntry.objects.exists()
    log(client, ticket, kind="whatsapp", url="https://wa.me/58212")
    assert 'href="https://wa.me/58212"' in text_of(client.get(url(ticket)))


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "no es un enlace"])
def test_contact_url_must_be_a_web_address(client, ticket, address):
    assert log(client, ticket, kind="whatsapp", url=address).status_code == 422
    assert not ContactEntry.objects.exists()


def test_contact_posted_twice_is_logged_once(client, ticket):
    key = str(uuid.uuid4())
    for _twice in range(2):
        log(client, ticket, key=key)
    assert ContactEntry.objects.count() == 1


def test_refused_contact_keeps_its_input(client, ticket):
    """The verb refuses a contact whose key a colleague has already used."""
    key = str(uuid.uuid4())
    log(signed_in(make_agent()), ticket, key=key)
    response = log(client, ticket, key=key, note="Buzón de voz")
    assert response.status_code == 422
    assert "No tienes permiso para hacer eso en este ticket." in text_of(response)
    assert 'value="Buzón de voz"' in text_of(response)
    assert ContactEntry.objects.count() == 1


@pytest.mark.demand("S2.44", "S2.45", "S2.46")
def test_checklist_items_require_their_evidence(client, ticket, agent):
    items = ticket.definition.closing.checklist
    plain = next(item for item in items if not item.needs)
    proven = next(item for item in items if item.needs == ContactKind.CALL)
    page = text_of(client.get(url(ticket)))
    assert f"0 de {len(items)}" in page
    client.post(url(ticket, "checklist", plain.key), {"done": "1"})
    refused = client.post(url(ticket, "checklist", proven.key), {"done": "1"}, follow=True)
    assert "Registra primero la llamada al solicitante." in text_of(refused)
    log(client, ticket)
    client.post(url(ticket, "checklist", proven.key), {"done": "1"})
    assert {entry.item for entry in ChecklistEntry.objects.all()} == {plain.key, proven.key}
    page = text_of(client.get(url(ticket)))
    assert f"2 de {len(items)}" in page
    assert "Diego Salazar · hoy" in page
    client.post(url(ticket, "checklist", plain.key), {"done": "0"})
    assert ChecklistEntry.objects.get().item == proven.key


def test_unknown_checklist_item_is_not_found(client, ticket):
    before = snapshot(ticket)
    assert client.post(url(ticket, "checklist", "inventado"), {"done": "1"}).status_code == 404
    assert snapshot(ticket) == before
