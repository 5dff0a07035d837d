"""Answers of a search and hours of the desk are kept for some seconds: for whom, and until what changes."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from knowledge import articles, synonyms
from knowledge.enums import Audience
from knowledge.models import Article
from knowledge.tests.factories import make_article, make_draft, make_section, make_supervisor
from tickets.models import Category, Process
from tickets.tests.factories import make_ticket

from .test_home import found
from .test_search import html

pytestmark = pytest.mark.django_db
NOT_KEPT = 5
"""The most queries of a search that is kept: session, user, and the person's own tickets."""


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    """Run what waits for the end of the transaction when the block ends."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        html(client, address)
    return len(captured)


@pytest.mark.demand("S2.36")
@pytest.mark.parametrize("query", ["no puedo entrar", "no puedo entar", "torniquete bicicleta"])
def test_same_search_reads_only_own_tickets_anew(
    process: Process, customer: User, customer_client: Client, query: str
):
    make_article()
    make_ticket(process, requester=customer, title="No puedo entrar desde ayer")
    first = html(customer_client, f"/buscar/?q={query}")

    assert queries_of(customer_client, f"/buscar/?q={query}") <= NOT_KEPT
    again = html(customer_client, f"/buscar/?q={query}")
    assert [found(again, part) for part in ("art-t", "tema-t", "mio-t")] == [
        found(first, part) for part in ("art-t", "tema-t", "mio-t")
    ]


def test_another_reader_of_the_same_gets_the_kept_answers(
    process: Process, customer_client: Client, stranger: User
):
    make_article()
    html(customer_client, "/buscar/?q=entrar")
    other = Client()
    other.force_login(stranger)

    assert queries_of(other, "/buscar/?q=entrar") <= NOT_KEPT
    assert found(html(other, "/buscar/?q=entrar"), "art-t") == ["No puedo entrar a mi cuenta"]


def test_ticket_that_was_just_filed_is_found(process: Process, customer: User, customer_client: Client):
    html(customer_client, "/buscar/?q=talanquera")
    make_ticket(process, requester=customer, title="La talanquera no abre")

    assert found(html(customer_client, "/buscar/?q=talanquera"), "mio-t") == ["La talanquera no abre"]


@pytest.mark.demand("S2.47")
def test_answers_for_customers_are_never_shown_to_visitors(process: Process, customer_client: Client):
    make_article("Precios de la talanquera", audience=Audience.CUSTOMERS)
    assert found(html(customer_client, "/buscar/?q=talanquera"), "art-t") == ["Precios de la talanquera"]

    page = html(Client(), "/buscar/?q=talanquera")
    assert found(page, "art-t") == []
    assert "Precios" not in page


def test_words_of_one_customer_change_nobody_elses_answers(
    process: Process, customer: User, customer_client: Client, stranger: User
):
    make_article("La talanquera no abre")
    make_ticket(process, requester=customer, title="Falla en la talanqera azul")
    other = Client()
    other.force_login(stranger)

    for _again in range(2):
        assert "Corregimos" not in html(customer_client, "/buscar/?q=talanqera")
        page = html(other, "/buscar/?q=talanqera")
        assert "Corregimos" in page
        assert "azul" not in page


def test_answers_of_one_language_are_never_shown_in_another(
    process: Process, customer: User, customer_client: Client
):
    make_article()
    assert "Temas para pedir ayuda" in html(customer_client, "/buscar/?q=entrar")
    customer.language = "en"
    customer.save(update_fields=["language"])

    assert "Temas para pedir ayuda" not in html(customer_client, "/buscar/?q=entrar")


def publish_another() -> None:
    make_article("La talanquera no abre con la app")


def archive() -> None:
    articles.archive(Article.objects.get(), actor=make_supervisor())


def hide() -> None:
    article = Article.objects.get()
    article.audience = Audience.INTERNAL
    article.save(update_fields=["audience"])


def retire_topics() -> None:
    for category in Category.objects.all():
        category.is_active = False
        category.save(update_fields=["is_active"])


@pytest.mark.parametrize(
    ("change", "articles_after", "has_topics"),
    [
        (publish_another, 2, True),
        (archive, 0, True),
        (hide, 0, True),
        (retire_topics, 1, False),
    ],
)
def test_change_of_what_is_found_shows_at_once(
    process: Process, client: Client, committed: Any, change: Any, articles_after: int, *, has_topics: bool
):
    make_article("La talanquera no abre")
    make_draft("La talanquera, en borrador")
    Article.objects.exclude(state="published").delete()
    Category.objects.update(name="Talanquera o barrera")
    before = html(client, "/buscar/?q=talanquera")
    assert len(found(before, "art-t")) == 1
    assert found(before, "tema-t")

    with committed():
        change()

    after = html(client, "/buscar/?q=talanquera")
    assert len(found(after, "art-t")) == articles_after
    assert bool(found(after, "tema-t")) is has_topics


def test_unknown_word_of_an_own_ticket_counts_as_soon_as_it_is_filed(
    process: Process, customer: User, customer_client: Client
):
    make_article("La talanquera no abre")
    assert "Corregimos" in html(customer_client, "/buscar/?q=talanqera")
    make_ticket(process, requester=customer, title="Falla en la talanqera azul")

    page = html(customer_client, "/buscar/?q=talanqera")
    assert "Corregimos" not in page
    assert found(page, "mio-t") == ["Falla en la talanqera azul"]


def test_error_is_corrected_to_a_word_of_an_own_ticket_for_that_person_alone(
    process: Process, customer: User, customer_client: Client, stranger: User
):
    make_ticket(process, requester=customer, title="Falla del torniquete")
    other = Client()
    other.force_login(stranger)

    assert "<s>tornqiuete</s>" in html(customer_client, "/buscar/?q=tornqiuete")
    assert "Corregimos" not in html(other, "/buscar/?q=tornqiuete")
    assert "<s>tornqiuete</s>" in html(customer_client, "/buscar/?q=tornqiuete")


def test_new_synonym_counts_at_once(process: Process, client: Client, committed: Any):
    make_article("La barrera se queda abajo")
    assert found(html(client, "/buscar/?q=talanquera"), "art-t") == []

    with committed():
        synonyms.save("talanquera, barrera", actor=None)

    assert found(html(client, "/buscar/?q=talanquera"), "art-t") == ["La barrera se queda abajo"]


def test_new_name_of_a_section_shows_at_once(process: Process, client: Client, committed: Any):
    make_article("La talanquera no abre", section=make_section())
    assert "Cuenta y acceso" in html(client, "/buscar/?q=talanquera")

    with committed():
        section = make_section()
        section.name = "Entradas y salidas"
        section.save(update_fields=["name"])

    assert "Entradas y salidas" in html(client, "/buscar/?q=talanquera")
