"""«Nuevo ticket»: staff file a ticket for somebody who called, wrote or came by."""

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_user
from tickets.enums import Channel, EventKind
from tickets.models import Attachment, Category, Message, Process, Ticket
from tickets.tests.factories import make_process
from tickets.workflow.publishing import publish

from .factories import picture, signed_in, text_of

pytestmark = pytest.mark.django_db
URL = "/agentes/tickets/nuevo/"


@pytest.fixture
def agent() -> User:
    return make_agent()


@pytest.fixture
def category() -> Category:
    return make_process("incidencia-tecnica").categories.get(key="problema-con-la-app")


def report(category: Category, **changes: object) -> dict[str, object]:
    return {
        "category": category.pk,
        "key": str(uuid.uuid4()),
        "channel": "phone",
        "email": "lucia@example.com",
        "name": "Lucía Fernández",
        "phone": "+58 212 771 9011",
        "title": "La app se cierra al pagar",
        "description": "Abre, toca pagar y se cierra. No muestra ningún error.",
    } | changes


def test_category_is_asked_first(agent: User, category: Category):
    page = text_of(signed_in(agent).get(URL))

    assert str(category) in page
    assert f"?categoria={category.pk}" in page
    assert 'name="title"' not in page


@pytest.mark.demand("S0.14", "S1.9")
def test_call_becomes_a_ticket_of_its_department(agent: User, category: Category):
    response = signed_in(agent).post(URL, report(category))

    ticket = Ticket.objects.get()
    assert response.url == reverse("agents:ticket", args=[ticket.folio])
    assert (ticket.channel, ticket.category, ticket.department) == (
        Channel.PHONE,
        category,
        category.department,
    )
    assert (ticket.requester, ticket.requester_email) == (None, "lucia@example.com")
    assert (ticket.requester_name, ticket.requester_phone) == ("Lucía Fernández", "+58 212 771 9011")
    event = ticket.events.get(kind=EventKind.FILED)
    assert event.actor == agent
    message = ticket.messages.get()
    assert (message.author_name, message.from_requester) == ("Lucía Fernández", True)


@pytest.mark.demand("S2.26")
def test_ticket_is_linked_to_an_existing_account(agent: User, category: Category):
    customer = make_user(email="lucia@example.com", name="Lucía F.")

    signed_in(agent).post(URL, report(category, email="Lucia@Example.com", name="Otra"))
    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.requester_name) == (customer, "Lucía F.")


@pytest.mark.demand("S2.27")
def test_account_can_be_created_with_the_ticket(agent: User, category: Category):
    client, data = signed_in(agent), report(category, open_account="on")

    client.post(URL, data)
    client.post(URL, data)
    ticket = Ticket.objects.get()
    assert ticket.requester == User.objects.get(email="lucia@example.com")
    assert ticket.events.filter(kind=EventKind.REQUESTER).count() == 1


def test_no_ticket_is_filed_if_account_fails(agent: User, category: Category):
    """The address belongs to a deactivated account. Sent again without asking for an account, the ticket is filed."""
    make_user(email="lucia@example.com", is_active=False)
    client, data = signed_in(agent), report(category)

    refused = client.post(URL, data | {"open_account": "on"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["email"])
    assert not Ticket.objects.exists()
    assert client.post(URL, data).status_code == 302
    assert Ticket.objects.get().requester is None


def test_staff_can_file_account_processes_for_guests(agent: User):
    """S2.1 applies to customers. S2.26 stops the ticket later, until staff have linked an account."""
    category = make_process("soporte-con-aprobacion").categories.first()
    asked = {
        f"answer_{item.key}": "texto" for item in category.process.definition.intake_fields(category.key)
    }

    response = signed_in(agent).post(URL, report(category, **asked))
    assert response.status_code == 302, response.context["form"].errors
    assert Ticket.objects.get().requester is None


def test_form_posted_twice_files_one_ticket(agent: User, category: Category):
    client, data = signed_in(agent), report(category)

    first, second = client.post(URL, data), client.post(URL, data)
    assert first.url == second.url
    assert Ticket.objects.count() == 1
    assert Message.objects.count() == 1


def test_files_survive_an_error_in_the_form(agent: User, category: Category):
    client, data = signed_in(agent), report(category, title="")

    refused = client.post(URL, data | {"files": picture()})
    assert refused.status_code == 422
    assert "captura.png" in text_of(refused)
    client.post(URL, data | {"title": "La app se cierra"})
    assert [item.name for item in Ticket.objects.get().attachments.all()] == ["captura.png"]


def test_removing_a_file_keeps_the_input(agent: User, category: Category):
    client, data = signed_in(agent), report(category, title="")
    client.post(URL, data | {"files": picture()})
    file = Attachment.objects.get()

    signed_in(make_agent()).post(URL, data | {"quitar": str(file.uuid)})
    client.post(URL, data | {"quitar": "../../etc/passwd"})
    assert Attachment.objects.exists()
    page = client.post(URL, data | {"quitar": str(file.uuid)})
    assert not Attachment.objects.exists()
    assert "Abre, toca pagar y se cierra." in text_of(page)
    assert not page.context["form"].errors
    client.post(URL, data | {"title": "La app se cierra"})
    assert not Ticket.objects.get().attachments.exists()


@pytest.mark.demand("S0.11", "S1.8", "S3.8")
def test_process_limits_the_types_of_files(agent: User, category: Category):
    """As in the portal: `incidencia-tecnica` takes only images and videos, on every channel."""
    client, data = signed_in(agent), report(category)

    page = text_of(client.get(URL, {"categoria": category.pk}))
    assert "Hasta 5 archivos de 25 MB: imagen o video" in page
    refused = client.post(URL, data | {"files": SimpleUploadedFile("notas.txt", b"Lo que dijo")})
    assert refused.status_code == 422
    assert "notas.txt: Aquí no se pueden adjuntar archivos .txt." in text_of(refused)
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("field", ["email", "title", "description", "channel"])
def test_missing_field_is_reported_and_input_kept(agent: User, category: Category, field: str):
    response = signed_in(agent).post(URL, report(category, **{field: ""}))

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    if field != "description":
        assert "Abre, toca pagar y se cierra." in text_of(response)
    assert not Ticket.objects.exists()


def test_ticket_for_another_department_redirects_to_queue(agent: User, category: Category):
    """The agent who takes the call may not see tickets of that department."""
    category.department = make_department("academico")
    category.save()

    assert signed_in(agent).post(URL, report(category)).url == reverse("agents:queue")
    assert Ticket.objects.get().department == category.department


def test_account_is_refused_for_another_departments_ticket(agent: User, category: Category):
    category.department = make_department("academico")
    category.save()
    response = signed_in(agent).post(URL, report(category, open_account="on"))
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["open_account"])
    assert "Créalo sin abrir la cuenta" in text_of(response)
    assert not Ticket.objects.exists()


