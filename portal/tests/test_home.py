"""The home page and its search."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client, override_settings

from accounts.models import User
from tickets.enums import Channel
from tickets.exceptions import NotAllowed
from tickets.models import Category, DeskAddress, Process, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.playing import review
from tickets.workflow import conversation
from tickets.workflow.perform import perform

from .factories import signed_in, working

pytestmark = pytest.mark.django_db


def html(client: Client, address: str = "/") -> str:
    response = client.get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def cards(page: str) -> dict[str, str]:
    return dict(
        re.findall(
            r'class="tcard__title">([^<]+)</span>\s*<span class="pill"[^>]*>.*?</svg>(?:<span[^>]*>)?([^<]+)<',
            page,
            re.DOTALL,
        )
    )


def found(page: str, section: str) -> list[str]:
    """Return the titles that a search shows in a section: «art-t», «tema-t» or «mio-t»."""
    _before, _id, rest = page.partition(f'id="{section}"')
    titles = re.findall(r'class="kb-hit__title"[^>]*>(.*?)</a>', rest.partition("</section>")[0], re.DOTALL)
    return [re.sub("<[^>]*>", "", title).strip() for title in titles]


def test_home_offers_every_process_with_its_targets(client: Client, process: Process, guest_process: Process):
    page = html(client)

    assert "¿Cómo podemos ayudarte?</h1>" in page
    assert "Problema con la plataforma" in page
    assert 'href="/nuevo/?tipo=prueba-invitados.pago"' in page
    assert "Primera respuesta: 1 hora" in page
    assert "Hasta 30 días, por orden de llegada" in page


def test_home_limits_topics_but_shows_every_process(client: Client, process: Process, guest_process: Process):
    for number in range(20):
        Category.objects.create(
            process=process, key=f"tema-{number}", name=f"Tema {number}", position=50 + number
        )

    page = html(client)

    assert page.count('class="cat"') == 12
    assert "Falla en el pago" in page
    assert "Factura o trámite" in page
    assert "Ver todos los temas" in page


def test_home_without_processes_shows_contact(client: Client, db: None):
    page = html(client)

    assert "Todavía no hay temas para elegir" in page
    assert "soporte@mesadeayuda.test" in page


def test_contact_shows_only_configured_channels(client: Client, db: None):
    with override_settings(
        DESK_SUPPORT_PHONE="601 555 0142", DESK_SUPPORT_WHATSAPP="", DESK_SUPPORT_EMAIL="a@b.test"
    ):
        page = html(client)

    assert 'href="tel:6015550142"' in page
    assert 'href="mailto:a@b.test"' in page
    assert "WhatsApp" not in page
    assert "Disponible" not in page
    assert "24/7" not in page


@pytest.mark.demand("S3.26")
def test_contact_promises_by_mail_what_the_clock_of_a_mail_counts(client: Client, db: None, settings: Any):
    settings.DESK_REPLY_DOMAIN = "responde.example.com"
    process = make_process("solicitud-guiada")
    DeskAddress.objects.create(email=settings.DESK_SUPPORT_EMAIL, process=process)

    page = html(client)

    assert "Activo 24/7, respondemos en 24 horas" in page
    ticket = make_ticket(process, guest_email="ana@cliente.test", channel=Channel.EMAIL)
    assert ticket.first_response_due_at - ticket.created_at == timedelta(hours=24)


@pytest.mark.demand("S3.1")
def test_home_lists_tickets_awaiting_the_requester_first(
    process: Process, customer: User, stranger: User, agent: User, supervisor: User, customer_client: Client
):
    asked, closed, _new = (
        make_ticket(process, requester=customer, title=t) for t in ("Pregunta", "Cerrado", "Nuevo")
    )
    make_ticket(process, requester=stranger, title="Ajeno")
    for ticket in (asked, closed):
        working(ticket, agent=agent, supervisor=supervisor)
    conversation.send_follow_up(asked, actor=agent, body="¿Qué versión?")
    perform(closed, "pedir_aprobacion", actor=agent, data={"solution_done": "Listo."})
    review(closed, by=supervisor)
    perform(closed, "aprobar", actor=customer)

    page = html(customer_client)

    assert list(cards(page).items()) == [("Pregunta", "Espera tu respuesta"), ("Nuevo", "En espera")]
    assert page.count("tcard--action") == 1
    assert "Ajeno" not in page


def test_home_shows_visitors_no_tickets(client: Client, process: Process):
    make_ticket(process, title="De alguien")

    page = html(client)

    assert "De alguien" not in page
    assert 'href="/enlace/nuevo/"' in page
    assert "/cuenta/entrar/?next=/tickets/" in page


@pytest.mark.parametrize("tickets", [1, 50])
def test_home_query_count_is_bounded(
    process: Process, guest_process: Process, customer: User, tickets: int, django_assert_max_num_queries: Any
):
    for number in range(tickets):
        make_ticket(process, requester=customer, title=f"Ticket {number}")
    client = signed_in(customer)
    html(client)  # what cases took is read once an hour

    with django_assert_max_num_queries(8):
        html(client)


def test_search_finds_own_tickets_and_topics(
    process: Process, guest_process: Process, customer: User, stranger: User, customer_client: Client
):
    mine = make_ticket(process, requester=customer, title="El pago no pasa")
    theirs = make_ticket(process, requester=stranger, title="Otro pago ajeno")

    page = html(customer_client, "/buscar/?q=pago")
    assert found(page, "mio-t") == ["El pago no pasa"]
    assert "Falla en el pago" in found(page, "tema-t")
    assert found(html(customer_client, f"/buscar/?q={mine.folio.lower()}"), "mio-t") == ["El pago no pasa"]
    assert found(html(customer_client, f"/buscar/?q={theirs.folio}"), "mio-t") == []


def test_category_texts_are_escaped_everywhere(
    client: Client, process: Process, customer: User, customer_client: Client
):
    """B9: text that an administrator types is escaped like anybody else's."""
    evil = "<img src=x onerror=alert(1)>"
    process.categories.filter(key="plataforma").update(name=evil, description=evil, notice=evil)
    ticket = make_ticket(process, requester=customer, category="plataforma")
    topic = f"{process.key}.plataforma"

    for address in (
        "/",
        "/nuevo/",
        "/buscar/?q=onerror",
        "/tickets/",
        f"/tickets/{ticket.folio}/",
    ):
        page = customer_client.get(address).content.decode()
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page
    details = customer_client.get(f"/nuevo/?tipo={topic}", follow=True).content.decode()
    assert "<img src=x" not in details
    assert "&lt;img src=x" in details


