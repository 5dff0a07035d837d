import logging
import tempfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from helpdesk import logs, middleware


def addresses(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.META['REMOTE_ADDR']} {'https' if request.is_secure() else 'http'}")


@pytest.mark.parametrize(
    ("remote", "forwarded", "expected"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9 http"),  # not a proxy: the header is forged
        ("10.0.0.1", "198.51.100.7", "198.51.100.7 https"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7 https"),  # the visitor forged the first address
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7 https"),  # two proxies of our own
        ("10.0.0.1", "", "10.0.0.1 https"),
        ("10.0.0.1", "nonsense", "nonsense https"),
        ("", "198.51.100.7", " http"),
    ],
)
def test_only_trusted_proxies_set_the_visitor_address(
    settings, rf: RequestFactory, remote, forwarded, expected
):
    settings.DESK_TRUSTED_PROXIES = ["10.0.0.0/8"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = {"X-Forwarded-Proto": "https"} | ({"X-Forwarded-For": forwarded} if forwarded else {})

    response = middleware.trusted_proxies(addresses)(rf.get("/", REMOTE_ADDR=remote, headers=headers))

    assert response.content.decode() == expected


@pytest.mark.parametrize("path", ["/healthz", "/cuenta/entrar/", "/nada/"])
def test_head_is_answered_without_a_body(rf: RequestFactory, db, path):
    """Asks the program as Gunicorn does; the test client would remove the body itself."""
    heads: dict[str, dict[str, str]] = {}

    def answer(method: str) -> bytes:
        environ = rf.generic(method, path).environ
        return b"".join(WSGIHandler()(environ, lambda _status, head, *_: heads.update({method: dict(head)})))

    body = answer("GET")

    assert answer("HEAD") == b""
    assert int(heads["HEAD"]["Content-Length"]) == len(body) > 0


def test_request_id_is_in_response_and_log(rf: RequestFactory, caplog):
    caplog.handler.addFilter(logs.RequestIdFilter())

    def view(request: HttpRequest) -> HttpResponse:
        logging.getLogger("desk").warning("inside")
        return HttpResponse()

    kept = middleware.request_id(view)(rf.get("/", headers={"X-Request-ID": "front-12345678"}))
    forged = middleware.request_id(view)(rf.get("/", headers={"X-Request-ID": 'x"; drop'}))

    assert kept["X-Request-ID"] == "front-12345678"
    assert len(forged["X-Request-ID"]) == 32
    assert [record.request_id for record in caplog.records] == ["front-12345678", forged["X-Request-ID"]]
    assert logs.request_id.get() == "-"


def test_request_id_of_a_stranger_is_replaced(client, db, settings):
    settings.DESK_TRUSTED_PROXIES = ["10.0.0.0/8"]
    given = {"X-Request-ID": "front-12345678"}

    assert client.get("/", headers=given, REMOTE_ADDR="10.0.0.1")["X-Request-ID"] == "front-12345678"
    assert client.get("/", headers=given, REMOTE_ADDR="203.0.113.9")["X-Request-ID"] != "front-12345678"


def test_request_larger_than_the_limit_is_refused_unread(settings, client, tmp_path):
    settings.DESK_MAX_REQUEST_MB = 1

    response = client.post("/", b"x" * (1024 * 1024 + 1), content_type="application/octet-stream")

    assert response.status_code == 413
    assert response.templates[0].name == "400.html"
    assert (response.context["too_much"], response.context["max_request_mb"]) == (True, 1)


@pytest.mark.parametrize("parts", ["files", "fields"])
def test_form_of_a_thousand_parts_is_refused(parts, db, client, tmp_path, monkeypatch):
    """And none of its files is kept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data = {
        f"part{number}": SimpleUploadedFile("a.txt", b"x" * 2000) if parts == "files" else "x"
        for number in range(1001)
    }

    response = client.post(reverse("account_login"), data)

    assert response.status_code == 413
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("fr-FR, fr;q=0.9", "en"),
        ("fr, *;q=0.5", "en"),
        ("*", "en"),
        ("es-VE, es;q=0.9", "es"),
        ("fr, es;q=0.1", "es"),
        ("en-GB", "en"),
    ],
)
def test_default_language_replaces_unknown_browser_languages(client, db, settings, accepted, language):
    settings.DESK_DEFAULT_LANGUAGE = "en"

    response = client.get("/", headers={"accept-language": accepted} if accepted else {})

    assert response.headers["Content-Language"] == language
    greeting = {"es": "¿Cómo podemos ayudarte?", "en": "How can we help you?"}
    assert greeting[language] in response.content.decode()


def test_language_cookie_has_priority_over_default(client, db, settings):
    settings.DESK_DEFAULT_LANGUAGE = "en"
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"

    assert client.get("/").headers["Content-Language"] == "es"


def test_pages_use_the_user_language_and_zone(rf: RequestFactory):
    seen = {}

    def view(request: HttpRequest) -> HttpResponse:
        seen.update(language=translation.get_language(), zone=timezone.get_current_timezone_name())
        return HttpResponse()

    request = rf.get("/")
    request.user = User(email="reader@example.com", language="en", time_zone="Europe/Madrid")
    with translation.override("es"):
        middleware.reader_preferences(view)(request)

    assert seen == {"language": "en", "zone": "Europe/Madrid"}
    assert timezone.get_current_timezone_name() == "America/Caracas"


@pytest.mark.parametrize(
    "path",
    [
        "/tickets/MA-1%00/",
        "/invitado/%00/",
        "/adjuntos/%00/",
        "/agentes/tickets/%00/",
        "/admin/accounts/user/?role__exact=%00",
    ],
)
def test_path_with_nul_answers_404(client, path):
    """PostgreSQL text columns reject NUL."""
    assert client.get(path).status_code == client.post(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/no-existe/", "/static/dist/portal.css", "/cuenta/entrar/", "/admin/"]
)
def test_other_sites_may_not_use_our_answers(client, db, path):
    answer = client.get(path)
    answer.close()  # a static file
    headers = answer.headers

    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("https", [True, False])
def test_browser_learns_where_to_send_reports(rf: RequestFactory, settings, https):
    settings.HTTPS = https

    headers = middleware.browser_policies(lambda request: HttpResponse())(rf.get("/")).headers

    assert headers.get("Reporting-Endpoints") == ('csp="/informes/csp/"' if https else None)


@pytest.mark.parametrize(
    ("opened", "page"),
    [
        ("/asistente/respuesta/", "/asistente/"),
        ("/ayuda/entrar/opinion/", "/ayuda/entrar/"),
        ("/buscar/falta/?q=x", "/buscar/"),
        ("/nuevo/abc/archivos/", "/nuevo/abc/"),
        ("/idioma/", "/"),
    ],
)
@pytest.mark.django_db
def test_browser_at_a_forms_address_is_led_to_the_page_above(client, opened, page):
    answer = client.get(opened, headers={"Accept": "text/html,*/*;q=0.8"})

    assert (answer.status_code, answer["Location"]) == (302, page)
    assert client.get(opened, headers={"Accept": "application/json"}).status_code == 405


@pytest.mark.django_db
def test_language_changes_after_a_refused_answer(client):
    refused = client.post("/asistente/pregunta/", {"texto": ""})
    assert refused.status_code == 422

    changed = {"language": "en", "next": "/asistente/pregunta/"}
    page = client.post("/idioma/", changed, follow=True, headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "How can I help?" in page.content.decode()
