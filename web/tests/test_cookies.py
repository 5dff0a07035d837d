"""Over https every cookie of ours begins with «__Host-». Cookies held under a former name are still read."""

import pytest
from django.conf import settings as configured
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import PASSWORD, make_user
from tickets.enums import Purpose
from tickets.models import Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_ticket
from web.cookies import FORMER_GUEST_COOKIE, FORMER_LANGUAGE_COOKIE, FORMER_THEME_COOKIE
from web.grants import FORMER_SALT, SALT

pytestmark = pytest.mark.django_db
NAMES = (
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_NAME",
    "LANGUAGE_COOKIE_NAME",
    "DESK_THEME_COOKIE_NAME",
    "DESK_GUEST_COOKIE_NAME",
    "DESK_VISITOR_COOKIE_NAME",
    "DESK_MESSAGES_COOKIE_NAME",
)


def open_link_of(ticket: Ticket) -> str:
    return guests.issue(ticket, purpose=Purpose.FOLLOW, email=ticket.requester_email)


@pytest.fixture
def https(settings):
    """The settings of a desk that is read over https."""
    for name in (*NAMES, "DESK_BROWSER_COOKIE_NAME"):
        setattr(settings, name, f"__Host-{getattr(configured, name)}")
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = True


def test_no_cookie_lacks_the_prefix_over_https(https):
    """A person signs in, reads a message, chooses theme and language, opens a link of a guest and signs out."""
    user = make_user(email="lucia@example.com")
    secret = open_link_of(make_ticket())
    client, seen = Client(), {}

    def note(answer):
        seen.update(answer.cookies)

    note(client.get(reverse("account_login"), secure=True))
    note(client.post(reverse("set_theme"), {"theme": "dark"}, secure=True))
    note(client.post(reverse("set_language"), {"language": "en"}, secure=True))
    note(client.get(f"/enlace/{secret}/", secure=True))
    note(client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD}, secure=True))
    client.force_login(user)
    note(client.post(reverse("account_logout"), secure=True))

    assert seen.keys() >= {getattr(configured, name) for name in NAMES}
    for name, cookie in seen.items():
        assert name.startswith("__Host-")
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


def test_former_theme_and_language_are_still_read(https):
    client = Client()
    client.cookies[FORMER_THEME_COOKIE] = "dark"
    client.cookies[FORMER_LANGUAGE_COOKIE] = "en"

    page = client.get(reverse("account_login"), secure=True).content.decode()

    assert 'data-bs-theme="dark"' in page
    assert 'lang="en"' in page
    client.post(reverse("set_theme"), {"theme": "light"}, secure=True)
    assert 'data-bs-theme="light"' in client.get(reverse("account_login"), secure=True).content.decode()


def test_link_that_a_guest_opened_before_the_update_stays_open(https):
    first, second = make_ticket(), make_ticket()
    open_link_of(first)
    token = first.guest_tokens.get()
    client = Client()
    client.cookies[FORMER_GUEST_COOKIE] = signing.dumps([token.pk], salt=FORMER_SALT, compress=True)
    secret = open_link_of(second)

    assert client.get(f"/invitado/{first.folio}/", secure=True).status_code == 200
    answer = client.get(f"/enlace/{secret}/", secure=True)
    assert answer.cookies[FORMER_GUEST_COOKIE]["max-age"] == 0
    for ticket in (first, second):
        assert client.get(f"/invitado/{ticket.folio}/", secure=True).status_code == 200


def test_another_site_cannot_set_the_former_cookie(https):
    """A value of today under the former name, which a neighbour under the same domain could set, opens nothing."""
    ticket = make_ticket()
    open_link_of(ticket)
    client = Client()
    client.cookies[FORMER_GUEST_COOKIE] = signing.dumps(
        [ticket.guest_tokens.get().pk], salt=SALT, compress=True
    )

    assert client.get(f"/invitado/{ticket.folio}/", secure=True).status_code == 404


def test_signing_out_deletes_both_guest_cookies(https):
    client = Client()
    client.force_login(make_user())
    client.cookies[FORMER_GUEST_COOKIE] = client.cookies[configured.DESK_GUEST_COOKIE_NAME] = "x"

    answer = client.post(reverse("account_logout"), secure=True)

    for name in (FORMER_GUEST_COOKIE, configured.DESK_GUEST_COOKIE_NAME):
        assert answer.cookies[name]["max-age"] == 0
