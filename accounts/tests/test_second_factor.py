"""The second factor: codes count once, staff must set one up if the desk says so, administrators reset a lost one."""

import re
from html import unescape

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from zeal import zeal_ignore

from accounts.enums import Role
from accounts.models import User
from accounts.tests.factories import PASSWORD, make_administrator, make_agent, make_user

pytestmark = pytest.mark.django_db
QUEUE = "/agentes/"


@pytest.fixture
def required(settings):
    settings.DESK_SECOND_FACTOR_FROM = Role.AGENT


@pytest.fixture
def now():
    with time_machine.travel("2026-03-02 15:00:10+00:00", tick=False) as traveller:
        yield traveller


def code_for(user: User, *, steps: int = 0) -> str:
    """Return the code that the application of `user` shows, or showed `steps` × 30 seconds ago if negative."""
    secret = Authenticator.objects.get(user=user, type="totp").data["secret"]
    return code_of(secret, steps=steps)


def code_of(secret: str, *, steps: int = 0) -> str:
    [*_before, present, _after] = auth.yield_hotp_counters_from_time()
    return auth.format_hotp_value(auth.hotp_value(secret, present + steps))


def with_factor(user: User) -> User:
    EmailAddress.objects.get_or_create(user=user, email=user.email, verified=True, primary=True)
    auth.TOTP.activate(user, auth.generate_totp_secret())
    RecoveryCodes.activate(user)
    return user


def sign_in(user: User, code: str, client: Client | None = None) -> bool:
    client = client or Client()
    with zeal_ignore([{"model": "account.EmailAddress"}]):
        client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(reverse("mfa_authenticate"), {"code": code})
    return SESSION_KEY in client.session


# --- Codes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_code_of_the_step_before_or_after_is_accepted(now, steps, accepted):
    user = with_factor(make_agent())
    assert sign_in(user, code_for(user, steps=steps)) is accepted


@pytest.mark.parametrize("seconds", [0, 31, 59])
@pytest.mark.parametrize("cache_lost", [False, True])
def test_code_is_never_accepted_twice(now, seconds, cache_lost):
    user = with_factor(make_agent())
    code = code_for(user, steps=1)  # it stays within the tolerance for the next 59 seconds
    assert sign_in(user, code)
    now.shift(seconds)
    if cache_lost:
        cache.clear()
    assert not sign_in(user, code)


def test_code_older_than_the_last_one_is_refused(now):
    user = with_factor(make_agent())
    assert sign_in(user, code_for(user))
    assert not sign_in(user, code_for(user, steps=-1))
    assert sign_in(user, code_for(user, steps=1))


def test_recovery_code_is_accepted_once():
    user = with_factor(make_agent())
    code = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()[0]
    assert sign_in(user, code)
    assert not sign_in(user, code)


def test_code_that_activated_the_application_does_not_sign_in(client, now):
    user = make_user()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client.force_login(user)
    code = activate(client)
    assert not sign_in(user, code)


# --- Staff who must have one ------------------------------------------------------------------------------


def activate(client: Client, page: str = "") -> str:
    """Set up an application on the page that asks for it, and return the code used."""
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    shown = client.get(page or reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]*value="(\w+)"', shown)[1]
    wanted = re.search(r'name="next" value="([^"]*)">\s*<img', shown)
    code = code_of(secret)
    data = {"code": code, "next": unescape(wanted[1]) if wanted else ""}
    activate.answer = client.post(reverse("mfa_activate_totp"), data, follow=True)
    assert activate.answer.status_code == 200
    return code


@pytest.mark.parametrize(
    ("lowest", "role", "led"),
    [
        ("", Role.ADMINISTRATOR, False),
        ("administrator", Role.SUPERVISOR, False),
        ("administrator", Role.ADMINISTRATOR, True),
        ("supervisor", Role.AGENT, False),
        ("agent", Role.AGENT, True),
        ("agent", Role.CUSTOMER, False),
    ],
)
def test_setting_says_from_which_role_it_is_required(client, settings, lowest, role, led):
    settings.DESK_SECOND_FACTOR_FROM = lowest
    client.force_login(make_user(role))
    page = client.get(reverse("portal:profile"))
    assert (page.status_code == 302) is led
    if led:
        assert page["Location"] == "/cuenta/dos-pasos/aplicacion/activar/?next=/perfil/"


