"""The help centre: who reads what, moved addresses, «¿Te sirvió?», and what search engines are told (S2.47)."""

import json
import re
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image

from accounts.models import User
from knowledge import articles, files
from knowledge.enums import Audience
from knowledge.models import Article, ArticleFeedback
from knowledge.tests.factories import make_article, make_draft, make_section
from knowledge.tests.factories import make_supervisor as make_editor
from tickets.models import Process

from .factories import signed_in

pytestmark = pytest.mark.django_db
ADDRESS = "/ayuda/no-puedo-entrar-a-mi-cuenta/"


def html(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def picture() -> ContentFile:
    stream = BytesIO()
    Image.new("RGB", (40, 20), "teal").save(stream, "PNG")
    return ContentFile(stream.getvalue())


@pytest.mark.demand("S2.47")
def test_help_centre_lists_sections_with_their_articles(client: Client):
    make_article(summary="Casi siempre se resuelve en dos minutos.")
    make_article("Solo clientes", section=make_section("otra", "Otra sección"), audience=Audience.CUSTOMERS)

    page = html(client, "/ayuda/")

    assert "Cuenta y acceso" in page
    assert f'href="{ADDRESS}"' in page
    assert "Casi siempre se resuelve" in page
    assert "¿Cómo podemos ayudarte?" in page
    assert "Otra sección" not in page
    assert 'href="/ayuda/seccion/cuenta/"' in html(client, "/")


def test_section_lists_its_articles_in_pages(client: Client):
    section = make_section()
    for number in range(31):
        make_article(f"Artículo {number:02}", section=section)

    first, second = (
        html(client, "/ayuda/seccion/cuenta/"),
        client.get("/ayuda/seccion/cuenta/").context["older"],
    )

    assert first.count('class="kb-hit__title"') == 30
    assert html(client, f"/ayuda/seccion/cuenta/{second}").count('class="kb-hit__title"') == 1


@pytest.mark.parametrize("audience", [Audience.CUSTOMERS, Audience.INTERNAL, None])
def test_stranger_gets_404_for_what_is_not_public(client: Client, audience: Audience | None):
    article = make_article("Reservado", audience=audience) if audience else make_draft("Reservado")

    for address in (
        "/ayuda/reservado/",
        "/ayuda/reservado/es/",
        "/ayuda/seccion/cuenta/",
        "/sitemap-cuenta.xml",
    ):
        assert client.get(address).status_code == 404
    assert client.post("/ayuda/reservado/opinion/", {"sirvio": "si"}).status_code == 404
    for address in ("/ayuda/", "/", "/buscar/?q=reservado", "/sitemap.xml"):
        assert f"/{article.slug}/" not in html(client, address)


def test_internal_procedure_never_reaches_the_portal(supervisor: User):
    make_article("Procedimiento de Administración", audience=Audience.INTERNAL, body="Texto reservado.")
    client = signed_in(supervisor)

    assert client.get("/ayuda/procedimiento-de-administracion/").status_code == 404
    assert "Procedimiento de Administración" not in html(client, "/ayuda/")
    assert "Procedimiento de Administración" not in html(
        client, "/buscar/?q=procedimiento+administracion+reservado"
    )


def test_customers_read_what_is_for_them(customer_client: Client):
    make_article("Solo clientes", audience=Audience.CUSTOMERS)

    page = html(customer_client, "/ayuda/solo-clientes/")

    assert '<meta name="robots" content="noindex">' in page
    assert "application/ld+json" not in page


def test_article_has_contents_steps_and_pictures(client: Client):
    article = make_draft(body='## Antes de empezar\n\n1. Abre.\n   ![La pantalla](pantalla.png "Así se ve")')
    kept = files.keep(picture(), name="pantalla.png", article=article, actor=make_editor())
    articles.publish(article, actor=make_editor())

    page = html(client, ADDRESS)

    assert '<a href="#s-antes-de-empezar">Antes de empezar</a>' in page
    assert '<ol class="kb-steps">' in page
    assert f'<img src="/ayuda/archivos/{kept.uuid}/" alt="La pantalla" width="40" height="20"' in page
    shown = client.get(f"/ayuda/archivos/{kept.uuid}/")
    shown.close()
    assert (shown.status_code, shown["Content-Type"], shown["X-Content-Type-Options"]) == (
        200,
        "image/png",
        "nosniff",
    )


def test_file_of_an_article_is_for_its_readers(client: Client, customer_client: Client):
    article = make_article(audience=Audience.CUSTOMERS)
    kept = files.keep(picture(), name="a.png", article=article, actor=make_editor())

    assert client.get(f"/ayuda/archivos/{kept.uuid}/").status_code == 404
    shown = customer_client.get(f"/ayuda/archivos/{kept.uuid}/")
    shown.close()
    assert shown.status_code == 200


def test_former_address_redirects_for_ever(client: Client):
    article = make_article()
    articles.rename(article, "entrar", actor=make_editor())

    answer = client.get(ADDRESS)
    assert (answer.status_code, answer["Location"]) == (301, "/ayuda/entrar/")
    articles.edit_card(article, actor=make_editor(), audience=Audience.INTERNAL)
    assert client.get(ADDRESS).status_code == 404


def test_article_offers_its_other_language(client: Client):
    article = make_article()
    articles.save_version(
        article, actor=make_editor(), language="en", title="I cannot sign in", body="Set a new password."
    )
    articles.publish(article, actor=make_editor())

    spanish, english = html(client, ADDRESS), html(client, f"{ADDRESS}en/")

    assert f'hreflang="en" href="{ADDRESS}en/"' in spanish
    assert '<h1 lang="en">I cannot sign in</h1>' in english
    assert "Este artículo está en inglés." in english
    assert "I cannot sign in</h1>" in unescape(
        client.get(ADDRESS, headers={"accept-language": "en"}).content.decode()
    )


def test_who_goes_on_comes_to_the_form_with_the_topic(client: Client, process: Process):
    scopes = [articles.Scope(process="no-existe", category="x"), articles.Scope(process.key, "acceso")]
    make_article(scopes=scopes)

    page = html(client, ADDRESS)

    assert f'href="/nuevo/?tipo={process.key}.acceso"' in page


def test_vote_counts_once_for_each_browser_and_changes(client: Client):
    make_article()
    page = html(client, ADDRESS)
    assert page.count("hx-post") == page.count('method="post" action="/ayuda/') == 1

    client.post(f"{ADDRESS}opinion/", {"sirvio": "no"})
    client.post(f"{ADDRESS}opinion/", {"sirvio": "no", "falto": "unclear", "frase": " No veo el enlace "})
    given = ArticleFeedback.objects.get()
    assert (given.is_useful, given.missing, given.comment) == (False, "unclear", "No veo el enlace")
    client.post(f"{ADDRESS}opinion/", {"sirvio": "si"})
    Client().post(f"{ADDRESS}opinion/", {"sirvio": "si"})

    article = Article.objects.get()
    assert (article.yes_count, article.no_count, ArticleFeedback.objects.count()) == (2, 0, 2)
    assert "2 de 2 personas dijeron que sí" in html(Client(), ADDRESS)


def test_reading_changes_nothing(client: Client):
    make_article()

    client.get(f"{ADDRESS}opinion/?sirvio=si")
    client.get("/buscar/falta/?q=torniquete")

    assert not ArticleFeedback.objects.exists()


def test_no_asks_what_was_missing_without_script(client: Client):
    make_article()

    page = unescape(client.post(f"{ADDRESS}opinion/", {"sirvio": "no"}, follow=True).content.decode())

    assert "¿Qué faltó?" in page
    assert "No entendí un paso" in page


def test_lists_name_the_language_of_an_article_that_is_in_another(client: Client):
    make_article()
    client.cookies.load({settings.LANGUAGE_COOKIE_NAME: "en"})

    for address in ("/ayuda/", "/ayuda/seccion/cuenta/", "/buscar/?q=entrar"):
        assert "<span>In Spanish</span>" in html(client, address), address

    client.cookies.load({settings.LANGUAGE_COOKIE_NAME: "es"})
    assert "En español" not in html(client, "/ayuda/")


def test_reason_left_empty_is_thanked_for(client: Client):
    make_article()
    client.post(f"{ADDRESS}opinion/", {"sirvio": "no"})

    sent = {"sirvio": "no", "falto": "", "frase": ""}
    in_place = unescape(
        client.post(f"{ADDRESS}opinion/", sent, headers={"HX-Request": "true"}).content.decode()
    )
    page = unescape(client.post(f"{ADDRESS}opinion/", sent, follow=True).content.decode())

    assert "Gracias: con tu opinión mejoramos el artículo." in in_place
    assert "¿Qué faltó?" not in in_place
    assert "Gracias por tu opinión." in page


def test_language_of_the_page_changes_after_a_vote(client: Client):
    article = make_article()
    articles.save_version(
        article, actor=make_editor(), language="en", title="I cannot sign in", body="New password."
    )
    articles.publish(article, actor=make_editor())

    answer = client.post(f"{ADDRESS}opinion/", {"sirvio": "si", "idioma": "es"})
    assert answer["Location"] == f"{ADDRESS}#opinion"
    other = client.post(f"{ADDRESS}opinion/", {"sirvio": "si", "idioma": "en"})
    assert other["Location"] == f"{ADDRESS}en/#opinion"

    # The switch of the page leads to the address without a language, which shows the text in the new one
    assert f'name="next" value="{ADDRESS}"' in html(client, f"{ADDRESS}es/")


def test_phrase_that_is_too_long_is_kept_with_its_error(client: Client):
    make_article()

    answer = client.post(f"{ADDRESS}opinion/", {"sirvio": "no", "frase": "largo " * 80})

    assert answer.status_code == 422
    assert "caben 300" in answer.content.decode()
    assert ("largo " * 80).strip() in answer.content.decode()


def test_vote_of_a_person_is_not_told_by_name(customer: User, customer_client: Client):
    make_article()

    customer_client.post(f"{ADDRESS}opinion/", {"sirvio": "si"})

    assert str(customer.pk) != ArticleFeedback.objects.get().voter
    assert "Gracias. Nos alegra" in html(customer_client, ADDRESS)


def test_search_engines_learn_the_public_articles(client: Client):
    make_article("</script><b>Entrar & salir</b>", slug="entrar", summary="Dos minutos.")
    make_article("Solo clientes", audience=Audience.CUSTOMERS)

    listed = [
        re.findall(r"<loc>https?://[^/]+(/.*?)</loc>", html(client, address))
        for address in ("/sitemap.xml", "/sitemap-cuenta.xml")
    ]
    assert listed == [["/sitemap-cuenta.xml"], ["/ayuda/entrar/es/"]]
    assert re.search(r"Sitemap: https?://[^/]+/sitemap.xml", html(client, "/robots.txt"))
    page = client.get("/ayuda/entrar/").content.decode()
    told = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])
    assert (told["headline"], told["inLanguage"]) == ("</script><b>Entrar & salir</b>", "es")


@pytest.mark.parametrize("count", [1, 12])
def test_pages_take_the_same_queries(client: Client, count: int, django_assert_max_num_queries: Any):
    for number in range(count):
        make_article(f"No puedo entrar {number}")

    with django_assert_max_num_queries(8):
        html(client, "/ayuda/")
    with django_assert_max_num_queries(8):
        html(client, "/ayuda/seccion/cuenta/")
    with django_assert_max_num_queries(14):
        html(client, "/ayuda/no-puedo-entrar-0/")


@pytest.mark.parametrize("is_archived", [False, True])
def test_word_about_an_article_that_is_not_read_any_more_is_shown_again(customer: User, is_archived: bool):
    """The session ended, or the article was archived, while the person wrote."""
    make_article(audience=Audience.CUSTOMERS)
    client = signed_in(customer)
    if is_archived:
        Article.objects.update(state="archived")
    else:
        client.logout()
    values = {"sirvio": "no", "falto": "unclear", "frase": "No veo el enlace"}

    answer = client.post(f"{ADDRESS}opinion/", values, headers={"Origin": "http://testserver"})

    assert answer.status_code == (404 if is_archived else 403)
    assert "No veo el enlace" in answer.content.decode()
