import re
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


def old_page(**headers: str) -> Client:
    """Return a client that holds our cookie, but whose form is older than the cookie."""
    client = Client(enforce_csrf_checks=True, headers=headers)
    client.get("/cuenta/entrar/")
    return client


BLOCKED = {"es": "Tu navegador bloquea las cookies", "en": "Your browser blocks cookies"}
EXPIRED = {"es": "La página había vencido", "en": "The page had expired"}
OURS = "http://testserver"


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/cuenta/entrar/", {"login": "x", "password": "y"}),
        ("/nuevo/uno/detalles/", {"title": "No puedo entrar", "body": "Sale «Error 500»"}),
        ("/idioma/", {"language": "en"}),
        ("/enlace/nuevo/", {"folio": "MA-10001"}),
    ],
)
def test_browser_that_blocks_cookies_is_told_so(language, path, form):
    """However often it is sent again. An old page in a browser with cookies keeps its own words."""
    headers = {"origin": OURS, "accept-language": language}
    for _ in range(2):
        page = unescape(Client(enforce_csrf_checks=True, headers=headers).post(path, form).content.decode())
        assert BLOCKED[language] in page
        assert EXPIRED[language] not in page
        assert "testserver" in page, "whose cookies to allow"

    answer = old_page(**headers).post(path, form)
    page = unescape(answer.content.decode())
    assert answer.status_code == 403
    assert EXPIRED[language] in page
    assert BLOCKED[language] not in page


def test_scripts_learn_that_cookies_are_blocked():
    blocked = Client(enforce_csrf_checks=True).post("/nuevo/uno/borrador/", {"title": "x"})
    assert (blocked.status_code, blocked["Desk-Cookies-Blocked"]) == (403, "1")

    old = old_page().post("/nuevo/uno/borrador/", {"title": "x"})
    assert (old.status_code, "Desk-Cookies-Blocked" in old) == (403, False)


def test_visitors_are_not_told_of_a_session(client):
    page = unescape(client.get("/").content.decode())

    assert "Tu sesión terminó" not in page
    assert 'data-text-expired="Esta página caducó.' in page


def test_form_is_sent_again_once_cookies_are_allowed(mailoutbox):
    """The page sets the cookie and carries the form with its token."""
    browser = Client(enforce_csrf_checks=True, headers={"origin": OURS})
    page = browser.post("/idioma/", {"language": "en", "next": "/"}).content.decode()
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page[page.index("<form method") :]))

    assert browser.post("/idioma/", fields).status_code == 302


@pytest.mark.parametrize("blocked", [True, False])
def test_typed_texts_can_be_copied(blocked):
    """Also where the form cannot be sent again, because it holds files or a password."""
    client = Client(enforce_csrf_checks=True, headers={"origin": OURS}) if blocked else old_page(origin=OURS)
    form = {
        "body": "Una línea\ny <b>otra</b>",
        "key": "f0f0-1",
        "password": "dos palabras",
        "file": BytesIO(b"x"),
    }

    page = client.post("/nuevo/uno/detalles/", form).content.decode()

    assert "Una línea\ny &lt;b&gt;otra&lt;/b&gt;</textarea>" in page
    assert "dos palabras" not in page
    assert "f0f0-1" not in page
    foreign = client.post("/nuevo/uno/detalles/", form, headers={"origin": "https://ajeno.example"})
    assert "Una línea" not in foreign.content.decode()


def test_person_without_session_may_sign_in_beside_an_old_page():
    page = old_page(origin=OURS).post("/nuevo/uno/detalles/", {"title": "Un título"}).content.decode()

    assert 'href="/cuenta/entrar/" target="_blank"' in page


@pytest.mark.parametrize("holds_cookies", [True, False])
def test_guest_page_says_that_cookies_may_be_blocked(client, holds_cookies):
    """A good link leads here and sets a cookie; a browser that drops it would read that the link is bad."""
    if holds_cookies:
        client.cookies["desk_language"] = "es"

    told = "permítelas y abre el enlace otra vez" in client.get("/invitado/MA-10001/").content.decode()

    assert told is not holds_cookies
    assert "permítelas" not in Client().get("/enlace/malo/").content.decode()


def test_csrf_page_offers_to_go_back():
    answer = old_page().post("/cuenta/entrar/", {"login": "x", "password": "y"})
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
