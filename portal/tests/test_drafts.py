"""Drafts of a report: kept between steps, after the session's end and while signing in."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import PASSWORD
from portal import drafts
from tickets.models import Process, Ticket

from .factories import DETAILS, png, signed_in
from .guide import PAGO, PLATAFORMA, S2, Guide, hidden

pytestmark = pytest.mark.django_db


def test_going_back_to_the_type_keeps_the_details(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)

    answer = guide.fill({"title": "A medias"}, ir="tipo")

    assert answer["Location"] == f"/nuevo/{guide.id}/"
    assert "A medias" in guide.page(f"{guide.details}?tipo=prueba-invitados.tramite")


def test_going_back_to_the_details_keeps_the_contact(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)

    assert guide.send(email="a medias", phone="12", ir="detalles")["Location"] == guide.details
    assert DETAILS["title"] in guide.page(guide.details)
    assert 'value="a medias"' in guide.page(guide.contact)


def test_draft_is_saved_while_typing(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    carry = hidden(guide.drawn, "carry")

    kept = client.post(f"/nuevo/{guide.id}/borrador/", {"tipo": PAGO, "carry": carry, "title": "A med"})

    assert kept.status_code == 204
    assert 'value="A med"' in guide.page(guide.details)


def test_draft_survives_the_end_of_the_session(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS, files=[png("foto.png")])
    carry = hidden(guide.page(guide.contact), "carry")
    client.cookies.clear()
    Session.objects.all().delete()

    guide.send(email="ana@example.com", carry=carry)

    ticket = Ticket.objects.get()
    assert ticket.title == DETAILS["title"]
    assert ticket.fields["reserva"] == "RS-441720"
    assert [file.name for file in ticket.attachments.all()] == ["foto.png"]


def test_expired_altered_or_foreign_carry_is_ignored(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)
    carry = hidden(guide.page(guide.contact), "carry")
    client.cookies.clear()

    altered = client.post(guide.contact, {"email": "ana@example.com", "carry": carry[:-4] + "AAAA"})
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        old = client.post(guide.contact, {"email": "ana@example.com", "carry": carry})
    elsewhere = client.post("/nuevo/otro-borrador/contacto/", {"email": "ana@example.com", "carry": carry})

    assert {altered["Location"], old["Location"], elsewhere["Location"]} == {reverse("portal:report")}
    assert not Ticket.objects.exists()


@pytest.mark.demand("S2.1")
def test_process_that_needs_an_account_asks_sign_in(client: Client, process: Process):
    guide = Guide(client, PLATAFORMA)

    assert "Entra a tu cuenta para seguir" in guide.drawn
    assert f"/cuenta/entrar/?next=/nuevo/{guide.id}/detalles/" in unescape(guide.drawn).replace("%2F", "/")
    guide.fill(S2)
    guide.send(email="ana@example.com")
    assert not Ticket.objects.exists()


@pytest.mark.demand("S2.1")
def test_draft_and_files_survive_signing_in(client: Client, process: Process, customer: User):
    """The details are posted without a session; after signing in they are still there, with their file."""
    EmailAddress.objects.create(user=customer, email=customer.email, verified=True, primary=True)
    guide = Guide(client, PLATAFORMA)
    assert guide.fill(S2, files=[png("foto.png")])["Location"] == guide.contact
    asked = unescape(guide.page(guide.contact))
    assert "Guardamos lo que escribiste." in asked
    sign_in = re.search(r'href="(/cuenta/entrar/\?next=[^"]+)"', asked)[1]

    signed = client.post(sign_in, {"login": customer.email, "password": PASSWORD, "next": guide.contact})
    assert signed["Location"] == guide.contact
    page = guide.page(guide.contact)
    assert "No puedo entrar" in page
    assert "foto.png" in page
    guide.send(email=customer.email, seen="1", notify="on")

    ticket = Ticket.objects.get()
    assert ticket.requester == customer
    assert [(file.name, file.uploader) for file in ticket.attachments.all()] == [("foto.png", customer)]


def test_draft_of_another_account_is_ignored(customer_client: Client, process: Process, stranger: User):
    guide = Guide(customer_client, PLATAFORMA)
    guide.fill(S2)
    carry = hidden(guide.page(guide.contact), "carry")

    answer = signed_in(stranger).post(guide.contact, {"email": "", "carry": carry, "seen": "1"})

    assert answer["Location"] == reverse("portal:report")
    assert not Ticket.objects.exists()


def test_browser_keeps_only_the_newest_drafts(client: Client, guest_process: Process):
    guides = [Guide(client, PAGO) for _number in range(drafts.KEPT + 1)]
    for guide in guides:
        guide.fill(DETAILS)

    assert len(client.session[drafts.SESSION_KEY]) == drafts.KEPT
    assert client.get(guides[0].contact)["Location"] == reverse("portal:report")
    assert client.get(guides[-1].contact).status_code == 200
