"""Strangers' wrong guesses hold up strangers, and never a person where they have signed in before."""

import re

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import reverse
from zeal import zeal_ignore

from accounts import known_networks
from accounts.models import KnownNetwork, User
from accounts.tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
HOME, OFFICE, STRANGER = "198.51.100.7", "192.0.2.1", "203.0.113.9"


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel("2026-03-02 15:00:30+00:00", tick=False) as traveller:
        yield traveller


@pytest.fixture
def user() -> User:
    user = make_user(email="lucia@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def browser(address: str = STRANGER) -> Client:
    return Client(REMOTE_ADDR=address)


def sign_in(client: Client, email: str, password: str = PASSWORD):
    with zeal_ignore([{"model": "account.EmailAddress"}]):
        return client.post(reverse("account_login"), {"login": email, "password": password})


def signs_in(client: Client, user: User) -> bool:
    sign_in(client, user.email)
    return SESSION_KEY in client.session


def told(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def lock(user_email: str, *, networks: int = 1, each: int = 6) -> None:
    for number in range(networks):
        for _attempt in range(each):
            sign_in(browser(f"203.0.113.{number}"), user_email, "equivocada")


def test_stranger_is_limited_per_account_and_told_why(user):
    client = browser()
    answers = [told(sign_in(client, user.email, "equivocada")) for _attempt in range(6)]

    assert "no coinciden" in answers[4]
    assert (
        "Hubo demasiados intentos fallidos con este correo. Espera 5 minutos, o entra con un código"
        in answers[5]
    )
    assert "Recibir un código por correo" in answers[5]
    assert not signs_in(client, user)


def test_refusal_is_the_same_without_an_account(user):
    for email in (user.email, "nadie@example.com"):
        client = browser(STRANGER if email == user.email else OFFICE)
        last = [told(sign_in(client, email, "equivocada")) for _attempt in range(6)][-1]
        assert "Hubo demasiados intentos fallidos con este correo." in last


def test_known_browser_passes_while_strangers_guess(user):
    own = browser(HOME)
    assert signs_in(own, user)
    own.post(reverse("account_logout"))
    KnownNetwork.objects.all().delete()  # only the browser is known
    own.defaults["REMOTE_ADDR"] = STRANGER  # even beside the stranger

    lock(user.email, networks=8)
    lock(user.email, each=6)

    assert signs_in(own, user)
    assert not signs_in(browser(OFFICE), user)


def test_known_network_passes_while_strangers_guess(user):
    assert signs_in(browser(HOME), user)
    lock(user.email, networks=8)
    assert signs_in(browser(HOME), user)


def test_strangers_together_are_limited_per_account(user):
    lock(user.email, networks=6, each=5)
    assert not signs_in(browser(OFFICE), user)


def test_limit_per_account_ends_with_its_window(user, now):
    lock(user.email, networks=6, each=5)
    now.shift(3600)
    assert signs_in(browser(OFFICE), user)


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
    ],
)
def test_network_is_an_ipv6_64(user, first, second, shared):
    for _attempt in range(5):
        sign_in(browser(first), user.email, "equivocada")
    assert signs_in(browser(second), user) is not shared


def test_network_is_limited_over_many_accounts(user):
    for number in range(10):
        sign_in(browser(), f"nadie{number}@example.com", "equivocada")
    answer = told(sign_in(browser(), user.email))
    assert "Hubo demasiados intentos fallidos desde tu red. Espera 1 minuto" in answer


def test_host_and_port_do_not_make_another_count(user):
    for number in range(5):
        client = Client(REMOTE_ADDR=STRANGER, SERVER_NAME="localhost", SERVER_PORT=str(8000 + number))
        sign_in(client, user.email, "equivocada")
    assert not signs_in(Client(REMOTE_ADDR=STRANGER, SERVER_NAME="localhost", SERVER_PORT="9000"), user)


def test_known_browser_is_limited_too(user):
    own = browser(HOME)
    assert signs_in(own, user)
    own.post(reverse("account_logout"))
    answers = [told(sign_in(own, user.email, "equivocada")) for _attempt in range(11)]
    assert "no coinciden" in answers[9]
    assert "Hubo demasiados intentos" in answers[10]


def test_right_passwords_cost_nothing(user):
    client = browser()
    for _attempt in range(12):
        assert signs_in(client, user)
        client.post(reverse("account_logout"))


def test_cookie_of_another_person_helps_nobody(user):
    attacker = make_user(email="otra@example.com")
    EmailAddress.objects.create(user=attacker, email=attacker.email, verified=True, primary=True)
    client = browser()
    assert signs_in(client, attacker)
    client.post(reverse("account_logout"))
    for _attempt in range(6):
        answer = sign_in(client, user.email, "equivocada")
    assert "Hubo demasiados intentos" in told(answer)


@pytest.mark.parametrize("value", ["", "x", "{}:1:abc", "a" * 5000])
def test_forged_cookie_is_ignored(user, value):
    client = browser()
    client.cookies[settings.DESK_BROWSER_COOKIE_NAME] = value
    for _attempt in range(6):
        answer = sign_in(client, user.email, "equivocada")
    assert "Hubo demasiados intentos" in told(answer)


def test_cookie_is_for_the_server_alone(user):
    client = browser(HOME)
    signs_in(client, user)
    cookie = client.cookies[settings.DESK_BROWSER_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert int(cookie["max-age"]) == 365 * 24 * 3600


def test_many_people_at_one_browser_keep_the_cookie_small():
    client = browser(HOME)
    for number in range(14):
        client.defaults["REMOTE_ADDR"] = f"198.51.100.{number}"
        user = make_user()
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        assert signs_in(client, user)
        client.post(reverse("account_logout"))
    assert len(client.cookies[settings.DESK_BROWSER_COOKIE_NAME].value) < 1000


def test_networks_are_forgotten_after_ninety_days(user, now):
    known_networks.remember(user, HOME)
    now.shift(91 * 24 * 3600)
    assert not known_networks.is_known(user, HOME)
    known_networks.remember(user, OFFICE)
    assert KnownNetwork.objects.count() == 1
    assert HOME not in str(KnownNetwork.objects.values().get())


def test_strangers_wrong_codes_do_not_lock_the_second_factor(user):
    secret = auth.generate_totp_secret()
    auth.TOTP.activate(user, secret)

    def enter(client: Client, code: str) -> bool:
        sign_in(client, user.email)
        client.post(reverse("mfa_authenticate"), {"code": code})
        return SESSION_KEY in client.session

    def code(step: int) -> str:
        return auth.format_hotp_value(
            auth.hotp_value(secret, list(auth.yield_hotp_counters_from_time())[step])
        )

    own = browser(HOME)
    assert enter(own, code(0))
    own.post(reverse("account_logout"))
    for number in range(7):
        for _attempt in range(5):
            assert not enter(browser(f"203.0.113.{number}"), "000000")

    assert not enter(browser(OFFICE), code(1))
    assert enter(own, code(1))


def test_wrong_passwords_of_strangers_do_not_stop_a_signed_in_person(user):
    client = browser(HOME)
    client.force_login(user)
    lock(user.email, networks=8)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("account_change_password"))
    assert page.status_code == 200
