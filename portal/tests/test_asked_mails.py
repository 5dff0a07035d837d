"""«¿Escribiste este correo?»: a mail from another address is told to the proven requester only (S3.3)."""

import pytest
from django.test import Client

from accounts.tests.factories import make_user
from tickets.enums import MailDecision, MailReason, Purpose
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.test_mails import make_mail

pytestmark = pytest.mark.django_db
SECRET = "Mi clave es https://malo.example/x y <b>otra</b>"


@pytest.fixture
def ticket():
    return make_ticket(make_process("incidencia-tecnica"))


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def text_of(response):
    return " ".join(response.content.decode().split())


def test_requester_is_asked_without_links(ticket):
    make_mail(ticket, text=SECRET)
    make_mail(ticket, subject="Suplantado", reason=MailReason.STAFF_UNPROVEN)
    make_mail(make_ticket(make_process("incidencia-tecnica")), subject="De otro ticket")

    page = text_of(signed_in(ticket.requester).get(f"/tickets/{ticket.folio}/"))

    assert "¿Escribiste este correo?" in page
    assert "otra@casa.test" in page
    assert "enlace oculto: malo.example" in page
    assert "&lt;b&gt;otra" in page
    for hidden in ("https://malo.example", "Suplantado", "De otro ticket"):
        assert hidden not in page


def test_denied_mail_is_discarded(ticket):
    mail = make_mail(ticket)
    client = signed_in(ticket.requester)
    address = f"/tickets/{ticket.folio}/correo/{mail.pk}/"

    assert client.get(address).status_code == 405
    client.post(address, {})
    mail.refresh_from_db()
    assert mail.is_held
    client.post(address, {"suyo": "no"})

    mail.refresh_from_db()
    assert (mail.decision, mail.decided_by) == (MailDecision.DENIED, ticket.requester)
    assert "ya no espera" in text_of(client.post(address, {"suyo": "si"}, follow=True))


def test_nobody_else_decides(ticket):
    mail = make_mail(ticket)
    address = f"/tickets/{ticket.folio}/correo/{mail.pk}/"

    assert signed_in(make_user()).post(address, {"suyo": "no"}).status_code == 404
    assert Client().post(address, {"suyo": "no"}).status_code == 302
    mail.refresh_from_db()
    assert mail.is_held


@pytest.mark.parametrize("purpose", [Purpose.FOLLOW, Purpose.APPROVE])
def test_guest_with_a_link_to_follow_is_asked(purpose):
    ticket = make_ticket(make_process("incidencia-tecnica"), guest_email="ana@cliente.test")
    mail = make_mail(ticket, text=SECRET)
    client = Client()
    assert "otra@casa.test" not in text_of(client.get(f"/invitado/{ticket.folio}/"))
    page = text_of(
        client.get(f"/enlace/{guests.issue(ticket, purpose=purpose, email='ana@cliente.test')}/", follow=True)
    )

    asked = purpose == Purpose.FOLLOW
    assert ("¿Escribiste este correo?" in page) == asked
    client.post(f"/invitado/{ticket.folio}/correo/{mail.pk}/", {"suyo": "no"})
    mail.refresh_from_db()
    assert mail.is_held != asked


def test_mail_of_another_ticket_cannot_be_decided(ticket):
    other = make_mail(make_ticket(make_process("incidencia-tecnica")))

    signed_in(ticket.requester).post(f"/tickets/{ticket.folio}/correo/{other.pk}/", {"suyo": "no"})

    other.refresh_from_db()
    assert other.is_held
