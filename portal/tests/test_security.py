"""Hostile customers and guests: nothing leaks and nothing breaks."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tickets.enums import Purpose
from tickets.models import Process, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_ticket

from .factories import DETAILS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "length"), [("title", 300_000), ("description", 2_500_000), ("answer_reserva", 300_000)]
)
def test_oversized_text_is_refused_beside_its_field(
    client: Client, guest_process: Process, field: str, length: int
):
    """No length crashes a form, and the other fields keep what was typed."""
    url = reverse("portal:report_details", args=["largo"])
    answer = client.post(url, {**DETAILS, "tipo": "prueba-invitados.pago", field: "x" * length})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {field}
    kept = "title" if field != "title" else "description"
    assert answer.context["form"][kept].value() == DETAILS[kept]


def test_oversized_reply_is_refused(process: Process, customer: User, customer_client: Client):
    ticket = make_ticket(process, requester=customer)
    answer = customer_client.post(
        reverse("portal:ticket_reply", args=[ticket.folio]), {"body": "x" * 2_500_000}
    )
    assert answer.status_code == 422
    assert "body" in answer.context["reply"].errors
    assert ticket.messages.count() == 1


def test_staff_action_reveals_no_accounts_to_customers(
    process: Process, customer: User, customer_client: Client, stranger: User
):
    """B26: a field that looks up accounts is validated only for a person who may perform the action."""
    ticket = make_ticket(process, requester=customer)
    url = reverse("portal:ticket_action", args=[ticket.folio, "seleccionar_cuenta"])
    answers = [
        customer_client.post(url, {"seleccionar_cuenta-requester": email}, follow=True)
        for email in (stranger.email, "nadie@example.com", "")
    ]
    told = {(answer.status_code, tuple(map(str, answer.context["messages"]))) for answer in answers}
    assert len(told) == 1
    ticket.refresh_from_db()
    assert ticket.requester == customer


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [("seleccionar_cuenta", "requester", "victim@example.com"), ("cancelar", "duplicate_of", "MA-77777")],
)
def test_staff_action_looks_nothing_up_for_customers(
    process: Process, customer: User, customer_client: Client, action: str, field: str, value: str
):
    """B26: a look-up takes time, so a customer could tell by the time whether the account or ticket exists."""
    ticket = make_ticket(process, requester=customer)
    url = reverse("portal:ticket_action", args=[ticket.folio, action])

    with CaptureQueriesContext(connection) as queries:
        customer_client.post(url, {f"{action}-{field}": value})

    assert [query["sql"] for query in queries if value in query["sql"]] == []


def test_signing_out_leaves_nothing_on_shared_computers(
    process: Process, guest_process: Process, customer: User, customer_client: Client
):
    """B24: the next person at the computer sees no ticket, neither with «Back» nor through a guest's link that was
    opened in this browser."""
    own = make_ticket(process, requester=customer, title="Mi diagnóstico médico")
    other = make_ticket(guest_process, guest_email="ana@example.com", title="El pago de Ana", fields=ANSWERS)
    link = guests.issue(other, purpose=Purpose.FOLLOW, email="ana@example.com")
    guest_page = reverse("portal:guest", args=[other.folio])
    customer_client.get(reverse("portal:guest_link", args=[link]))
    assert other.title in customer_client.get(guest_page).content.decode()
    for page in ("portal:ticket_list", "portal:home", "portal:profile"):
        assert "private" in customer_client.get(reverse(page))["Cache-Control"]

    answer = customer_client.post(reverse("account_logout"))

    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert own.title not in customer_client.get(reverse("portal:ticket_list"), follow=True).content.decode()
    assert other.title not in customer_client.get(guest_page, follow=True).content.decode()


def test_pages_with_a_draft_are_private(client: Client, guest_process: Process):
    """The draft holds personal data, although the visitor has no account."""
    details = reverse("portal:report_details", args=["uno"])
    assert "Cache-Control" not in client.get(reverse("portal:home")).headers
    client.post(details, {**DETAILS, "tipo": "prueba-invitados.pago"})
    for page in (details, reverse("portal:report_contact", args=["uno"])):
        assert "private" in client.get(page)["Cache-Control"]


ANSWERS = {"reserva": "RS-441720", "medio": "efectivo"}


def test_key_of_another_person_reveals_nothing(
    process: Process, customer: User, stranger: User, customer_client: Client
):
    """B41: a person who posts a key that somebody else has used learns nothing about what was done with it."""
    key = str(uuid.uuid4())
    theirs = make_ticket(process, requester=stranger, title="Lo que contó otra persona", key=key)
    mine = make_ticket(process, requester=customer)
    answer = customer_client.post(
        reverse("portal:ticket_reply", args=[mine.folio]), {"body": "hola", "key": key}, follow=True
    )
    assert theirs.title not in answer.content.decode()
    assert theirs.folio not in answer.content.decode()
    assert (mine.messages.count(), theirs.messages.count()) == (2, 1)


def test_address_limit_spares_its_signed_in_owner(process: Process, customer: User, customer_client: Client):
    """B34: the limit counts mails to an address typed without signing in. The signed-in owner of the address can still
    file."""
    contact = reverse("portal:report_contact", args=["uno"])
    for _attempt in range(12):
        Client().post(contact, {"email": customer.email})
    topic = f"{process.key}.{process.categories.first().key}"
    details = reverse("portal:report_details", args=["uno"])
    customer_client.post(details, {**DETAILS, "tipo": topic})
    customer_client.post(contact, {"email": customer.email, "phone": "+58 212 771 9011"})
    assert Ticket.objects.requested_by(customer).get().title == DETAILS["title"]


def test_head_request_answers_200_without_body(ticket: Ticket, customer_client: Client):
    for address in ("/", "/buscar/", "/nuevo/", "/tickets/", f"/tickets/{ticket.folio}/", "/perfil/"):
        head = customer_client.head(address)
        assert (head.status_code, head.content) == (200, b""), address
