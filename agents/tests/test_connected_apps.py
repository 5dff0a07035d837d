"""«Aplicaciones conectadas»: administrators connect apps and replace their secrets (S0.5)."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts import app_links
from accounts.app_links import RefusedLink
from accounts.models import AppSecret, ConnectedApp
from accounts.tests.app_tokens import App, make_app
from accounts.tests.factories import make_administrator, make_agent, make_supervisor, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.5")]
LIST = "/agentes/ajustes/aplicaciones/"
PAGE = f"{LIST}parkiapp/"


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_administrator())
    return client


def text(response: Any) -> str:
    return unescape(response.content.decode())


def test_administrator_connects_an_app_and_gets_its_secret_once(admin: Client):
    made = admin.post("/agentes/ajustes/nueva-aplicacion/", {"name": "Parkiapp", "key": "parkiapp"})
    assert made["Location"] == PAGE
    shown = admin.post(f"{PAGE}secreto/")

    secret = re.search(r'class="app-secret[^>]*><code>([\w-]{43})</code>', text(shown))[1]
    assert "no-store" in shown["Cache-Control"]
    assert app_links.read(App(ConnectedApp.objects.get(), secret).token())
    assert secret not in text(admin.get(PAGE))
    assert secret not in text(admin.get(LIST))


def test_secret_page_by_get_makes_none(admin: Client):
    """B16."""
    make_app()

    assert admin.get(f"{PAGE}secreto/")["Location"] == PAGE
    assert AppSecret.objects.count() == 1


def test_third_secret_is_refused_with_the_reason(admin: Client):
    make_app()
    admin.post(f"{PAGE}secreto/")

    answer = admin.post(f"{PAGE}secreto/", follow=True)

    assert "Ya hay dos secretos en uso" in text(answer)
    assert AppSecret.objects.count() == 2


def test_revoked_secret_signs_no_more(admin: Client):
    app = make_app()
    token = app.token()

    admin.post(f"{PAGE}secreto/{AppSecret.objects.get().pk}/revocar/")

    with pytest.raises(RefusedLink):
        app_links.read(token)
    assert "Revocado" in text(admin.get(PAGE))


def test_secret_of_another_app_is_not_revoked_from_here(admin: Client):
    """B17: both ids are checked."""
    make_app()
    make_app("otra", "Otra")
    theirs = AppSecret.objects.get(app__key="otra")

    assert admin.post(f"{PAGE}secreto/{theirs.pk}/revocar/").status_code == 404
    assert not AppSecret.objects.exclude(revoked_at=None).exists()


def test_disconnected_app_sends_nobody(admin: Client):
    app = make_app()

    admin.post(PAGE, {"name": "Parkiapp", "address": ""})

    with pytest.raises(RefusedLink):
        app_links.read(app.token())
    assert "desconectada" in text(admin.get(LIST))


def test_key_stays_what_links_say(admin: Client):
    make_app()

    admin.post(PAGE, {"name": "Nueva", "key": "otra-clave", "is_active": "on"})

    assert ConnectedApp.objects.get().key == "parkiapp"


@pytest.mark.parametrize("wrong", [{"key": "con espacios"}, {"key": ""}, {"address": "javascript:alert(1)"}])
def test_wrong_values_are_told_beside_their_field(admin: Client, wrong: dict[str, str]):
    answer = admin.post("/agentes/ajustes/nueva-aplicacion/", {"name": "Una", "key": "una"} | wrong)

    assert answer.status_code == 422
    assert f'id="id_{next(iter(wrong))}_error"' in text(answer)
    assert not ConnectedApp.objects.exists()


@pytest.mark.parametrize("make", [make_supervisor, make_agent, make_user])
def test_nobody_else_sees_or_changes_apps(make: Any):
    """B21: whoever has a secret may enter as any customer."""
    make_app()
    client = Client()
    client.force_login(make())

    for address in (LIST, PAGE, "/agentes/ajustes/nueva-aplicacion/"):
        assert client.get(address).status_code == 404
    for address in (PAGE, f"{PAGE}secreto/", f"{PAGE}secreto/{AppSecret.objects.get().pk}/revocar/"):
        assert client.post(address, {"name": "Mía"}).status_code == 404
    assert AppSecret.objects.filter(revoked_at=None).count() == 1


def test_names_of_apps_are_escaped(admin: Client):
    """B9."""
    make_app(name="<b>Parkiapp</b>")

    assert "<b>Parkiapp" not in admin.get(LIST).content.decode()
    assert "<b>Parkiapp" not in admin.get(PAGE).content.decode()


@pytest.mark.parametrize("apps", [1, 3])
def test_query_count_of_the_list_is_bounded(admin: Client, apps: int, django_assert_max_num_queries: Any):
    for number in range(apps):
        make_app(f"app-{number}", f"App {number}")

    with django_assert_max_num_queries(8):
        admin.get(LIST)
