"""Before a report is filed: answers that fit, with script and without; thanks; and the report that waits."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from knowledge import deflections
from knowledge.enums import Audience
from knowledge.models import Article, Deflection
from knowledge.suggestions.offers import Answer, Sentence, Suggestions
from knowledge.tests.factories import make_article
from tickets.models import Process, ReportDraft, Ticket
from tickets.tests.factories import make_process

from ..pages.suggestions import WRITTEN
from .factories import signed_in
from .guide import PAGO, PLATAFORMA, Guide
from .test_home_form import MARCELA, PHONE, HomeForm
from .test_sending import DETAILS

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S3.20")]

URL = "/nuevo/sugerencias/"
TYPED = {"title": "Me cobraron el pago dos veces", "description": "Aparecen dos cobros en mi tarjeta."}
NO_SCRIPT = {"sin_guion": "1"}


@pytest.fixture
def article(db: None) -> Article:
    make_article("Cambiar el celular", body="Abre tu perfil y escribe el número nuevo.")
    return make_article(
        "Me cobraron dos veces", summary="El banco devuelve el pago repetido.", body="En tres días. Tarjeta."
    )


def ask(client: Client, topic: str = PAGO, **values: str) -> Any:
    return client.post(URL, {"tipo": topic, **TYPED, **values})


def key(article: Article) -> str:
    return f"articulo-{article.pk}"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return " ".join(unescape(answer.content.decode()).split())


# --- While typing -----------------------------------------------------------------------------------------


def test_fragment_has_what_fits(client: Client, guest_process: Process, article: Article):
    page = text_of(ask(client))

    assert re.findall(r'data-key="([^"]+)"', page) == [key(article)]
    assert 'href="/ayuda/me-cobraron-dos-veces/"' in page
    assert "El banco devuelve el <mark>pago</mark> repetido." in page
    assert f'name="resuelto" value="{key(article)}"' in page
    assert not ReportDraft.objects.exists()


def test_nothing_fits_nothing_is_said(client: Client, guest_process: Process, article: Article):
    unrelated = {"title": "Receta de ajiaco", "description": "¿Con guascas?"}
    assert ask(client, **unrelated).status_code == 204
    assert ask(client, title="", description="").status_code == 204
    assert ask(client, "no-hay.tema").status_code == 204
    assert client.get(URL).status_code == 405


def test_strangers_get_no_article_of_others(
    client: Client, guest_process: Process, article: Article, customer_client: Client
):
    hidden = make_article(
        "Cobros de clientes",
        words="aparecen cobros tarjeta",
        audience=Audience.CUSTOMERS,
        body="Me cobraron el pago dos veces.",
    )
    make_article(
        "Cobros internos",
        words="aparecen cobros tarjeta",
        audience=Audience.INTERNAL,
        body="Me cobraron el pago dos veces.",
    )

    assert "Cobros" not in text_of(ask(client))
    theirs = text_of(ask(customer_client))
    assert "Cobros de clientes" in theirs
    assert "Cobros internos" not in theirs
    guide = Guide(client, PAGO)
    answer = guide.fill({"description": "x"}, resuelto=key(hidden))
    assert answer["Location"] == guide.details
    assert not Deflection.objects.exists()


def test_long_text_is_cut_and_many_requests_are_refused(
    client: Client, guest_process: Process, article: Article
):
    assert ask(client, description="palabra " * 50_000 + "cobraron").status_code == 200
    assert [ask(client).status_code for _number in range(150)].count(429) == 1


@pytest.mark.parametrize("count", [1, 12])
def test_fragment_takes_the_same_queries(
    client: Client, guest_process: Process, article: Article, count: int, django_assert_max_num_queries: Any
):
    for number in range(count):
        make_article(f"Me cobraron {number} veces", body="El pago y la tarjeta.")
    ask(client)

    with django_assert_max_num_queries(14):
        ask(client)


def test_answer_of_a_provider_is_escaped_and_cited(
    client: Client, guest_process: Process, article: Article, settings: Any
):
    assert ask(client, respuesta="1").status_code == 204
    settings.SUGGESTIONS_PROVIDER = "portal.tests.test_suggestions.provider"
    page = ask(client, respuesta="1").content.decode()

    assert "&lt;b&gt;El banco&lt;/b&gt;" in page
    assert 'href="/ayuda/me-cobraron-dos-veces/"' in page
    assert "data-answers" in Guide(client, PAGO).drawn
    assert [ask(client, respuesta="1").status_code for _number in range(20)].count(204) == 1, "20 in an hour"


def provider(_question: Any, found: Suggestions) -> Suggestions:
    sentence = Sentence("<b>El banco</b> devuelve el pago.", (found.items[0],))
    return Suggestions(found.items, Answer((sentence,)))


def test_one_stranger_does_not_use_up_the_answers_of_everybody(
    client: Client, guest_process: Process, article: Article, settings: Any
):
    settings.SUGGESTIONS_PROVIDER = "portal.tests.test_suggestions.provider"
    for _time in range(WRITTEN.amount):
        assert ask(client, respuesta="1").status_code == 200
    assert ask(client, respuesta="1").status_code == 204
    assert ask(client).status_code == 200  # articles are found all the same
    question = {"texto": TYPED["description"]}
    said = client.post("/asistente/pregunta/", question, follow=True).content.decode()
    assert article.published_text().published.title in said
    assert "&lt;b&gt;" not in said

    assert ask(Client(REMOTE_ADDR="198.51.100.7"), respuesta="1").status_code == 200


# --- Without script ---------------------------------------------------------------------------------------


def test_without_script_the_offer_comes_before_the_last_step(
    client: Client, guest_process: Process, article: Article
):
    guide = Guide(client, PAGO)
    assert '<noscript><input type="hidden" name="sin_guion" value="1"></noscript>' in guide.drawn
    details = {**DETAILS, **TYPED}
    assert guide.fill(details)["Location"] == guide.contact

    before = guide.fill(details, **NO_SCRIPT)["Location"]
    page = guide.page(before)
    assert "Antes de enviar, mira si esto lo resuelve" in page
    assert f'href="{guide.contact}"' in page
    assert f'value="{key(article)}"' in page
    article.delete()
    assert client.get(before)["Location"] == guide.contact


def test_nothing_to_offer_goes_on(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill({**DETAILS, **TYPED})

    assert client.get(f"/nuevo/{guide.id}/antes/")["Location"] == guide.contact
    assert client.get("/nuevo/otro-borrador/antes/")["Location"] == "/nuevo/otro-borrador/detalles/"


def test_form_of_the_home_page_offers_once_without_script(client: Client, article: Article):
    make_process("reparacion-de-dispositivo")
    make_article(
        "Líneas verdes en la pantalla", body="Apágalo. Las líneas verdes son de la pantalla que se cayó."
    )
    form = HomeForm(client)
    answer = form.send({**PHONE, **MARCELA}, **NO_SCRIPT)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Antes de enviar, mira si esto lo resuelve" in page
    assert 'name="ofrecido" value="1"' in page
    assert "Se cayó el martes" in page
    assert not Ticket.objects.exists()
    answer = form.send({**PHONE, **MARCELA}, **NO_SCRIPT, ofrecido="1")
    assert answer["Location"] == f"/nuevo/{form.code}/listo/"
    assert Ticket.objects.count() == 1


def test_form_of_the_home_page_files_at_once_with_script(client: Client, article: Article):
    make_process("reparacion-de-dispositivo")
    make_article(
        "Líneas verdes en la pantalla", body="Apágalo. Las líneas verdes son de la pantalla que se cayó."
    )
    form = HomeForm(client)

    assert form.send({**PHONE, **MARCELA})["Location"] == f"/nuevo/{form.code}/listo/"


# --- «Esto lo resolvió» -----------------------------------------------------------------------------------


def test_thanks_and_the_report_waits(client: Client, guest_process: Process, article: Article):
    guide = Guide(client, PAGO)
    answer = guide.fill(TYPED, resuelto=key(article))
    page = text_of(client.get(answer["Location"]))

    assert not Ticket.objects.exists()
    assert 'role="status" aria-labelledby="gracias-t" tabindex="-1" autofocus' in page
    assert "No abrimos ningún ticket." in page
    assert 'Anotamos que te sirvió <a href="/ayuda/me-cobraron-dos-veces/">' in page
    assert f'href="{guide.details}"' in page
    assert "Aparecen dos cobros" in guide.page(guide.details)
    assert "Me cobraron el pago dos veces" in guide.page("/")
    said = Deflection.objects.get()
    assert (said.article, said.process, said.category) == (article, "prueba-invitados", "pago")
    assert (said.user, said.outcome) == (None, "pending")


def test_thanks_are_for_the_browser_that_said_so(client: Client, guest_process: Process, article: Article):
    guide = Guide(client, PAGO)
    thanks = guide.fill(TYPED, resuelto=key(article))["Location"]

    other = Client().get(thanks)
    assert other["Location"] == "/"


def test_account_says_so(customer: User, process: Process, article: Article):
    client = signed_in(customer)
    guide = Guide(client, PLATAFORMA)
    guide.fill(TYPED, resuelto=key(article))
    said = Deflection.objects.get()

    assert (said.user, said.draft) == (customer, ReportDraft.objects.get().key)


def test_home_form_takes_it_too(client: Client):
    make_process("reparacion-de-dispositivo")
    found = make_article("Líneas verdes", body="Apágalo.")
    form = HomeForm(client)
    answer = form.send({**PHONE, **MARCELA}, resuelto=key(found))

    assert answer["Location"] == f"/nuevo/{form.code}/resuelto/"
    assert not Ticket.objects.exists()
    assert form.send({**PHONE, **MARCELA}, resuelto="articulo-0")["Location"].endswith("/formulario/")


def test_one_network_does_not_count_without_end(client: Client, guest_process: Process, article: Article):
    for _number in range(32):
        answer = Client()
        guide = Guide(answer, PAGO)
        assert guide.fill(TYPED, resuelto=key(article)).status_code == 302

    assert Deflection.objects.count() == 30


@pytest.mark.parametrize(("topic", "expected"), [(PAGO, "filed"), ("prueba-invitados.tramite", "counted")])
def test_guest_who_files_in_the_category_is_not_counted(
    client: Client, guest_process: Process, article: Article, topic: str, expected: str
):
    Guide(client, PAGO).fill(TYPED, resuelto=key(article))
    guide = Guide(client, topic)
    guide.fill({**DETAILS, **TYPED})
    assert guide.send(email="ana@example.com")["Location"] == guide.done
    Deflection.objects.update(at=timezone.now() - timedelta(days=8))
    deflections.settle()

    assert Deflection.objects.get().outcome == expected