def test_search_ignores_accents_in_topics(client: Client, guest_process: Process):
    assert "Factura o trámite" in found(html(client, "/buscar/?q=TRAMITE"), "tema-t")


@pytest.mark.parametrize("query", ["pago movil", "PAGO MÓVIL", "anulacion", "Anulación PAGO"])
def test_search_ignores_accents_in_own_tickets(
    process: Process, customer: User, customer_client: Client, query: str
):
    make_ticket(process, requester=customer, title="Pago Móvil sin éxito", description="Pedí la ANULACIÓN.")
    make_ticket(process, requester=customer, title="Otra cosa")

    assert found(html(customer_client, f"/buscar/?q={query}"), "mio-t") == ["Pago Móvil sin éxito"]
    page = html(customer_client, f"/tickets/?q={query}")
    assert "Pago Móvil sin éxito" in page
    assert "Otra cosa" not in page


@pytest.mark.parametrize(
    "query", ["", "%00", "zzzz", '"><script>alert(1)</script>', "x" * 5000, "requester__password"]
)
def test_search_survives_hostile_text(client: Client, guest_process: Process, process: Process, query: str):
    make_ticket(process, title="De alguien")
    page = client.get("/buscar/", {"q": query}).content.decode()

    assert "De alguien" not in page
    assert "<script>alert" not in page


