"""Hostile customers and guests: every test holds something that could leak or break."""

import uuid

import pytest
from django.test import Client
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
def test_a_text_beyond_any_measure_is_refused_beside_its_field(
    client: Client, guest_process: Process, field: str, length: int
):
    """Issue §6: no length crashes a form, and the rest of what was typed is still there."""
    url = reverse("portal:report_details", args=["largo"])
    answer = client.post(url, {**DETAILS, "tipo": "prueba-invitados.pago", field: "x" * length})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {field}
    kept = "title" if field != "title" else "description"
    assert answer.context["form"][kept].value() == DETAILS[kept]


def test_a_reply_beyond_any_measure_is_refused(process: Process, customer: User, customer_client: Client):
    ticket = make_ticket(process, requester=customer)
    answer = customer_client.post(
        reverse("portal:ticket_reply", args=[ticket.folio]), {"body": "x" * 2_500_000}
    )
    assert answer.status_code == 422
    assert "body" in answer.context["reply"].errors
    assert ticket.messages.count() == 1


def test_an_action_of_the_desk_tells_a_customer_nothing_about_accounts(
    process: Process, customer: User, customer_client: Client, stranger: User
):
    """B26: the field that looks an account up answers only whom the action is offered to."""
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


def test_signing_out_leaves_nothing_on_a_shared_machine(
    process: Process, guest_process: Process, customer: User, customer_client: Client
):
    """B24: neither «Back» nor a guest's link that was open in the same browser shows a ticket to the next person."""
    own = make_ticket(process, requester=customer, title="Mi diagnóstico médico")
    other = make_ticket(guest_process, guest_email="ana@example.com", title="El pago de Ana", fields=ANSWERS)
    link = guests.issue(other, purpose=Purpose.FOLLOW, email="ana@example.com")
    guest_page = reverse("portal:guest", args=[other.folio])
    customer_client.get(reverse("portal:guest_link", args=[link]))
    assert other.title in customer_client.get(guest_page).content.decode()
    for page in ("portal:ticket_list", "portal:home", "portal:profile"):
        assert "private" in customer_client.get(reverse(page))["Cache-Control"]

    answer = customer_client.post(reverse("account_logout"))

    assert answer["Clear-Site-Data"] == '"cache"'
    assert own.title not in customer_client.get(reverse("portal:ticket_list"), follow=True).content.decode()
    assert other.title not in customer_client.get(guest_page, follow=True).content.decode()


def test_what_a_stranger_has_begun_to_write_is_in_nobody_elses_cache(client: Client, guest_process: Process):
    """There is no account yet, but there is a name, an address and a story."""
    details = reverse("portal:report_details", args=["uno"])
    assert "Cache-Control" not in client.get(reverse("portal:home")).headers
    client.post(details, {**DETAILS, "tipo": "prueba-invitados.pago"})
    for page in (details, reverse("portal:report_contact", args=["uno"])):
        assert "private" in client.get(page)["Cache-Control"]


ANSWERS = {"reserva": "RS-441720", "medio": "efectivo"}


def test_another_persons_idempotency_key_neither_shows_nor_does_anything(
    process: Process, customer: User, stranger: User, customer_client: Client
):
    """B41 turned round: a key that was used by somebody else opens no way to what they did."""
    key = str(uuid.uuid4())
    theirs = make_ticket(process, requester=stranger, title="Lo que contó otra persona", key=key)
    mine = make_ticket(process, requester=customer)
    answer = customer_client.post(
        reverse("portal:ticket_reply", args=[mine.folio]), {"body": "hola", "key": key}, follow=True
    )
    assert theirs.title not in answer.content.decode()
    assert theirs.folio not in answer.content.decode()
    assert (mine.messages.count(), theirs.messages.count()) == (2, 1)


def test_strangers_who_use_up_an_address_do_not_silence_its_owner(
    process: Process, customer: User, customer_client: Client
):
    """B34: mail to an address is limited, not the person who signed in with it."""
    contact = reverse("portal:report_contact", args=["uno"])
    for _attempt in range(12):
        Client().post(contact, {"email": customer.email})
    topic = f"{process.key}.{process.categories.first().key}"
    details = reverse("portal:report_details", args=["uno"])
    customer_client.post(details, {**DETAILS, "tipo": topic})
    customer_client.post(contact, {"email": customer.email, "phone": "+58 212 771 9011"})
    assert Ticket.objects.requested_by(customer).get().title == DETAILS["title"]


def test_asking_for_the_headers_alone_answers_like_asking_for_the_page(
    ticket: Ticket, customer_client: Client
):
    for address in ("/", "/buscar/", "/nuevo/", "/tickets/", f"/tickets/{ticket.folio}/", "/perfil/"):
        head = customer_client.head(address)
        assert (head.status_code, head.content) == (200, b""), address
