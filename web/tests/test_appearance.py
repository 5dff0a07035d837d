import pytest
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def lucia():
    return User.objects.create_user("lucia@demo.test", "x", name="Lucía Fernández")


def login_page(client) -> str:
    return client.get(reverse("account_login")).content.decode()


def test_theme_is_auto_without_a_choice(client):
    assert 'data-bs-theme="auto"' in login_page(client)


def test_visitor_theme_is_stored_in_a_cookie(client):
    answer = client.post(reverse("set_theme"), {"theme": "dark", "next": "/cuenta/entrar/"})

    assert answer.headers["Location"] == "/cuenta/entrar/"
    assert 'data-bs-theme="dark"' in login_page(client)


def test_toggle_switches_between_dark_and_light(client):
    for expected in ("dark", "light", "dark"):
        client.post(reverse("set_theme"), {"theme": "toggle"})
        assert f'data-bs-theme="{expected}"' in login_page(client)


def test_user_theme_is_stored_in_the_profile(client, lucia):
    client.force_login(lucia)
    client.post(reverse("set_theme"), {"theme": "light"})

    lucia.refresh_from_db()
    assert lucia.theme == "light"


@pytest.mark.parametrize("theme", ["", "negro", "dark; path=/"])
def test_unknown_theme_is_refused(client, theme):
    answer = client.post(reverse("set_theme"), {"theme": theme})

    assert answer.status_code == 400
    assert "desk_theme" not in answer.cookies


def test_get_changes_no_theme(client, lucia):
    client.force_login(lucia)
    answer = client.get(reverse("set_theme"), {"theme": "dark"})

    lucia.refresh_from_db()
    assert (answer.status_code, lucia.theme) == (405, "auto")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_redirect_stays_on_this_site(client, target):
    answer = client.post(reverse("set_theme"), {"theme": "dark", "next": target})

    assert answer.headers["Location"] == "/"


def test_script_gets_no_content(client):
    answer = client.post(
        reverse("set_theme"), {"theme": "dark"}, headers={"x-requested-with": "XMLHttpRequest"}
    )

    assert (answer.status_code, answer.content) == (204, b"")


def test_user_language_is_stored_in_the_profile(client, lucia):
    client.force_login(lucia)
    client.post(reverse("set_language"), {"language": "en", "next": "/"})

    lucia.refresh_from_db()
    assert lucia.language == "en"


def test_unknown_language_is_ignored(client, lucia):
    client.force_login(lucia)
    client.post(reverse("set_language"), {"language": "xx", "next": "/"})

    lucia.refresh_from_db()
    assert lucia.language == "es"
