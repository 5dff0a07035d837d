"""Forms of the back office give back what was typed and not sent: per person, per ticket, per form."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets import drafts
from tickets.closing.nonconformities import review
from tickets.models import FormDraft, Nonconformity, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.properties import change_properties
from tickets.workflow.publishing import publish

from .factories import signed_in
from .test_tickets import prepared, url

pytestmark = pytest.mark.django_db
SOLUTION = "Cambiamos el lector y probamos tres placas."
AGAIN = "Recuperamos lo que escribiste y no enviaste."


@pytest.fixture
def agent() -> User:
    return make_agent(name="Diego Salazar")


@pytest.fixture
def ticket(agent: User) -> Ticket:
    return prepared(make_ticket(requester=make_user(name="Mateo Ríos"), title="No lee placas"), agent)


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def autosave(client: Client, page: str, **values: str) -> int:
    """Send `values` where the page's script would, with the key of the page's form."""
    address = re.search(r'data-draft-url="([^"]+/borradores/[^"]+)"', page)[1]
    key = re.search(r'name="key" value="([^"]+)"', page[page.index(address) :])[1]
    return client.post(address, {"key": key} | values).status_code


def key_of(page: str, address: str) -> str:
    return re.search(r'name="key" value="([^"]+)"', page[page.index(address) :])[1]


def other_supervisor() -> User:
    return make_supervisor(email="otra-supervisora@desk.test")


# --- Each form --------------------------------------------------------------------------------------------


def test_refused_action_gives_the_solution_back_without_script(ticket: Ticket, agent: User):
    """«Pedir aprobación» is refused while the closing checklist is open; the agent goes away to complete it."""
    client = signed_in(agent)
    address = url(ticket, "action", "pedir_aprobacion")
    answer = client.post(address, {"solution_done": SOLUTION, "solution_steps": "", "version": "0"})
    assert answer.status_code in (409, 422)

    assert "Tienes texto sin enviar:" in page_of(client, url(ticket))
    page = page_of(client, address)

    assert SOLUTION in page
    assert AGAIN in page


@pytest.mark.parametrize("name", ["action", "contact", "account", "prepare", "new", "nonconformity"])
def test_what_was_typed_comes_back(ticket: Ticket, agent: User, name: str):
    user = make_supervisor(email="carolina-dos@desk.test")
    address, field = form_of(name, ticket, agent)
    client = signed_in(user)
    page = page_of(client, address)
    assert AGAIN not in page

    assert autosave(client, page, **{field: "Lo que escribí"}) == 204

    again = page_of(client, address)
    assert "Lo que escribí" in again
    assert AGAIN in again
    assert "Lo que escribí" not in page_of(signed_in(other_supervisor()), address)


@pytest.mark.parametrize("name", ["action", "contact", "account", "prepare", "new", "nonconformity"])
def test_discarded_text_stays_away(ticket: Ticket, agent: User, name: str):
    client = signed_in(make_supervisor(email="carolina-dos@desk.test"))
    address, field = form_of(name, ticket, agent)
    autosave(client, page_of(client, address), **{field: "Lo que escribí"})

    answer = client.post(
        address, {"descartar": "1", field: "Lo que escribí", "category": category_of(address)}
    )

    assert answer.status_code == 302
    assert "Lo que escribí" not in page_of(client, answer["Location"])


def category_of(address: str) -> str:
    return address.partition("categoria=")[2]


def form_of(name: str, ticket: Ticket, agent: User) -> tuple[str, str]:
    """Return the address of the form and one of its text fields."""
    match name:
        case "action":
            return url(ticket, "action", "pedir_aprobacion"), "solution_done"
        case "contact":
            return url(ticket, "contact"), "note"
        case "account":
            guest = make_ticket(make_process("incidencia-tecnica"), guest_email="ana@example.com")
            return url(guest, "account"), "name"
        case "prepare":
            return reverse("agents:prepare_ticket", args=[make_ticket().folio]), "note"
        case "new":
            category = make_process().categories.first()
            return f"{reverse('agents:new_ticket')}?categoria={category.pk}", "description"
    report = Nonconformity.objects.create(ticket=ticket, reason="Sin solución", responsible=agent)
    return reverse("agents:nonconformity", args=[report.pk]), "review"


def test_stale_property_gives_the_value_back(ticket: Ticket, agent: User):
    client, address = signed_in(agent), url(ticket, "property", "due_at")
    typed = timezone.localtime(timezone.now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    old = ticket.version
    change_properties(ticket, actor=agent, difficulty=5)

    assert client.post(address, {"value": typed, "version": old}).status_code == 409

    page = page_of(client, address)
    assert f'value="{typed}"' in page
    assert AGAIN in page
    client.post(address, {"descartar": "1"})
    assert AGAIN not in page_of(client, address)


def test_choices_and_boxes_come_back(agent: User):
    ticket = make_ticket()
    client = signed_in(make_supervisor())
    address = reverse("agents:prepare_ticket", args=[ticket.folio])
    chosen = {"severity": "critical", "difficulty": "4", "assignee": str(agent.pk), "note": "Con cuidado"}

    autosave(client, page_of(client, address), **chosen)

    page = page_of(client, address)
    assert re.search(r'name="severity"\s+value="critical"[^>]*checked', page)
    assert re.search(rf'name="assignee"\s+value="{agent.pk}"[^>]*checked', page)
    assert re.search(r'name="contribution_open"(?![^>]*checked)', page)


# --- Sending ----------------------------------------------------------------------------------------------


def contact_values(page: str, address: str) -> dict[str, str]:
    return {"kind": "call", "outcome": "successful", "note": "Habló con Mateo", "key": key_of(page, address)}


def test_sent_form_opens_empty_and_a_late_save_brings_nothing_back(ticket: Ticket, agent: User):
    client, address = signed_in(agent), url(ticket, "contact")
    page = page_of(client, address)
    values = contact_values(page, address)
    autosave(client, page, note="Habló con")

    assert client.post(address, values).status_code == 302
    autosave(client, page, note="Habló con Mateo")

    assert AGAIN not in page_of(client, address)
    assert ticket.contacts.count() == 1


def test_text_for_the_next_form_is_kept_after_sending(ticket: Ticket, agent: User):
    client, address = signed_in(agent), url(ticket, "contact")
    client.post(address, contact_values(page_of(client, address), address))
    autosave(client, page_of(client, address), note="La segunda llamada")

    assert "La segunda llamada" in page_of(client, address)


def test_files_of_a_new_ticket_come_back_with_the_text(agent: User):
    client = signed_in(agent)
    category = make_process().categories.first()
    address = f"{reverse('agents:new_ticket')}?categoria={category.pk}"
    page = page_of(client, address)
    values = {name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("batch", "key")}
    refused = client.post(
        reverse("agents:new_ticket"),
        values
        | {
            "category": str(category.pk),
            "description": "Sin título",
            "files": SimpleUploadedFile("notas.txt", b"Algo"),
        },
    )
    assert refused.status_code == 422

    page = page_of(client, address)

    assert "Sin título" in page
    assert "notas.txt" in page
    assert values["key"] not in page


def test_new_ticket_for_one_requester_leaves_the_other_draft(agent: User):
    client = signed_in(agent)
    category = make_process().categories.first()
    address = f"{reverse('agents:new_ticket')}?categoria={category.pk}"
    autosave(client, page_of(client, address), description="De la primera llamada")

    theirs = page_of(client, f"{address}&correo=ana@example.com")
    assert "De la primera llamada" not in theirs
    autosave(client, theirs, description="De Ana", email="ana@example.com")

    assert "De la primera llamada" in page_of(client, address)
    assert "De Ana" in page_of(client, f"{address}&correo=ana@example.com")


# --- The ticket changed -----------------------------------------------------------------------------------


def test_action_that_is_not_offered_any_more_shows_what_was_typed(ticket: Ticket, agent: User):
    client, address = signed_in(agent), url(ticket, "action", "pedir_aprobacion")
    autosave(client, page_of(client, address), solution_done=SOLUTION)
    Ticket.objects.filter(pk=ticket.pk).update(stage="recibido", stage_kind="new")

    page = page_of(client, address)

    assert SOLUTION in page
    assert "Este ticket ya no admite esta acción." in page
    assert ">Pedir aprobación" not in page[page.index("form-foot") :]


def test_review_by_another_supervisor_shows_what_was_typed(ticket: Ticket, agent: User):
    report = Nonconformity.objects.create(ticket=ticket, reason="Sin solución", responsible=agent)
    client = signed_in(make_supervisor())
    address = reverse("agents:nonconformity", args=[report.pk])
    autosave(client, page_of(client, address), review="Mi conclusión")
    review(report, actor=other_supervisor(), conclusion="La de la otra persona")

    page = page_of(client, address)

    assert "Mi conclusión" in page
    assert "La de la otra persona" in page


# --- Whose it is ------------------------------------------------------------------------------------------


def test_typed_text_never_reaches_the_portal(ticket: Ticket, agent: User):
    client = signed_in(agent)
    autosave(client, page_of(client, url(ticket, "action", "pedir_aprobacion")), solution_done=SOLUTION)

    theirs = signed_in(ticket.requester)

    for address in (f"/tickets/{ticket.folio}/", "/", "/tickets/"):
        assert SOLUTION not in theirs.get(address).content.decode()
    assert theirs.post(url(ticket, "form_draft", "contacto"), {"note": "x"}).status_code == 404


def test_nobody_saves_for_a_ticket_they_may_not_see(ticket: Ticket):
    outsider = signed_in(make_agent(make_department("reparaciones")))

    answer = outsider.post(url(ticket, "form_draft", "contacto"), {"note": "x"})

    assert answer.status_code == 404
    assert not FormDraft.objects.exists()


def test_hostile_values_are_stored_safely(ticket: Ticket, agent: User):
    client = signed_in(agent)
    address = url(ticket, "form_draft", "contacto")

    assert client.post(address, {"note": "a\0b", "key": "k" * 500}).status_code == 204
    assert drafts.kept_form(agent, f"{ticket.folio}/contacto")["note"] == ["ab"]
    assert client.post(address, {f"campo-{n}": "x" for n in range(500)}).status_code == 409
    assert client.post(url(ticket, "form_draft", "x" * 101), {"note": "x"}).status_code == 404
    assert FormDraft.objects.count() == 1


def test_number_and_age_of_kept_forms_are_limited(agent: User, monkeypatch: Any):
    monkeypatch.setattr(drafts, "FORMS_KEPT", 3)
    for number in range(6):
        drafts.keep_form(agent, f"nuevo-{number}", values={"title": ["Algo"]})
    assert FormDraft.objects.count() <= 4
    FormDraft.objects.update(updated_at=timezone.now() - timedelta(days=31))

    drafts.forget_old_drafts()

    assert not FormDraft.objects.exists()


def test_refused_contact_is_kept_without_script(ticket: Ticket, agent: User):
    client, address = signed_in(agent), url(ticket, "contact")

    client.post(address, {"kind": "whatsapp", "outcome": "successful", "note": "Sin enlace"})

    assert "Sin enlace" in page_of(client, address)


def test_a_question_with_the_name_of_another_pages_button_is_kept_too():
    make_department()
    process = publish("""
format = 1
key = "enlaces"
name = { es = "Enlaces" }
department = "soporte-tecnico"
[[fields]]
key = "link"
label = { es = "Enlace" }
filled_by = "staff"
[[stages]]
key = "entrada"
label = { es = "Entrada" }
kind = "new"
[[stages]]
key = "salida"
label = { es = "Salida" }
kind = "done"
[[actions]]
key = "revisar"
label = { es = "Revisar" }
from = ["entrada"]
to = "salida"
by = ["staff"]
asks = ["link"]
""").process
    ticket, client = make_ticket(process), signed_in(make_supervisor())
    address = url(ticket, "action", "revisar")
    assert autosave(client, page_of(client, address), link="https://desk.test/a") == 204
    assert 'value="https://desk.test/a"' in page_of(client, address)
