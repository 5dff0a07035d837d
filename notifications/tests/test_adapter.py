"""Account mails go through the outbox, before all others, and their text is deleted once they left."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_agent, make_user
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery, outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader():
    user = make_user(email="lucia@example.com", name="Lucía")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def ask_for_code(client, email="lucia@example.com", **headers):
    return client.post(reverse("account_request_login_code"), {"email": email}, headers=headers)


def test_login_code_is_sent_by_a_worker(client, reader, mailoutbox):
    ask_for_code(client)

    mail = OutgoingEmail.objects.get()
    assert mailoutbox == []
    assert (mail.template, mail.audience, mail.recipient) == (
        "account/email/login_code",
        "account",
        reader.email,
    )
    assert mail.is_urgent
    assert mail.event is None
    assert timezone.now() < mail.expires_at <= timezone.now() + timedelta(minutes=15)

    delivery.drain()

    [sent] = mailoutbox
    assert sent.to == [reader.email]
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
    mail.refresh_from_db()
    assert (mail.state, mail.text, mail.html) == ("sent", "", "")


def test_code_of_the_mail_signs_in(client, reader, mailoutbox):
    ask_for_code(client)
    delivery.drain()
    code = re.search(r"\b([A-Z0-9]{3,4}-[A-Z0-9]{3,4})\b", mailoutbox[0].body)
    assert code, mailoutbox[0].body

    client.post(reverse("account_confirm_login_code"), {"code": code[1]})

    assert client.session["_auth_user_id"] == str(reader.pk)


def test_account_mail_ignores_the_host_header(client, reader, settings, mailoutbox):
    settings.ALLOWED_HOSTS = ["*"]

    ask_for_code(client, host="malo.example.com")
    delivery.drain()

    [sent] = mailoutbox
    everything = sent.subject + sent.body + "".join(part.content for part in sent.alternatives)
    assert "malo.example.com" not in everything


def test_mail_is_in_the_language_of_the_page(client, reader):
    client.cookies["desk_language"] = "en"

    ask_for_code(client)

    assert OutgoingEmail.objects.get().language == "en"


def test_unknown_address_gets_no_mail(client, reader):
    ask_for_code(client, "nadie@example.com")

    assert not OutgoingEmail.objects.filter(recipient="nadie@example.com").exists()


@pytest.mark.parametrize("name", ["account_request_login_code", "account_reset_password"])
def test_unknown_address_costs_what_a_known_one_does(reader, name, monkeypatch):
    """B26: a mail is rendered and stored for both, and a worker woken."""
    nudged = []
    monkeypatch.setattr(outbox, "nudge_on_commit", nudged.append)

    def stored(email: str) -> list[str]:
        with CaptureQueriesContext(connection) as made:
            assert Client().post(reverse(name), {"email": email}).status_code == 302
        return [each["sql"] for each in made if each["sql"].startswith('INSERT INTO "notifications_outgoing')]

    known, unknown = stored(reader.email), stored("nadie@example.com")

    assert len(known) == len(unknown) == 1
    assert abs(len(known[0]) - len(unknown[0])) < 0.2 * len(known[0])
    assert len(nudged) == 2
    assert list(OutgoingEmail.objects.values_list("recipient", flat=True)) == [reader.email]


def test_password_changed_mail_never_expires(client, reader):
    client.force_login(reader)

    client.post(
        reverse("account_change_password"),
        {
            "oldpassword": "clave-de-prueba-2026",
            "password1": "otra-clave-larga-2027",
            "password2": "otra-clave-larga-2027",
        },
    )
    OutgoingEmail.objects.exclude(template="account/email/password_changed").delete()

    assert OutgoingEmail.objects.get().expires_at is None


@pytest.mark.parametrize(("make", "place"), [(make_user, "/"), (make_agent, "/agentes/")])
def test_sign_in_leads_staff_to_the_queue(client, make, place):
    user = make(email="lucia@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    user.set_password("clave-larga-2026")
    user.save()
    given = {"login": user.email, "password": "clave-larga-2026"}

    assert client.post(reverse("account_login"), given).url == place
    client.logout()
    assert client.post(reverse("account_login"), given | {"next": "/mis-tickets/"}).url == "/mis-tickets/"
