"""Strangers get neither access nor information from signing up and signing in."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import get_hasher
from django.core import mail
from django.test import Client
from django.urls import reverse
from zeal import zeal_ignore

from accounts.models import User
from accounts.tests.factories import make_administrator, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "la-clave-del-extraño-2026"
VICTIM = "lucia@example.com"


def is_signed_in(client: Client) -> bool:
    with zeal_ignore([{"model": "sessions.Session"}]):  # Django queries a session again before deleting it
        return client.get(reverse("portal:profile")).status_code == 200


def sign_up(client: Client, email: str) -> None:
    data = {"email": email, "name": "Nadie", "password1": PASSWORD}
    client.post(reverse("account_signup"), data)


def test_confirming_in_the_same_browser_keeps_the_password(client, code_in_mail):
    sign_up(client, VICTIM)
    client.post(reverse("account_email_verification_sent"), {"code": code_in_mail(VICTIM)})
    assert EmailAddress.objects.get(email=VICTIM).verified
    assert User.objects.get(email=VICTIM).check_password(PASSWORD)


def test_sign_in_code_keeps_password_of_verified_address(client, code_in_mail):
    user = make_user(email=VICTIM, password=PASSWORD)
    EmailAddress.objects.create(user=user, email=VICTIM, verified=True, primary=True)
    client.post(reverse("account_request_login_code"), {"email": VICTIM})
    client.post(reverse("account_confirm_login_code"), {"code": code_in_mail(VICTIM)})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.demand("S2.27")
def test_account_created_by_staff_needs_one_code(client, code_in_mail):
    user = make_user(email=VICTIM, password=None)
    client.post(reverse("account_request_login_code"), {"email": VICTIM.title()})
    answer = client.post(reverse("account_confirm_login_code"), {"code": code_in_mail(VICTIM)})
    assert answer["Location"] == "/"
    assert client.session["_auth_user_id"] == str(user.pk)
    assert EmailAddress.objects.get(user=user, email=VICTIM).verified
    assert len(mail.outbox) == 1


def test_sign_in_code_is_void_after_address_change(client, code_in_mail):
    user = make_user(email=VICTIM, password=None)
    client.post(reverse("account_request_login_code"), {"email": VICTIM})
    code = code_in_mail(VICTIM)
    user.email = "nueva@example.com"
    user.save()
    client.post(reverse("account_confirm_login_code"), {"code": code})
    assert "_auth_user_id" not in client.session
    assert not EmailAddress.objects.filter(user=user, verified=True).exists()


def test_sign_up_refuses_look_alike_addresses(client):
    for email in ("lucia@exa\u200bmple.com", "lucia@\uff45xample.com"):
        data = {"email": email, "name": "Nadie", "password1": PASSWORD}
        assert "email" in client.post(reverse("account_signup"), data).context["form"].errors
    assert not User.objects.exists()


def test_admin_login_redirects_to_the_sign_in_page(client):
    """Only the sign-in page limits guesses and asks for the second factor, so the admin must accept no password."""
    make_administrator(email="admin@example.com", password=PASSWORD)
    data = {"username": "admin@example.com", "password": PASSWORD, "next": "/admin/"}
    answer = client.post(reverse("admin:login"), data)
    assert answer["Location"].startswith(reverse("account_login"))
    assert "_auth_user_id" not in client.session
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 302


def test_old_address_gives_no_access_after_change(client, code_in_mail, deliver):
    """Somebody else may read the old mailbox by now and must not get a code for the account."""
    user = make_user(email="antes@example.com", password=PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    reader = Client()
    reader.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert is_signed_in(reader)
    desk = Client()
    desk.force_login(make_administrator())
    page = reverse("admin:accounts_user_change", args=[user.pk])
    values = desk.get(page).context["adminform"].form.initial
    data = {name: value for name, value in values.items() if value not in (None, "", [])}
    data |= {"authenticator_set-TOTAL_FORMS": 0, "authenticator_set-INITIAL_FORMS": 0}
    assert desk.post(page, {**data, "email": "despues@example.com"}).status_code == 302

    assert not is_signed_in(reader)
    client.post(reverse("account_request_login_code"), {"email": "antes@example.com"})
    client.post(reverse("account_reset_password"), {"email": "antes@example.com"})
    client.post(reverse("account_login"), {"login": "antes@example.com", "password": PASSWORD})
    deliver()
    assert not [message for message in mail.outbox if "antes@example.com" in message.to]
    assert "_auth_user_id" not in client.session

    Client().post(reverse("account_request_login_code"), {"email": "despues@example.com"})
    assert code_in_mail("despues@example.com")


def test_changing_address_ends_only_other_sessions(client):
    user = make_user(email="antes@example.com", password=PASSWORD)
    for email in ("antes@example.com", "despues@example.com"):
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=email == user.email)
    other = Client()
    for browser in (client, other):
        browser.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("account_email"), {"email": "despues@example.com", "action_primary": ""})
    user.refresh_from_db()
    assert user.email == "despues@example.com"
    assert is_signed_in(client)
    assert not is_signed_in(other)


def test_sessions_survive_a_secret_key_change(client, settings):
    client.force_login(make_user())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "otra-clave-secreta-de-prueba"
    assert is_signed_in(client)


def test_admin_shows_no_data_to_customers(client):
    make_user(email="otra@example.com")
    client.force_login(make_user())
    for name in ("admin:index", "admin:login", "admin:accounts_user_changelist"):
        assert "otra@example.com" not in client.get(reverse(name), follow=True).content.decode()


def test_sign_up_hashes_passwords_for_existing_accounts_too(client, monkeypatch):
    """Otherwise the response time would tell strangers which addresses have an account (B26)."""
    make_user(email=VICTIM)
    hashed = []
    hasher = type(get_hasher())
    encode = hasher.encode
    monkeypatch.setattr(
        hasher, "encode", lambda self, *values, **named: hashed.append(1) or encode(self, *values, **named)
    )
    sign_up(client, "nueva@example.com")
    for_a_new_one = len(hashed)
    sign_up(Client(), VICTIM)
    assert for_a_new_one
    assert len(hashed) == 2 * for_a_new_one
