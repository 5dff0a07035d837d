"""The desk has one address. A forged Host header opens no other page, raises no limit and reaches no mail."""

import logging
import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import make_user
from helpdesk import logs
from notifications.outgoing.delivery import drain

pytestmark = pytest.mark.django_db

BASE = "https://ayuda.example.com"
FOREIGN = [
    "malo.example",
    "ayuda.example.com.malo.example",
    "malo.example:443",
    "a b",
    "[::",
    "x\x1b[2J",
    "a@b",
    "*",
]


@pytest.fixture
def one_host(settings):
    settings.DESK_BASE_URL = BASE
    settings.ALLOWED_HOSTS = ["ayuda.example.com", "viejo.example.com"]
    settings.DESK_ONE_HOST = True


def get(client: Client, host: str, path: str = "/", **more):
    return client.get(path, headers={"host": host}, **more)


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize(
    "path", ["/", "/cuenta/entrar/", "/no-existe/", "/static/dist/portal.css", "/admin/"]
)
def test_foreign_host_gets_a_plain_400_in_each_language(one_host, client, host, path, caplog):
    for language, words in {"es": "Revisa la dirección", "en": "Check the address"}.items():
        answer = client.get(path, headers={"host": host, "accept-language": language})

        assert answer.status_code == 400
        assert answer["Content-Type"].startswith("text/plain")
        assert words in answer.content.decode()
        assert host.encode() not in answer.content
    assert [record.exc_info for record in caplog.records] == [None] * len(caplog.records)


@pytest.mark.parametrize(
    "written",
    [
        "ayuda.example.com",
        "AYUDA.Example.COM",
        "ayuda.example.com.",
        "ayuda.example.com:8443",
        "Ayuda.example.com.:1",
    ],
)
def test_every_way_to_write_our_host_is_the_base_url(one_host, client, written):
    answer = get(client, written)

    assert answer.status_code == 200
    assert answer.wsgi_request.get_host() == "ayuda.example.com"
    assert answer.wsgi_request.build_absolute_uri("/x/?y=1") == f"{BASE}/x/?y=1"


def test_other_names_of_the_desk_lead_to_the_base_url(one_host, client):
    answer = get(client, "viejo.example.com:8080", "/buscar/?q=a%20b")

    assert (answer.status_code, answer["Location"]) == (301, f"{BASE}/buscar/?q=a%20b")
    assert get(client, "viejo.example.com", "//malo.example/")["Location"].startswith(f"{BASE}/")


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:8001", "[::1]:8000", "LOCALHOST"])
def test_embedded_size_answers_on_every_port(client, settings, host):
    """`runserver 8001`, an SSH tunnel: forms carry an Origin with the port that the browser uses."""
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
    browser = Client(enforce_csrf_checks=True, headers={"host": host, "origin": f"http://{host.lower()}"})
    page = browser.get("/cuenta/entrar/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())[1]

    answer = browser.post(reverse("set_theme"), {"theme": "dark", "csrfmiddlewaretoken": token, "next": "/"})

    assert (page.status_code, answer.status_code, answer["Location"]) == (200, 302, "/")


@pytest.mark.parametrize("one", [True, False])
def test_limit_of_wrong_passwords_ignores_how_the_host_is_written(client, settings, one):
    settings.DESK_BASE_URL, settings.DESK_ONE_HOST = "http://testserver", one
    user = make_user(email="lucia@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    hosts = ["testserver", "TESTSERVER", "testserver.", *(f"testserver:{port}" for port in range(8000, 8010))]
    refused = []
    for number, host in enumerate(hosts):
        answer = client.post(
            reverse("account_login"),
            {"login": user.email, "password": f"equivocada {number}"},
            headers={"host": host},
            REMOTE_ADDR="198.51.100.7",
        )
        text = answer.content.decode()
        refused.append("demasiados intentos" in text)

    assert refused[:5] == [False] * 5
    assert all(refused[6:]), refused


@pytest.mark.parametrize("host", ["testserver:1337", "TESTSERVER", "testserver.:1337"])
def test_forged_port_reaches_no_mail(client, settings, host):
    settings.DESK_BASE_URL = BASE
    user = make_user(email="lucia@example.com", name="Lucía")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    fields = {"name": "Lucía", "password1": "una-clave-larga-2026", "email": user.email}
    for name in ("account_signup", "account_reset_password", "account_request_login_code"):
        Client().post(reverse(name), fields, headers={"host": host})
    drain()

    assert len(mail.outbox) == 3
    for message in mail.outbox:
        everything = message.body + "".join(part.content for part in message.alternatives)
        links = re.findall(r"https?://[^\s\"'<>)]+", everything)
        assert {link for link in links if "example.com" not in link and "w3.org" not in link} == set()
        assert "1337" not in everything
        assert "testserver" not in everything.lower()


def test_refused_request_leaves_no_traceback(client, settings, caplog):
    """Not only an unknown host: whatever Django refuses is one line in the log."""
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    caplog.handler.addFilter(logs.RefusalFilter())

    with caplog.at_level(logging.INFO):
        assert client.post(reverse("account_login"), {f"f{n}": "" for n in range(10)}).status_code == 413
        assert get(client, "malo.example").status_code == 400

    assert caplog.records
    assert [record.exc_info for record in caplog.records] == [None] * len(caplog.records)
