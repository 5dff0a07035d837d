"""One search for articles, topics and own tickets: errors corrected, synonyms marked, nothing found reported."""

from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.models import User
from knowledge import synonyms
from knowledge.models import SearchMiss
from knowledge.tests.factories import make_article
from tickets.models import Process
from tickets.tests.factories import make_ticket

from .test_home import found

pytestmark = pytest.mark.django_db


def html(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_articles_topics_and_tickets_stand_together(
    process: Process, customer: User, customer_client: Client
):
    make_article(summary="Crea una contraseña nueva.")
    make_ticket(process, requester=customer, title="No puedo entrar desde ayer")
    make_ticket(process, title="No puedo entrar, dice otra persona")

    page = html(customer_client, "/buscar/?q=no puedo entrar")

    assert found(page, "art-t") == ["No puedo entrar a mi cuenta"]
    assert found(page, "tema-t")[0] == "Acceso y contraseña"
    assert found(page, "mio-t") == ["No puedo entrar desde ayer"]
    assert "<mark>entrar</mark>" in page
    assert "otra persona" not in page


def test_typing_error_is_told_with_a_way_back(client: Client, process: Process):
    make_article()

    page = html(client, "/buscar/?q=no puedo entar")
    assert "Resultados para «no puedo entrar»" in page
    assert "<q>no puedo <s>entar</s></q>" in page
    assert found(page, "art-t") == ["No puedo entrar a mi cuenta"]
    literal = html(client, "/buscar/?q=no puedo entar&literal=1")
    assert "Resultados para «no puedo entar»" in literal


def test_words_of_own_tickets_are_not_corrected(process: Process, customer: User, customer_client: Client):
    make_article("La talanquera no abre")
    make_ticket(process, requester=customer, title="Falla en la talanqera azul")

    assert "Corregimos" not in html(customer_client, "/buscar/?q=talanqera")


def test_synonym_finds_articles_topics_and_tickets(process: Process, customer: User, customer_client: Client):
    synonyms.save("santo y seña, contraseña", actor=None)
    make_article(summary="Crea una contraseña nueva.")
    make_ticket(process, requester=customer, title="Perdí la contraseña")

    page = html(customer_client, "/buscar/?q=santo y seña")

    assert found(page, "art-t") == ["No puedo entrar a mi cuenta"]
    assert found(page, "tema-t")[0] == "Acceso y contraseña"
    assert "<mark>contraseña</mark>" in page


def test_nothing_found_is_reported_by_a_post(client: Client, process: Process):
    page = html(client, "/buscar/?q=torniquete bicicleta")
    assert "No encontramos nada para «torniquete bicicleta»" in page
    assert 'action="/buscar/falta/"' in page
    assert not SearchMiss.objects.exists()

    answer = client.post("/buscar/falta/", {"q": "torniquete bicicleta"}, follow=True)

    assert "Tomamos nota" in answer.content.decode()
    assert SearchMiss.objects.get().query == "torniquete bicicleta"


@pytest.mark.parametrize("query", ["%%%", "ana@example.com", "x" * 70])
def test_search_that_is_not_kept_promises_nothing(client: Client, query: str):
    page = html(client, f"/buscar/?q={quote(query)}")
    assert "No encontramos nada" in page
    assert "Avisar que falta" not in page

    answer = client.post("/buscar/falta/", {"q": query}, follow=True)

    assert "Tomamos nota" not in answer.content.decode()
    assert not SearchMiss.objects.exists()


def test_more_results_are_one_link_away(client: Client):
    for number in range(6):
        make_article(f"Entrar a la sala {number}")

    page = html(client, "/buscar/?q=sala")

    assert len(found(page, "art-t")) == 5
    assert '<a href="?q=sala&en=articulos">Ver los 6 resultados</a>' in page
    assert "Ver los" not in html(client, "/buscar/?q=sala&en=articulos")


def test_tab_shows_one_kind(client: Client, process: Process):
    make_article()

    page = html(client, "/buscar/?q=entrar&en=temas")

    assert found(page, "art-t") == []
    assert found(page, "tema-t")


@pytest.mark.parametrize("en", ["internos", "<script>", "tickets"])
def test_wrong_tab_is_harmless(client: Client, process: Process, en: str):
    assert client.get("/buscar/", {"q": "entrar", "en": en}).status_code == 200


@pytest.mark.parametrize("count", [1, 12])
def test_search_takes_the_same_queries(
    process: Process, customer: User, customer_client: Client, count: int, django_assert_max_num_queries: Any
):
    for number in range(count):
        make_article(f"No puedo entrar {number}")
        make_ticket(process, requester=customer, title=f"No puedo entrar {number}")
    html(customer_client, "/buscar/?q=entrar")

    with django_assert_max_num_queries(22):
        html(customer_client, "/buscar/?q=no puedo entar")


def test_search_becomes_the_title_of_the_report(client: Client, guest_process: Process):
    details = client.get("/nuevo/?tipo=prueba-invitados.pago&titulo=no+puedo+%3Cb%3Eentrar")["Location"]

    page = client.get(details).content.decode()

    assert 'value="no puedo &lt;b&gt;entrar"' in page
    assert "titulo=no+puedo+pagar" in html(client, "/buscar/?q=no puedo pagar")