@pytest.mark.parametrize(
    "path",
    [
        QUEUE,
        "/agentes/tickets/MA-10001/",
        "/admin/",
        "/admin/accounts/user/",
        "/admin/login/",
        "/admin/jsi18n/",
        "/adjuntos/00000000-0000-0000-0000-000000000000/",
        "/tickets/",
        "/perfil/",
        "/cuenta/dos-pasos/recuperacion/",
        "/cuenta/dos-pasos/recuperacion/descargar/",
        "/",
    ],
)
def test_nothing_answers_staff_without_a_second_factor(client, required, path):
    client.force_login(make_administrator())
    activation = reverse("mfa_activate_totp")

    assert client.get(path)["Location"].startswith(f"{activation}?next=/")
    assert client.post(path, {"x": "y"})["Location"] == activation
    by_htmx = client.get(path, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/agentes/"})
    assert by_htmx.status_code == 403
    assert by_htmx["HX-Redirect"].startswith(activation)
    assert client.get(path, headers={"X-Requested-With": "XMLHttpRequest"}).status_code == 403


@pytest.mark.parametrize("name", ["mfa_activate_totp", "mfa_index", "account_logout", "account_email"])
def test_pages_for_setting_one_up_stay_open(client, required, name):
    client.force_login(make_agent())
    followed = client.get(reverse(name), follow=True)
    assert followed.status_code == 200
    assert followed.request["PATH_INFO"] in (reverse(name), reverse("account_reauthenticate"))


def test_person_is_led_to_set_one_up_and_back(client, required):
    user = make_agent()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client.force_login(user)
    led = client.get(f"{QUEUE}?cola=todas&p=2")
    activate(client, led["Location"])

    codes = activate.answer.content.decode()
    assert codes.count("<li>") >= 10
    assert '<a class="btn btn-ghost" href="/agentes/?cola=todas&amp;p=2">Seguir</a>' in codes
    assert client.get(QUEUE).status_code == 200


def test_page_to_go_on_to_is_one_of_ours(client, required):
    user = make_agent()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client.force_login(user)
    activate(client, reverse("mfa_activate_totp") + "?next=https://evil.example/")
    codes = activate.answer.content.decode()
    assert "Seguir</a>" not in codes
    assert 'href="https://evil' not in codes


def test_explanation_is_shown_only_to_those_who_must(client, required):
    for user, told in ((make_agent(), True), (make_user(), False)):
        client.force_login(user)
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
        page = client.get(reverse("mfa_activate_totp")).content.decode()
        assert ("Tu equipo pide un segundo paso" in page) is told


@pytest.mark.django_db(transaction=True)
def test_setting_one_up_ends_sessions_without_it(client):
    user = make_agent()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    other = Client()
    for browser in (client, other):
        browser.force_login(user)
    activate(client)
    with zeal_ignore([{"model": "sessions.Session"}]):
        assert client.get("/perfil/").status_code == 200
        assert other.get("/perfil/").status_code == 302


# --- A lost one -------------------------------------------------------------------------------------------


def test_administrator_resets_a_colleagues_second_factor(client, deliver):
    administrator, agent = make_administrator(name="Ana Admin"), with_factor(make_agent())
    other = Client()
    other.force_login(agent)
    client.force_login(administrator)
    page = reverse("admin:accounts_user_change", args=[agent.pk])
    form = client.get(page).context["adminform"].form
    data = {name: value for name in form.fields if name != "password" and (value := form[name].value())}
    lost = Authenticator.objects.get(user=agent, type="totp")
    rows = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 1, "0-id": lost.pk, "0-user": agent.pk, "0-DELETE": "on"}
    data |= {f"authenticator_set-{name}": value for name, value in rows.items()}
    data |= {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    assert client.post(page, data).status_code == 302
    deliver()

    assert not Authenticator.objects.filter(user=agent).exists()
    with zeal_ignore([{"model": "sessions.Session"}]):
        assert other.get("/perfil/").status_code == 302
    entries = LogEntry.objects.filter(user=administrator, object_id=str(agent.pk))
    assert "Quitó el segundo factor" in " ".join(entries.values_list("change_message", flat=True))
    [message] = mail.outbox
    assert message.to == [agent.email]
    assert message.subject == "Quitaron tu verificación en dos pasos"
    assert "Ana Admin la quitó y cerró tus sesiones" in message.body


def test_command_resets_the_last_administrators_second_factor(client, capsys):
    user = with_factor(make_administrator(email="admin@example.com"))
    client.force_login(user)

    call_command("reset_second_factor", "Admin@Example.com")

    assert "admin@example.com" in capsys.readouterr().out
    assert not Authenticator.objects.exists()
    with zeal_ignore([{"model": "sessions.Session"}]):
        assert client.get("/perfil/").status_code == 302
    with pytest.raises(CommandError, match="no second factor"):
        call_command("reset_second_factor", "admin@example.com")
    with pytest.raises(CommandError, match="Nobody"):
        call_command("reset_second_factor", "nadie@example.com")
