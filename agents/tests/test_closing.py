"""The contact log with its evidence, the closing checklist, and replies after the end."""

import re
import uuid
from html import unescape

import pytest
from django.urls import reverse

from accounts.tests.factories import make_agent, make_department, make_supervisor
from tickets.enums import ContactKind
from tickets.models import ChecklistEntry, ContactEntry
from tickets.tests.factories import make_ticket
from tickets.tests.playing import add_screenshot
from tickets.workflow.conversation import reply
from tickets.workflow.perform import perform

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
def test_checklist_items_require_their_evidence(ticket):
    client = signed_in(
        make_agent(ticket.department, make_department("atencion-al-usuario"), name="Diego Salazar")
    )
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


@pytest.mark.demand("S2.44")
def test_checklist_is_disabled_for_those_who_may_not_tick_it(client, ticket):
    item = ticket.definition.closing.checklist[0]
    page = client.get(url(ticket))
    assert "La marca quien revisa la respuesta." in text_of(page)
    assert "punto=" not in text_of(page), "a contact of theirs would not tick it"
    assert page.content.decode().count(" disabled>") >= len(ticket.definition.closing.checklist)
    refused = client.post(url(ticket, "checklist", item.key), {"done": "1"}, follow=True)
    assert "Ese punto de la lista lo marca quien revisa la respuesta." in text_of(refused)
    assert not ChecklistEntry.objects.exists()


def test_unknown_checklist_item_is_not_found(client, ticket):
    before = snapshot(ticket)
    assert client.post(url(ticket, "checklist", "inventado"), {"done": "1"}).status_code == 404
    assert snapshot(ticket) == before


@pytest.mark.demand("S2.22")
def test_outcome_of_a_contact_is_not_chosen_in_advance(client, ticket):
    page = text_of(client.get(url(ticket, "contact")))
    assert re.search(r'name="outcome"[^>]*> <option value="" selected>Elige una opción', page)
    assert log(client, ticket, outcome="").status_code == 422
    assert not ContactEntry.objects.exists()


@pytest.mark.demand("S2.45")
def test_item_of_the_checklist_is_ticked_by_recording_its_call(ticket):
    boss = signed_in(make_supervisor())
    link = re.search(r'href="([^"]+punto=llamada)"', unescape(boss.get(url(ticket)).content.decode()))[1]
    page = text_of(boss.get(link))
    assert re.search(r'name="item" value="llamada"', page)
    assert re.search(r'<option value="call" selected', page)

    log(boss, ticket, item="llamada")

    assert ChecklistEntry.objects.get().item == "llamada"


@pytest.mark.parametrize("needs", ["call", "whatsapp"])
def test_contact_that_a_closing_asks_for_ticks_its_item(ticket, agent, needs):
    perform(ticket, "pedir_aprobacion", actor=agent, data={"solution_done": "Listo."})
    perform(ticket, "aprobar", actor=ticket.requester)
    reviewer = signed_in(make_agent(make_department("atencion-al-usuario")))
    form = unescape(reviewer.get(url(ticket, "action", "cerrar")).content.decode())
    way = re.search(rf'href="([^"]+medio={needs}[^"]*)"', form)[1]
    item = re.search(r'name="item" value="(\w+)"', text_of(reviewer.get(way)))[1]

    log(reviewer, ticket, kind=needs, url="https://wa.me/c/1", item=item)

    entry = ChecklistEntry.objects.get()
    points = {point.key: point.needs for point in ticket.definition.closing.checklist}
    assert points[entry.item] == needs


def test_item_of_the_address_goes_before_what_was_kept_of_another_contact(ticket):
    boss = signed_in(make_supervisor())
    page = url(ticket, "contact")
    boss.post(reverse("agents:ticket_form_draft", args=[ticket.folio, "contacto"]),
              {"kind": "whatsapp", "item": "", "note": "Le escribí"})  # fmt: skip

    opened = text_of(boss.get(f"{page}?medio=call&punto=llamada"))

    assert re.search(r'name="item" value="llamada"', opened)
    assert re.search(r'<option value="call" selected', opened)
    assert 'value="Le escribí"' in opened
    assert re.search(r'<option value="whatsapp" selected', text_of(boss.get(page)))


@pytest.mark.demand("S2.44", "S2.45", "S2.46")
def test_user_service_reviews_an_approved_ticket_and_closes_it(ticket, agent):
    perform(ticket, "pedir_aprobacion", actor=agent, data={"solution_done": "Listo."})
    perform(ticket, "aprobar", actor=ticket.requester)
    reviewer = signed_in(make_agent(make_department("atencion-al-usuario")))
    queue = text_of(reviewer.get(reverse("agents:queue_of", args=["por-verificar"])))
    assert ticket.folio in queue
    assert re.search(r"colas/por-verificar/.{0,300}?>1<", queue)

    page = text_of(reviewer.get(url(ticket)))
    assert "0 de 3" in page
    assert page.count('role="checkbox"') == 3
    assert not re.search(r'role="checkbox"[^>]* disabled', page)
    refused = text_of(reviewer.post(url(ticket, "action", "cerrar"), stamped(reviewer, ticket), follow=True))
    assert "La lista de cierre no está completa: Respuesta estandarizada" in refused
    log(reviewer, ticket, item="llamada")
    log(reviewer, ticket, item="whatsapp", kind="whatsapp", url="https://wa.me/c/1")
    reviewer.post(url(ticket, "checklist", "respuesta"), {"done": "1"})
    refused = text_of(reviewer.post(url(ticket, "action", "cerrar"), stamped(reviewer, ticket), follow=True))
    assert "Adjunta las capturas de la conversación de WhatsApp" in refused
    add_screenshot(ticket, by=agent)
    reviewer.post(url(ticket, "action", "cerrar"), stamped(reviewer, ticket))

    ticket.refresh_from_db()
    assert (ticket.stage, ticket.checklist_entries.count()) == ("cerrado", 3)


