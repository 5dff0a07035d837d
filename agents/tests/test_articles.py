"""«Conocimiento»: staff find, read and filter articles and procedures (S2.36–S2.38, S2.47)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent, make_user
from knowledge import articles
from knowledge.enums import Audience
from knowledge.models import Article
from knowledge.tests.factories import make_article, make_draft, make_section, make_supervisor

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
LIST = "/agentes/conocimiento/"


@pytest.fixture
def agent() -> User:
    return make_agent(name="Diego Salazar")


def titles(user: User, **filters: str) -> list[str]:
    response: Any = signed_in(user).get(LIST, filters)
    return [row["title"] for row in response.context["rows"]]


def test_each_view_lists_its_articles(agent: User):
    make_article("Publicado")
    make_draft("En borrador")
    articles.archive(make_article("Archivado"), actor=make_supervisor())
    due = make_article("Viejo")
    Article.objects.filter(pk=due.pk).update(review_on=timezone.localdate() - timedelta(days=1))

    assert set(titles(agent)) == {"Publicado", "Viejo"}
    assert titles(agent, vista="borradores") == ["En borrador"]
    assert titles(agent, vista="archivados") == ["Archivado"]
    assert titles(agent, vista="por-revisar") == ["Viejo"]
    assert set(titles(agent, vista="inventada")) == {"Publicado", "Viejo"}


def test_filters_by_section_audience_language_and_owner(agent: User):
    make_article("Público", section=make_section("pagos", "Pagos"))
    make_article("Interno", audience=Audience.INTERNAL)
    make_article("English text", language="en", owner=agent)

    assert titles(agent, seccion="pagos") == ["Público"]
    assert titles(agent, quien="internal") == ["Interno"]
    assert titles(agent, idioma="en") == ["English text"]
    assert titles(agent, propios="1") == ["English text"]
    assert len(titles(agent, seccion="no-existe", quien="nadie", idioma="xx")) == 3


@pytest.mark.parametrize("view", ["publicados", "borradores"])
def test_search_finds_words_without_accents(agent: User, view: str):
    make = make_article if view == "publicados" else make_draft
    make("Recuperar mi contraseña")
    make("Cambiar la dirección de envío")

    assert titles(agent, vista=view, q="direccion de envio") == ["Cambiar la dirección de envío"]
    assert titles(agent, vista=view, q="zzzz") == []


@pytest.mark.demand("S2.36", "S2.47")
def test_procedure_is_read_by_staff_and_by_nobody_else(agent: User):
    make_article("Bloquear una cuenta", audience=Audience.INTERNAL, body="Verifica la cédula en el SECRETO.")

    page = text_of(signed_in(agent).get(f"{LIST}bloquear-una-cuenta/"))
    assert "Verifica la cédula en el SECRETO." in page
    for stranger in (make_user(), None):
        client = signed_in(stranger) if stranger else signed_in(make_user(email="otra@example.com"))
        response = client.get(f"{LIST}bloquear-una-cuenta/")
        assert response.status_code == 404
        assert "SECRETO" not in text_of(response)


def test_only_what_customers_read_leads_to_the_help_centre(agent: User):
    client = signed_in(agent)
    public, internal = make_article("Pagar"), make_article("Bloquear", audience=Audience.INTERNAL)
    draft = make_draft("Borrador")

    assert f'href="{public.address}"' in text_of(client.get(f"/agentes/conocimiento/{public.slug}/"))
    for article in (internal, draft):
        assert "Ver en la ayuda" not in text_of(client.get(f"/agentes/conocimiento/{article.slug}/"))


def test_earlier_address_leads_to_the_article(agent: User):
    article = make_article("Primero")
    articles.rename(article, "segundo", actor=make_supervisor())

    response = signed_in(agent).get(f"{LIST}primero/")
    assert response.url == f"{LIST}segundo/"
    assert signed_in(agent).get(f"{LIST}tercero/").status_code == 404


def test_pages_go_on_where_the_last_one_ended(agent: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agents.pages.articles.PAGE", 2)
    for number in range(5):
        make_article(f"Número {number}", section=make_section("pagos", "Pagos"))
    client, address, seen = signed_in(agent), f"{LIST}?seccion=pagos", []
    while address:
        context = client.get(address).context
        seen += [row["title"] for row in context["rows"]]
        address = context.get("page_older") and f"{LIST}{context['page_older']}"

    assert sorted(seen) == [f"Número {number}" for number in range(5)]


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("query", ["", "?q=numero"])
def test_list_takes_the_same_queries(agent: User, count: int, query: str, django_assert_max_num_queries: Any):
    for number in range(count):
        make_article(f"Número {number}", owner=make_agent(), words="cosa")
    client = signed_in(agent)
    client.get(LIST)

    with django_assert_max_num_queries(16 if query else 7):
        assert len(client.get(f"{LIST}{query}").context["rows"]) == count
