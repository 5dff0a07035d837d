"""Codes and tokens of links are stored only until their mail is settled, and shown nowhere."""

import json
import re
from importlib import import_module

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core import mail as sent_mail
from django.urls import reverse

from accounts.tests.factories import make_administrator, make_user
from notifications.enums import MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery, outcomes
from notifications.tests.factories import make_mail
from tickets.enums import Template
from tickets.models import Delivery, Ticket, TicketEvent
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db
CODE = "BCDF-GHJK"


def columns_with(secret: str, *models: type) -> set[str]:
    """Return the columns of all rows that contain `secret`."""
    return {
        name
        for model in models
        for row in model.objects.values()
        for name, value in row.items()
        if secret in (json.dumps(value) if isinstance(value, dict | list) else str(value))
    }


@pytest.fixture
def code(client) -> str:
    """The code of a sign-in mail that waits in the outbox."""
    user = make_user(email="lucia@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client.post(reverse("account_request_login_code"), {"email": user.email})
    found = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", OutgoingEmail.objects.get().secret_subject)
    assert found
    return found[0]


def test_waiting_code_is_only_in_the_columns_that_are_emptied(code):
    assert columns_with(code, OutgoingEmail) == set(OutgoingEmail.SECRETS)
    assert OutgoingEmail.objects.get().subject == "•••• es tu código para entrar"


def test_sent_code_is_nowhere_in_the_outbox_but_in_the_mail(code):
    delivery.drain()

    assert sent_mail.outbox[0].subject == f"{code} es tu código para entrar"
    assert columns_with(code, OutgoingEmail) == set()
    assert OutgoingEmail.objects.get().subject == "•••• es tu código para entrar"


def test_admin_does_not_show_a_waiting_code(code, client):
    client.force_login(make_administrator(email="admin@interno.example"))
    pages = [
        reverse("admin:notifications_outgoingemail_changelist"),
        reverse("admin:notifications_outgoingemail_change", args=[OutgoingEmail.objects.get().pk]),
    ]

    for page in pages:
        text = client.get(page).content.decode()
        assert "login_code" in text
        assert code not in text


def test_code_written_by_an_earlier_release_is_deleted_when_sent():
    OutgoingEmail.objects.create(
        template="account/email/login_code",
        audience="account",
        recipient="a@example.com",
        subject=f"{CODE} es tu código para entrar",
        text=CODE,
        message_id="<a@x>",
    )

    delivery.drain()

    assert sent_mail.outbox[0].subject == f"{CODE} es tu código para entrar"
    assert columns_with(CODE, OutgoingEmail) == set()


def test_link_quoted_by_a_server_is_not_stored(sink):
    mail = make_mail(
        make_ticket(make_process("incidencia-tecnica"), guest_email="i@example.com"), Template.PROGRESS
    )
    OutgoingEmail.objects.exclude(pk=mail.pk).delete()
    sink.answers_data.append(f"554 5.7.1 Spam: https://desk.example/enlace/s3cr3t_Tok-en/ {CODE}")

    delivery.drain()

    mail.refresh_from_db()
    assert mail.state == MailState.FAILED
    assert mail.last_error == "554 5.7.1 Spam: https://desk.example/enlace/…/ …"
    assert columns_with("s3cr3t", OutgoingEmail, Delivery, TicketEvent, Ticket) == set()
    assert columns_with(CODE, OutgoingEmail, Delivery) == set()


def test_migration_removes_stored_codes_and_tokens():
    common = {"audience": "account", "recipient": "a@example.com", "template": "account/email/login_code"}
    subject = f"{CODE} es tu código para entrar"
    sent = OutgoingEmail.objects.create(**common, subject=subject, state="sent", message_id="<a@x>")
    waiting = OutgoingEmail.objects.create(**common, subject=subject, text=CODE, message_id="<b@x>")
    harmless = OutgoingEmail.objects.create(
        **common, subject="Cambió tu contraseña", state="sent", message_id="<c@x>"
    )
    about_ticket = make_mail(make_ticket(title="Equipo ABCD-1234"), Template.PROGRESS)
    OutgoingEmail.objects.filter(pk=about_ticket.pk).update(
        subject="MA-1 · Equipo ABCD-1234", last_error="554 /enlace/s3cr3t/ es spam"
    )
    Delivery.objects.filter(pk=about_ticket.delivery_id).update(detail="554 /enlace/s3cr3t/ es spam")

    for _again in range(2):
        import_module("notifications.migrations.0003_forget_codes").forget(apps, None)

    for mail in (sent, waiting, harmless, about_ticket):
        mail.refresh_from_db()
    assert (sent.subject, sent.secret_subject) == ("•••• es tu código para entrar", "")
    assert (waiting.subject, waiting.text) == (sent.subject, CODE)
    assert waiting.secret_subject == subject
    assert harmless.subject == "Cambió tu contraseña"
    assert about_ticket.subject == "MA-1 · Equipo ABCD-1234"
    assert about_ticket.last_error == about_ticket.delivery.detail == "554 /enlace/…/ es spam"


@pytest.mark.parametrize("settled", [False, True])
def test_code_is_in_no_other_table_and_no_log(code, settled, caplog):
    """allauth keeps the code, encoded, in the session that asked for it: no other session may use it."""
    with caplog.at_level("DEBUG"):
        if settled:
            delivery.drain()
        else:
            outcomes.claim(10)
            outcomes.sweep()

    found = columns_with(code, *(set(apps.get_models()) - {OutgoingEmail}))
    assert found == set()
    assert code not in caplog.text


def test_token_of_a_guests_link_is_in_no_table_and_no_log(caplog, mailoutbox):
    ticket = make_ticket(make_process("incidencia-tecnica"), guest_email="i@example.com")
    with caplog.at_level("DEBUG"):
        delivery.drain()

    texts = [message.body for message in mailoutbox if message.to == [ticket.requester_email]]
    [token] = set(re.findall(r"/enlace/([\w-]{20,})/", texts[0]))
    assert columns_with(token, *apps.get_models()) == set()
    assert token not in caplog.text
