from html import unescape
from io import BytesIO

import pytest
from django.template.loader import get_template
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db


def test_404_page_uses_the_portal_style(client):
    answer = client.get("/no-existe/")
    html = answer.content.decode()

    assert answer.status_code == 404
    assert "No encontramos esa página" in html
    assert "/static/dist/portal.css" in html


def test_csrf_page_offers_to_go_back():
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/cuenta/entrar/", {"login": "x", "password": "y"})
    html = answer.content.decode()

    assert answer.status_code == 403
    assert "La página había vencido" in html
    assert 'data-behaviour="go-back"' in html


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429"])
def test_error_page_needs_no_queries(name, rf, django_assert_num_queries):
    request = rf.get("/")
    request.user = User(name="Lucía Fernández", email="lucia@demo.test")
    with django_assert_num_queries(0):
        html = get_template(f"{name}.html").render({"desk": {"name": "Mesa"}, "user": request.user}, request)

    assert html.count("<h1>") == 1


def test_413_page_shows_the_size_limit(rf):
    html = get_template("400.html").render({"too_much": True, "max_request_mb": 120}, rf.get("/"))

    assert "Caben 120 MB" in html


@pytest.mark.parametrize(("language", "words"), [("es", "Caben 120 MB"), ("en", "120 MB fit")])
def test_nginx_gets_the_413_page_in_the_language_of_the_person(client, language, words):
    """deploy/nginx asks for it when it refuses a body unread."""
    answer = client.get("/envio-demasiado-grande/", headers={"accept-language": language})

    assert answer.status_code == 413
    assert words in answer.content.decode()


@pytest.mark.parametrize(("minutes", "words"), [(1, "Espera 1 minuto"), (5, "Espera 5 minutos")])
def test_429_page_says_how_long_to_wait(rf, minutes, words):
    assert words in get_template("429.html").render({"wait_minutes": minutes}, rf.get("/"))


def test_500_page_needs_no_context(django_assert_num_queries):
    """Django renders it without a request: no context, user or language."""
    with django_assert_num_queries(0):
        html = get_template("500.html").render()

    assert "Algo falló de nuestro lado" in html
    assert "{%" not in html


def test_too_large_body_is_read_to_the_end(client, settings):
    """A browser that is still sending when the connection closes shows no page at all."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = b"login=" + b"x" * 300_000
    read = []

    class Body(BytesIO):
        def read(self, size=-1):
            read.append(data := super().read(size))
            return data

    answer = client.generic(
        "POST",
        "/cuenta/entrar/",
        body,
        content_type="application/x-www-form-urlencoded",
        **{"wsgi.input": Body(body)},
    )
    assert answer.status_code == 413
    assert "Caben" in answer.content.decode()
    assert sum(map(len, read)) == len(body)


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "latin-1"])
def test_form_in_another_charset_gets_a_page(charset):
    client = Client(enforce_csrf_checks=True)
    client.get("/cuenta/entrar/")
    answer = client.post(
        "/nuevo/uno/detalles/", b"x=1", content_type=f"application/x-www-form-urlencoded; charset={charset}"
    )

    assert answer.status_code == 400
    assert "<h1>" in answer.content.decode()


@pytest.mark.parametrize(
    ("origin", "form", "offered"),
    [
        ("http://testserver", {"title": "Sin «mañana»", "body": "a\nb"}, True),
        ("http://testserver", {"title": "x", "password": "secreta"}, False),
        ("http://ajeno.example", {"title": "x"}, False),
        ("null", {"title": "x"}, False),
        (None, {"title": "x"}, False),
    ],
)
def test_csrf_page_repeats_only_forms_of_our_pages(origin, form, offered):
    """After an expired session the typed text must not be lost. Another site must not get a button that acts here
    (LESSONS B)."""
    client = Client(enforce_csrf_checks=True, headers={"origin": origin} if origin else {})
    answer = client.post("/nuevo/uno/detalles/?tipo=x.y", form)
    html = unescape(answer.content.decode())

    assert answer.status_code == 403
    assert ('action="/nuevo/uno/detalles/?tipo=x.y"' in html) is offered
    assert all((f'name="{name}" value="{value}"' in html) is offered for name, value in form.items())
    assert ('data-behaviour="go-back"' in html) is not offered


def test_429_page_after_post_says_text_is_kept(rf):
    page = get_template("429.html")

    assert "sigue en la página anterior" in page.render({"wait_minutes": 5}, rf.post("/"))
    assert "sigue en la página anterior" not in page.render({"wait_minutes": 5}, rf.get("/"))