def test_inactive_category_and_unknown_channel_are_refused(agent: User, category: Category):
    client = signed_in(agent)
    Category.objects.filter(pk=category.pk).update(is_active=False)

    assert 'name="title"' not in text_of(client.post(URL, report(category)))
    Category.objects.filter(pk=category.pk).update(is_active=True)
    response = client.post(URL, report(category, channel="api"))
    assert list(response.context["form"].errors) == ["channel"]
    assert not Ticket.objects.exists()


def test_customers_cannot_file_for_others(category: Category):
    client = signed_in(make_user())

    assert client.get(URL).status_code == 404
    assert client.post(URL, report(category)).status_code == 404
    assert not Ticket.objects.exists()


def test_get_files_nothing(agent: User, category: Category):
    signed_in(agent).get(URL, report(category) | {"categoria": category.pk})

    assert not Ticket.objects.exists()


PLAIN_PROCESS = """
format = 1
key = "compras"
name = { es = "Compras", en = "Purchases" }
description = "Lo que haga falta comprar."
department = "soporte-tecnico"
files = { kinds = ["document"] }

[[fields]]
key = "articulo"
label = "Artículo"
required = true

[[stages]]
key = "pedido"
label = "Pedido"
kind = "new"

[[stages]]
key = "comprado"
label = "Comprado"
kind = "done"

[[actions]]
key = "comprar"
label = "Comprar"
from = ["pedido"]
to = "comprado"
by = ["staff"]
"""


@pytest.fixture
def plain() -> Process:
    make_department("soporte-tecnico")
    return publish(PLAIN_PROCESS).process


def test_process_without_categories_is_offered_and_filed(agent: User, plain: Process):
    client = signed_in(agent)
    page = text_of(client.get(URL))
    assert "?categoria=proceso-compras" in page
    assert "Lo que haga falta comprar." in page
    form = text_of(client.get(URL, {"categoria": "proceso-compras"}))
    assert 'name="answer_articulo"' in form
    assert 'value="proceso-compras"' in form
    data = {"category": "proceso-compras", "key": str(uuid.uuid4()), "channel": "phone", "email": "ana@example.com",
            "title": "Sillas", "description": "Seis."}  # fmt: skip
    refused = client.post(URL, data)
    assert refused.status_code == 422
    client.post(URL, data | {"answer_articulo": "Sillas de oficina"})
    ticket = Ticket.objects.get()
    assert (ticket.category, ticket.fields, ticket.process_version.process) == (
        None, {"articulo": "Sillas de oficina"}, plain,
    )  # fmt: skip


def test_process_with_categories_is_not_offered_whole(agent: User, category: Category, plain: Process):
    client = signed_in(agent)
    category.process.categories.update(is_active=False)
    page = text_of(client.get(URL))
    assert "proceso-incidencia-tecnica" not in page
    for choice in ("proceso-incidencia-tecnica", str(category.pk), "proceso-nada", "x"):
        assert 'name="title"' not in text_of(client.get(URL, {"categoria": choice}))


def test_choosing_costs_the_same_with_more_processes(
    agent: User, category: Category, plain: Process, django_assert_num_queries: Any
):
    client = signed_in(agent)
    client.get(URL)  # keeps the definitions in memory
    with CaptureQueriesContext(connection) as before:
        client.get(URL)
    expected = len(before)
    make_process("solicitud-guiada")
    client.get(URL)
    with django_assert_num_queries(expected):
        client.get(URL)


@pytest.mark.parametrize("key", ["roto", "x" * 3000])
def test_damaged_key_still_files_one_ticket(agent: User, category: Category, key: str):
    client = signed_in(agent)
    for _click in range(2):
        assert client.post(URL, report(category, key=key)).status_code == 302
    assert Ticket.objects.count() == 1

    assert client.post(URL, report(category, key=key, title="Otro caso")).status_code == 302
    assert Ticket.objects.count() == 2
