"""Mails and delivery reports from the provider that sends our mail (S0.7)."""

import base64
import json

import pytest
from django.test import Client
from django.urls import clear_url_caches, include, path

from notifications.incoming import webhooks
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery
from notifications.tests.mails import make_raw
from tickets.enums import DeliveryState, MailVerdict
from tickets.models import Delivery, IncomingEmail
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db

SECRET = "proveedor:una-clave-larga"
KNOWN = {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(SECRET.encode()).decode()}


@pytest.fixture
def postmark(settings, monkeypatch):
    settings.MAIL_PROVIDER = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    monkeypatch.setattr("notifications.tests.test_webhooks.urlpatterns", pages(), raising=False)
    settings.ROOT_URLCONF = "notifications.tests.test_webhooks"
    clear_url_caches()
    yield Client()
    clear_url_caches()


urlpatterns: list = []


def pages() -> list:
    return [path("anymail/", include((webhooks.patterns(), "anymail")))]


def send(client: Client, kind: str, data: dict, **headers: str):
    return client.post(f"/anymail/postmark/{kind}/", json.dumps(data), "application/json", **headers)


def mail_of(**fields: object) -> dict:
    """Return a mail as Postmark sends it."""
    return {
        "FromFull": {"Email": "ana@cliente.test", "Name": "Ana"},
        "ToFull": [{"Email": "soporte@mesadeayuda.test", "Name": ""}],
        "From": "ana@cliente.test",
        "To": "soporte@mesadeayuda.test",
        "OriginalRecipient": "soporte@mesadeayuda.test",
        "Subject": "No abre",
        "MessageID": "1",
        "TextBody": "La barrera no abre.",
        "Headers": [{"Name": "Message-ID", "Value": "<uno@cliente.test>"}],
        "Attachments": [],
        **fields,
    }


def test_mail_of_the_provider_becomes_a_ticket_once(postmark):
    make_process("incidencia-tecnica")

    answers = [send(postmark, "inbound", mail_of(), **KNOWN).status_code for _time in range(2)]

    assert answers == [200, 200]
    mail = IncomingEmail.objects.get()
    assert (mail.verdict, mail.message.body) == (MailVerdict.TICKET, "La barrera no abre.")


def test_raw_mail_of_more_than_four_megabytes_arrives(postmark):
    make_process("incidencia-tecnica")
    raw = make_raw("x " * 3_000_000, subject="Largo")

    answer = send(postmark, "inbound", mail_of(RawEmail=raw.decode()), **KNOWN)

    assert answer.status_code == 200
    assert IncomingEmail.objects.get().subject == "Largo"


@pytest.mark.parametrize("headers", [{}, {"HTTP_AUTHORIZATION": "Basic eDp5"}])
def test_stranger_without_the_secret_is_refused(postmark, headers):
    assert send(postmark, "inbound", mail_of(), **headers).status_code == 400
    assert not IncomingEmail.objects.exists()


def test_bounce_is_noted_on_the_delivery(postmark):
    make_ticket(make_process("incidencia-tecnica"), guest_email="ana@cliente.test")
    delivery.drain()
    mail = OutgoingEmail.objects.get(recipient="ana@cliente.test")
    event = {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "TypeCode": 1,
        "Email": "ana@cliente.test",
        "BouncedAt": "2026-11-28T10:00:00Z",
        "MessageID": "1",
        "ID": 1,
        "Description": "Unknown user",
        "Details": "550 no such user",
        "Metadata": {"mail": str(mail.pk)},
    }

    assert send(postmark, "tracking", event, **KNOWN).status_code == 200

    row = Delivery.objects.get(pk=mail.delivery_id)
    assert row.state == DeliveryState.BOUNCED
    assert "no such user" in row.detail


def test_report_that_names_the_mail_of_another_recipient_changes_nothing(postmark):
    make_ticket(make_process("incidencia-tecnica"), guest_email="ana@cliente.test")
    delivery.drain()
    mail = OutgoingEmail.objects.get(recipient="ana@cliente.test")
    event = {
        "RecordType": "Delivery",
        "Recipient": "x@otro.test",
        "MessageID": "1",
        "Metadata": {"mail": str(mail.pk)},
    }

    send(postmark, "tracking", event, **KNOWN)

    assert Delivery.objects.get(pk=mail.delivery_id).state == DeliveryState.SENT


def test_provider_without_secret_has_no_pages(settings):
    settings.MAIL_PROVIDER, settings.ANYMAIL = "postmark", {}

    assert webhooks.patterns() == []
