"""The demo's help centre: believable articles for every kind of reader, found by what people write."""

from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import User
from content.article_markdown import linked_articles, pictures_in
from demo.replay import articles
from knowledge.enums import Audience
from knowledge.evaluation import evaluate, read_cases
from knowledge.models import Article, ArticleFeedback, ArticleText
from knowledge.procedures import fitting
from knowledge.ranking import rank, search
from tickets.models import Process, Ticket

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker):
    """Load the demo once for all tests of this file; roll it back after the last one."""
    from django.db import transaction

    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        call_command("load_demo", verbosity=0)
        yield
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


def test_every_kind_of_reader_has_articles(demo):
    counts = {
        audience: Article.objects.published().filter(audience=audience).count() for audience in Audience
    }

    assert sum(counts.values()) >= 15
    assert all(counts.values())
    english = ArticleText.objects.filter(language="en", published__isnull=False).count()
    assert english > sum(counts.values()) / 2


def test_links_and_pictures_of_articles_exist(demo):
    slugs = set(Article.objects.values_list("slug", flat=True))
    for text in ArticleText.objects.select_related("published", "article").prefetch_related("article__files"):
        assert linked_articles(text.published.body) <= slugs
        assert set(pictures_in(text.published.body)) <= {file.name for file in text.article.files.all()}


def test_scopes_name_what_the_processes_have(demo):
    processes = {process.key: process.definition for process in Process.objects.all()}
    for article in Article.objects.prefetch_related("scopes__department"):
        assert article.scopes.all()
        for scope in article.scopes.all():
            definition = processes[scope.process] if scope.process else None
            assert not scope.category or definition.category(scope.category)
            assert not scope.stage or definition.stage(scope.stage)


@pytest.mark.demand("S2.36", "S2.37", "S2.38")
@pytest.mark.parametrize("department", ["administracion", "cca", "academico"])
def test_procedure_of_the_department_fits_its_tickets(demo, department):
    ticket = Ticket.objects.filter(department__key=department).first()
    agent = User.objects.get(email="supervisor@demo.test")

    found = fitting(ticket, reader=agent)

    assert found[0].scope.department.key == department
    assert found[0].article.audience == Audience.INTERNAL


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("olvidé mi clave", "no-puedo-entrar-a-mi-cuenta"),
        ("me hicieron el cobro doble", "me-cobraron-dos-veces"),
        ("no me deja pagar con tarjeta", "mi-pago-fue-rechazado"),
        ("la aplicacion se me traba", "la-app-se-cierra-sola"),
        ("el mapa dice que estoy en otra calle", "el-gps-me-ubica-en-otro-sitio"),
        ("como mando mi celular al taller", "como-enviar-un-dispositivo-a-reparar"),
        ("certificado de notas", "como-pedir-una-constancia"),
        ("verificasion codigo", "no-llega-el-codigo-de-verificacion"),
    ],
)
def test_what_people_write_finds_the_article(demo, query, slug):
    hits = search(query, reader=None, language="es").hits

    assert slug in [hit.article.slug for hit in hits[:3]]


@pytest.mark.parametrize(
    "text",
    [
        "¿A qué hora sale el próximo vuelo a Bogotá y cuánto cuesta?",
        "Quiero la receta del ajiaco con guascas y alcaparras.",
        "¿Quién ganó el partido de ayer?",
    ],
)
def test_unrelated_text_gets_no_suggestion(demo, text):
    assert rank(text, reader=None, language="es") == []


def test_loading_again_changes_nothing(demo):
    before = Article.objects.count(), ArticleFeedback.objects.count()

    articles.load({})

    assert (Article.objects.count(), ArticleFeedback.objects.count()) == before


@pytest.mark.demand("S3.20")
def test_suggestions_fit_what_customers_write(demo):
    """Real phrasing: typing errors, no accents, synonyms, some English; and what is about something else."""
    lines = (Path(__file__).parent / "suggestions.es.jsonl").read_text("utf-8").splitlines()
    figures = evaluate(read_cases(lines), reader=User(), language="es").as_dict()

    assert figures["recall@1"] >= 0.96
    assert figures["recall@3"] >= 0.96
    assert figures["abstention"] >= 0.92