@pytest.mark.demand("S2.16")
def test_closed_ticket_waits_in_por_llamar_until_the_call_is_logged(ticket, agent):
    perform(ticket, "pedir_aprobacion", actor=agent, data={"solution_done": "Listo."})
    perform(ticket, "aprobar", actor=ticket.requester)
    reviewer = signed_in(make_agent(make_department("atencion-al-usuario")))
    log(reviewer, ticket, item="llamada", outcome="failed")
    log(reviewer, ticket, item="whatsapp", kind="whatsapp", url="https://wa.me/c/1")
    for item in ("respuesta", "llamada"):
        reviewer.post(url(ticket, "checklist", item), {"done": "1"})
    add_screenshot(ticket, by=agent)
    reviewer.post(url(ticket, "action", "cerrar_sin_hablar"), stamped(reviewer, ticket, "cerrar_sin_hablar"))
    ticket.refresh_from_db()
    assert ticket.stage == "cerrado"

    queue = reverse("agents:queue_of", args=["por-llamar"])
    page = text_of(reviewer.get(queue))
    assert ticket.folio in page
    assert re.search(r"colas/por-llamar/.{0,300}?>1<", page)
    page = text_of(reviewer.get(url(ticket)))
    assert "Falta llamar al solicitante" in page
    address = unescape(re.search(r'href="([^"]+medio=call)"', page)[1])
    assert re.search(r'<option value="call" selected', text_of(reviewer.get(address)))
    log(reviewer, ticket, outcome="failed")
    assert ticket.folio not in text_of(reviewer.get(queue))
    assert "Falta llamar" not in text_of(signed_in(agent).get(url(ticket)))


def stamped(client, ticket, action="cerrar"):
    """Return the stamp of the action's form, as its page has it now."""
    page = text_of(client.get(url(ticket, "action", action)))
    return {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("key", "version")}


# --- Late replies ---------------------------------------------------------------------------------------------


@pytest.fixture
def late(db):
    """A closed ticket whose requester has commented on it."""
    ticket = make_ticket()
    perform(ticket, "cerrar_prueba", actor=make_supervisor())
    ticket.refresh_from_db()
    reply(ticket, actor=ticket.requester, body="Gracias, pero sigue igual.", keep_closed=True)
    ticket.refresh_from_db()
    return ticket


def test_late_reply_is_in_its_queue_with_a_figure(late):
    client = signed_in(make_supervisor())
    page = text_of(client.get(reverse("agents:queue_of", args=["respuestas-en-cerrados"])))
    assert late.folio in page
    assert re.search(r"colas/respuestas-en-cerrados/.{0,300}?>1<", page)
    assert late.folio not in text_of(client.get(reverse("agents:queue_of", args=["todos"])))


def test_late_reply_is_put_aside_from_the_ticket(late):
    client = signed_in(make_supervisor())
    ticket_page = reverse("agents:ticket", args=[late.folio])
    assert "El solicitante escribió tras el cierre" in text_of(client.get(ticket_page))

    address = reverse("agents:ticket_late_reply", args=[late.folio])
    answer = client.post(address, {"key": str(uuid.uuid4())}, follow=True)

    page = text_of(answer)
    assert "Marcaste la respuesta como atendida." in page
    assert "El solicitante escribió tras el cierre" not in page
    assert "leyó la respuesta que llegó tras el cierre" in page
    late.refresh_from_db()
    assert late.late_reply_at is None


def test_agent_reopens_with_a_reason(late):
    agent = make_agent(late.department)
    client = signed_in(make_supervisor())
    address = reverse("agents:ticket_action", args=[late.folio, "reabrir"])
    assert "Motivo" in text_of(client.get(address))

    assert client.post(address, {"assignee": agent.pk, "note": ""}).status_code == 422
    client.post(address, {"assignee": agent.pk, "note": "El cliente tiene razón."})

    late.refresh_from_db()
    assert (late.stage, late.assignee, late.late_reply_at, late.is_test) == ("procesar", agent, None, False)
    assert late.messages.order_by("pk").last().body == "El cliente tiene razón."


# --- Two people at once ---------------------------------------------------------------------------------------


def test_form_that_another_act_made_pointless_cannot_be_sent_again(client, ticket):
    stamp = stamped(client, ticket, "pedir_aprobacion")
    perform(ticket, "cerrar_prueba", actor=make_supervisor())

    page = client.post(url(ticket, "action", "pedir_aprobacion"), {**stamp, "solution_done": "Todo listo."})

    text = text_of(page)
    assert "El ticket cambió mientras escribías" in text
    assert "Este ticket ya no admite esta acción." in text
    assert "vuelve a enviar" not in text
    assert "Todo listo.</textarea>" in text
    assert not re.search(r'<button class="btn btn-primary" type="submit"> Pedir aprobación', text)
