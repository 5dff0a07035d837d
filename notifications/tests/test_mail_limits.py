"""How many account mails somebody can cause, to one address and from one network."""

import re

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import PASSWORD, make_user
from notifications.models import OutgoingEmail

pytestmark = pytest.mark.django_db
HOME, STRANGER = "198.51.100.7", "203.0.113.9"
VICTIM = "lucia@example.com"


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel("2026-03-02 15:00:30+00:00", tick=True) as traveller:
        yield traveller


@pytest.fixture
def user() -> User:
    user = make_user(email=VICTIM)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def sign_up(client: Client, email: str):
    data = {"email": email, "name": "Nadie", "password1": "una-clave-larga-2026"}
    return client.post(reverse("account_signup"), data)


def ask_for_code(client: Client, email: str):
    return client.post(reverse("account_request_login_code"), {"email": email})


def ask_for_password(client: Client, email: str):
    return client.post(reverse("account_reset_password"), {"email": email})


WAYS = [sign_up, ask_for_code, ask_for_password]


def mails(to: str = VICTIM) -> int:
    return OutgoingEmail.objects.filter(recipient=to).count()


def told(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def hit(ask, email: str, *, address: str = STRANGER, now=None):
    if now:
        now.shift(11)  # allauth sends one code in ten seconds
    return ask(Client(REMOTE_ADDR=address), email)


@pytest.mark.parametrize("ask", WAYS)
def test_stranger_causes_four_mails_an_hour_to_one_address(user, now, ask):
    for _attempt in range(9):
        answer = hit(ask, VICTIM, now=now)
    assert mails() == 4
    assert "Ya enviamos varios correos a esta dirección" in told(answer)
    assert re.search(r"Vuelve a intentar en \d\d minutos\.", told(answer))


def test_ways_of_causing_a_mail_share_the_count(user, now):
    for number in range(9):
        hit(WAYS[number % 3], VICTIM, now=now)
    assert mails() == 4


def test_strangers_of_all_networks_share_a_count(user, now):
    for number in range(20):
        hit(ask_for_code, VICTIM, address=f"203.0.113.{number}", now=now)
    assert mails() == 12


def test_network_causes_forty_mails_an_hour(now):
    for number in range(60):
        answer = hit(sign_up, f"nadie{number}@example.com", now=now)
        if OutgoingEmail.objects.count() >= 40 and answer.status_code == 200:
            break
    assert OutgoingEmail.objects.count() == 40
    assert "Pediste demasiados correos desde tu red." in told(answer)
    assert User.objects.count() == 40


def test_subaddresses_are_one_mailbox(now):
    for number in range(9):
        hit(sign_up, f"ana+{number}@example.com", now=now)
    assert OutgoingEmail.objects.count() == 4


def test_answer_does_not_tell_whether_the_address_has_an_account(user, now):
    def last(email: str) -> str:
        for _attempt in range(5):
            answer = hit(ask_for_code, email, now=now)
        return re.sub(r"\d+ minutos", "", told(answer)).replace(email, "")

    assert last(VICTIM) == last("nadie@example.com")


def test_known_browser_still_gets_a_code(user, now):
    own = Client(REMOTE_ADDR=HOME)
    own.post(reverse("account_login"), {"login": VICTIM, "password": PASSWORD})
    own.post(reverse("account_logout"))
    for number in range(20):
        hit(ask_for_code, VICTIM, address=f"203.0.113.{number}", now=now)
    before = mails()
    now.shift(11)
    own.defaults["REMOTE_ADDR"] = STRANGER
    assert ask_for_code(own, VICTIM).status_code == 302
    assert mails() == before + 1


def test_mistyped_forms_cost_nothing(user, now):
    for _attempt in range(8):
        Client(REMOTE_ADDR=STRANGER).post(
            reverse("account_signup"), {"email": "nueva@example.com", "password1": "x"}
        )
    hit(sign_up, "nueva@example.com", now=now)
    assert mails("nueva@example.com") == 1


def test_added_addresses_cause_eight_mails_an_hour(user, now):
    client = Client(REMOTE_ADDR=HOME)
    client.force_login(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    for number in range(12):
        now.shift(11)
        client.post(reverse("account_email"), {"action_add": "", "email": f"otra{number}@example.com"})
    assert OutgoingEmail.objects.filter(recipient__startswith="otra").count() <= 8


def test_resending_is_bounded(user, now):
    client = Client(REMOTE_ADDR=STRANGER)
    ask_for_code(client, VICTIM)
    for _attempt in range(10):
        now.shift(11)
        client.post(reverse("account_confirm_login_code"), {"action": "resend"})
    assert mails() == 3