# --- People who cannot sign in ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("no puedo entrar", "Acceso y contraseña"),
        ("olvidé mi clave", "Acceso y contraseña"),
        ("me cobraron dos veces", "Pagos y facturas"),
        ("FACTURACION", "Pagos y facturas"),
        ("certificado de notas", "Constancias y certificados"),
        ("diplomas", "Constancias y certificados"),
        ("I can't log in", "Acceso y contraseña"),
    ],
)
def test_search_finds_topics_by_any_form_of_any_word(
    client: Client, process: Process, query: str, first: str
):
    page = html(client, f"/buscar/?q={query}")

    assert found(page, "tema-t")[0] == first


def test_search_finds_its_own_placeholder(client: Client, process: Process):
    home = html(client, "/")
    example = re.search(r'placeholder="Por ejemplo: ([^"]+)"', home)[1]

    page = html(client, f"/buscar/?q={example}")

    assert "No encontramos nada" not in page
    assert "Acceso y contraseña" in page


def test_words_of_the_desk_are_searched_too(client: Client, process: Process):
    assert "Horas de vuelo" not in html(client, "/buscar/?q=planeador")
    process.categories.filter(key="horas-de-vuelo").update(synonyms="planeador, helicóptero")

    assert "Horas de vuelo" in html(client, "/buscar/?q=planeadores")


@pytest.mark.demand("S2.24", "S3.9")
def test_guest_who_cannot_sign_in_files_it_without_an_account(client: Client, process: Process):
    details = client.get(f"/nuevo/?tipo={process.key}.acceso")["Location"]
    typed = {"title": "No puedo entrar", "description": "No me llega el código."}
    contact = client.post(details, typed)["Location"]

    answer = client.post(contact, {"email": "lucia@example.com", "name": "Lucía"}, follow=True)

    ticket = Ticket.objects.get()
    assert ticket.folio in answer.content.decode()
    assert (ticket.requester, ticket.requester_email, ticket.category.key) == (
        None,
        "lucia@example.com",
        "acceso",
    )


@pytest.mark.demand("S2.1")
def test_other_topics_of_the_process_still_need_an_account(client: Client, process: Process):
    with pytest.raises(NotAllowed):
        make_ticket(process, guest_email="lucia@example.com", category="pagos")


@pytest.mark.parametrize(
    "query", ["#MA-10119", "ticket ma 10119", "10119", "http://desk.test/tickets/ma-10119/"]
)
def test_search_by_folio_offers_guests_a_way_to_it(client: Client, process: Process, query: str):
    """The same whether or not the ticket exists."""
    page = html(client, f"/buscar/?{urlencode({'q': query})}")

    assert "¿Buscas el ticket MA-10119?" in page
    assert 'href="/cuenta/entrar/?next=/tickets/MA-10119/"' in page
    assert 'href="/enlace/nuevo/?folio=MA-10119"' in page
    assert "No encontramos nada" not in page


def test_search_by_folio_says_that_it_is_not_ones_own(
    process: Process, customer: User, supervisor: User, customer_client: Client
):
    other = make_ticket(process, title="De otra persona", requester=supervisor)
    mine = make_ticket(process, requester=customer)

    page = html(customer_client, f"/buscar/?q={other.folio}")
    assert f"El ticket {other.folio} no está entre los tuyos" in page
    assert other.title not in page
    assert "no está entre los tuyos" not in html(customer_client, f"/buscar/?q={mine.folio}")


@pytest.mark.parametrize("query", ["iPhone-13 no prende", "Windows 11 lento", "pago"])
def test_other_numbers_are_no_folio(client: Client, process: Process, query: str):
    assert "¿Buscas el ticket" not in html(client, f"/buscar/?{urlencode({'q': query})}")
