"""«Mis tickets»: only the person's own tickets, with filters and pages."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from portal.pages import tickets
from portal.views import tickets as view
from tickets.enums import StageKind
from tickets.models import Process, Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.playing import review
from tickets.workflow import conversation
from tickets.workflow.perform import perform

from .factories import signed_in, working

pytestmark = pytest.mark.django_db
SOLUTION = {"solution_done": "Listo.", "solution_steps": ""}


def html(client: Client, query: str = "") -> str:
    response = client.get(f"/tickets/{query}")
    assert response.status_code == 200, response.status_code
    return unescape(response.content.decode())


def titles(page: str) -> list[str]:
    return re.findall(r'class="hist__title" href="[^"]+">([^<]+)</a>', page)


@pytest.fixture
def four(process: Process, customer: User, agent: User, supervisor: User) -> dict[str, Ticket]:
    """One ticket in each state. The first has the oldest update, the last the newest."""
    waiting, working_, asked, closed = (
        make_ticket(process, requester=customer, title=title)
        for title in ("Espera", "Curso", "Pregunta", "Cerrado")
    )
    for ticket in (working_, asked, closed):
        working(ticket, agent=agent, supervisor=supervisor)
    conversation.send_follow_up(asked, actor=agent, body="¿Qué versión?")
    perform(closed, "pedir_aprobacion", actor=agent, data=SOLUTION)
    review(closed, by=supervisor)
    perform(closed, "aprobar", actor=customer)
    for age, ticket in enumerate((closed, asked, working_, waiting)):
        Ticket.objects.filter(pk=ticket.pk).update(updated_at=timezone.now() - timedelta(hours=age))
    return {"waiting": waiting, "working": working_, "asked": asked, "closed": closed}


@pytest.mark.demand("S1.18", "S3.11")
def test_list_shows_every_own_ticket_with_its_state(four: dict[str, Ticket], customer_client: Client):
    page = html(customer_client)

    assert titles(page) == ["Cerrado", "Pregunta", "Curso", "Espera"]
    states = re.findall(
        r'<span class="pill" data-state="[\w-]+">.*?</svg>(?:<span[^>]*>)?([^<]+)</span>', page, re.DOTALL
    )
    assert states == ["Completado", "Espera tu respuesta", "En curso", "En espera"]
    assert re.findall(r">(\d+)\xa0%</progress>", page) == ["100", "40", "40", "10"]


@pytest.mark.demand("S3.11")
def test_list_never_shows_others_tickets(
    four: dict[str, Ticket], process: Process, stranger: User, agent: User
):
    theirs = make_ticket(process, requester=stranger, title="Ajeno y secreto")
    conversation.add_internal_note(four["waiting"], actor=agent, body="NOTA-SECRETA")

    mine = signed_in(four["waiting"].requester)
    for query in (
        "",
        "?estado=en-espera",
        "?q=secreto",
        f"?q={theirs.folio}",
        "?orden=antiguos",
        "?q=SECRETA",
    ):
        page = html(mine, query)
        assert "Ajeno y secreto" not in page
        assert "NOTA-SECRETA" not in page
    assert titles(html(signed_in(stranger))) == ["Ajeno y secreto"]
    assert titles(html(signed_in(agent))) == []


def test_list_asks_visitors_to_sign_in(client: Client):
    assert client.get("/tickets/")["Location"] == "/cuenta/entrar/?next=/tickets/"


# --- Filters ----------------------------------------------------------------------------------------------


@pytest.mark.demand("S1.19", "S3.12", "S3.13", "S3.14")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?estado=en-espera", ["Espera"]),
        ("?estado=en-curso", ["Curso"]),
        ("?estado=completado", ["Cerrado"]),
        ("?estado=te-esperan", ["Pregunta"]),
        ("?q=PREGUNTA", ["Pregunta"]),
        ("?q=error+curso", ["Curso"]),
        ("?q=no+existe", []),
        ("?orden=antiguos", ["Espera", "Curso", "Pregunta", "Cerrado"]),
        ("?orden=recientes", ["Cerrado", "Pregunta", "Curso", "Espera"]),
        ("?estado=te-esperan&q=pregunta&orden=antiguos", ["Pregunta"]),
    ],
)
def test_filters_select_and_order_tickets(
    four: dict[str, Ticket], customer_client: Client, query: str, expected: list[str]
):
    assert titles(html(customer_client, query)) == expected


def test_search_by_folio_finds_the_ticket(four: dict[str, Ticket], customer_client: Client):
    assert titles(html(customer_client, f"?q={four['working'].folio}")) == ["Curso"]


@pytest.mark.parametrize(
    "form", ["#{folio}", "ticket {lower}", "{number}", "https://desk.example/tickets/{folio}/"]
)
def test_search_finds_a_pasted_folio(four: dict[str, Ticket], customer_client: Client, form: str):
    folio = four["working"].folio
    text = form.format(folio=folio, lower=folio.lower(), number=folio.partition("-")[2])

    assert titles(html(customer_client, "?" + urlencode({"q": text}))) == ["Curso"]
    home = customer_client.get("/buscar/", {"q": text}).content.decode()
    assert re.findall(r'href="/tickets/([^/"]+)/"', home) == [folio]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cobros", True),  # the title has «cobraron»
        ("me cobrarán dos veces", True),  # words that say nothing do not count
        ("tarjetas", True),
        ("impresora", False),
        ("cobros impresora", False),  # every word counts
        ("clave", True),  # a synonym of the category
        ("%%%", False),
    ],
)
def test_own_tickets_are_found_by_any_form_and_by_synonyms(
    customer_client: Client, customer: User, process: Process, query: str, found: bool
):
    category = process.categories.first()
    category.synonyms = "contraseña, clave"
    category.save()
    ticket = make_ticket(
        process,
        requester=customer,
        category=category,
        title="Me cobraron dos veces",
        description="Pagué con tarjeta.",
    )
    make_ticket(
        process, requester=customer, category=process.categories.last(), title="Otro asunto", description="-"
    )

    assert titles(html(customer_client, "?" + urlencode({"q": query}))) == [ticket.title] * found
    home = customer_client.get("/buscar/", {"q": query}).content.decode()
    assert re.findall(r'href="/tickets/([^/"]+)/"', home) == [ticket.folio] * found


def test_address_leads_to_the_folio_as_it_is_stored(four: dict[str, Ticket], customer_client: Client):
    folio = four["working"].folio
    number = folio.partition("-")[2]
    for written in (folio.lower(), number, f"%23{folio}", f"MA%E2%80%93{number}"):
        assert (
            customer_client.get(f"/tickets/{written}/?completa")["Location"] == f"/tickets/{folio}/?completa"
        )
    assert customer_client.get("/tickets/ma-99999/")["Location"] == "/tickets/MA-99999/"
    assert customer_client.get("/tickets/MA-99999/").status_code == 404
    assert Client().get(f"/tickets/{folio.lower()}/")["Location"].endswith(f"?next=/tickets/{folio.lower()}/")


def test_category_filter_offers_only_used_categories(
    four: dict[str, Ticket], guest_process: Process, customer: User, customer_client: Client
):
    make_ticket(guest_process, requester=customer, title="Factura", category="tramite")
    category = guest_process.categories.get(key="tramite")

    page = html(customer_client)
    assert re.findall(r"<option value=\"\d+\">([^<]+)</option>", page) == [
        "Problema con la plataforma",
        "Factura o trámite",
    ]
    assert titles(html(customer_client, f"?tipo={category.pk}")) == ["Factura"]


def test_tabs_count_and_keep_the_other_filters(four: dict[str, Ticket], customer_client: Client):
    page = html(customer_client, "?q=a&orden=antiguos")

    tabs = re.findall(r'<a href="([^"]+)"[^>]*>\s*(\w[\w ]+?)\s*<span class="count">(\d+)</span>', page)
    assert [(label, count) for _href, label, count in tabs] == [
        ("Todos", "4"), ("Te esperan", "1"), ("En espera", "1"), ("En curso", "1"), ("Completados", "1"),
    ]  # fmt: skip
    assert "q=a" in tabs[2][0]
    assert "orden=antiguos" in tabs[2][0]


STATES = {
    "Te esperan": {"Espera tu respuesta", "Espera tu aprobación"},
    "En espera": {"En espera"},
    "En curso": {"En curso"},
    "Completados": {"Completado"},
    "Rechazados o cancelados": {"Rechazado", "Cancelado"},
}


@pytest.mark.parametrize("filters", ["", "?q=numero+1", "?orden=antiguos"])
def test_every_tab_counts_the_rows_it_shows_and_they_say_so(
    process: Process, customer: User, customer_client: Client, filters: str, monkeypatch: pytest.MonkeyPatch
):
    """The figures of the tabs, with data that tells the kinds of stage apart, and after following each link."""
    monkeypatch.setattr(view, "PAGE", 2)
    for number, kind in enumerate([*StageKind, *StageKind]):
        made = make_ticket(process, requester=customer, title=f"Numero {number}")
        state = kind.meta.public_state
        Ticket.objects.filter(pk=made.pk).update(stage_kind=kind, public_state=state)
    page = html(customer_client, filters)
    tabs = re.findall(r'<a href="([^"]+)"[^>]*>\s*(\w[\w ]+?)\s*<span class="count">(\d+)</span>', page)
    assert [label for _href, label, _count in tabs] == ["Todos", *STATES]
    for href, label, count in tabs:
        said: list[str] = []
        while href:
            shown = html(customer_client, href)
            said += re.findall(
                r'data-state="[\w-]+">.*?</svg>(?:<span[^>]*>)?([^<]+)</span>', shown, re.DOTALL
            )
            href = (re.findall(r'href="(\?[^"]+)" rel="next"', shown) or [""])[0]
        assert len(said) == int(count), label
        assert set(said) <= STATES.get(label, set().union(*STATES.values())), label
    assert sum(int(count) for _href, _label, count in tabs[1:]) == int(tabs[0][2]), "each ticket has one tab"


def test_tab_of_rejected_tickets_is_hidden_without_any(four: dict[str, Ticket], customer_client: Client):
    assert "Rechazados o cancelados" not in html(customer_client)
    assert "Rechazados o cancelados" in html(customer_client, "?estado=sin-completar")


def test_tabs_show_no_counts_beyond_the_limit(
    four: dict[str, Ticket], customer_client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tickets, "COUNTED", 3)

    assert 'class="count"' not in html(customer_client)


@pytest.mark.parametrize(
    "query",
    [
        "?requester__password__startswith=pbkdf2",
        "?requester__email=otra@example.com&assignee__isnull=False",
        "?estado=__all__",
        "?estado=in_progress",
        "?tipo=1__process__key",
        "?tipo=999999",
        "?orden=requester__password",
        "?orden=-id",
        "?q=%00",
        "?q[]=x&estado[]=en-curso",
        "?pagina=2",
    ],
)
def test_unknown_parameters_reach_no_query(four: dict[str, Ticket], customer_client: Client, query: str):
    """B1: no name in an address becomes a lookup in the database."""
    page = html(customer_client, query)

    assert titles(page) == ["Cerrado", "Pregunta", "Curso", "Espera"]
    assert "__" not in " ".join(re.findall(r'href="(\?[^"]*)"', page))


def test_search_text_is_escaped(four: dict[str, Ticket], customer_client: Client):
    page = customer_client.get('/tickets/?q="><script>alert(1)</script>').content.decode()

    assert "<script>alert" not in page
    assert "Ningún ticket con esos filtros" in page


def test_person_without_tickets_sees_no_filters(customer_client: Client):
    page = html(customer_client)

    assert "Aún no tienes tickets" in page
    assert 'id="id_q"' not in page
    assert 'id="id_q"' in html(customer_client, "?q=nada")


# --- Pages ------------------------------------------------------------------------------------------------


def test_pages_show_every_ticket_once(
    process: Process, customer: User, customer_client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(view, "PAGE", 2)
    for number in range(5):
        make_ticket(process, requester=customer, title=f"Ticket {number}")
    seen, query = [], ""
    for _page in range(3):
        page = html(customer_client, query)
        seen.append(titles(page))
        query = (re.findall(r'href="(\?[^"]+)" rel="next"', page) or [""])[0]
    assert seen == [["Ticket 4", "Ticket 3"], ["Ticket 2", "Ticket 1"], ["Ticket 0"]]
    assert "Anteriores" in page
    assert "Más recientes</a>" not in page, "with ?orden=antiguos this label would be false"
    back = re.findall(r'href="(\?[^"]+)" rel="prev"', page)[0]
    assert titles(html(customer_client, back)) == ["Ticket 2", "Ticket 1"]


@pytest.mark.parametrize("cursor", ["nada", "WzFd:x", "__class__", "x" * 3000])
def test_invalid_cursor_redirects_to_the_first_page(
    four: dict[str, Ticket], customer_client: Client, cursor: str
):
    answer = customer_client.get(f"/tickets/?desde={cursor}", follow=True)

    assert answer.redirect_chain == [("/tickets/", 302)]
    assert "Te mostramos la primera" in answer.content.decode()


def test_emptied_page_shows_the_nearest_one(
    process: Process, customer: User, customer_client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(view, "PAGE", 2)
    made = [make_ticket(process, requester=customer, title=f"Ticket {number}") for number in range(3)]
    first = html(customer_client, "?estado=en-espera")
    link = re.findall(r'href="(\?[^"]+)" rel="next"', first)[0]
    Ticket.objects.filter(pk=made[0].pk).update(stage_kind="work", public_state="in_progress")

    page = html(customer_client, link)

    assert titles(page) == ["Ticket 2", "Ticket 1"]
    assert "Esa página ya no tiene nada. Te mostramos la más cercana." in page


def test_invalid_cursor_keeps_the_filters(four: dict[str, Ticket], customer_client: Client):
    answer = customer_client.get("/tickets/?estado=en-curso&q=curso&desde=nada")

    assert answer["Location"] == "/tickets/?estado=en-curso&q=curso"


def test_empty_list_links_to_filing_a_report(customer_client: Client):
    page = html(customer_client)

    assert "Aún no tienes tickets" in page
    assert 'href="/nuevo/"' in page


@pytest.mark.parametrize("tickets", [1, 50])
def test_list_query_count_is_bounded(
    process: Process,
    customer: User,
    customer_client: Client,
    tickets: int,
    django_assert_max_num_queries: Any,
):
    for number in range(tickets):
        make_ticket(process, requester=customer, title=f"Ticket {number}")

    with django_assert_max_num_queries(10):  # three for the search
        page = html(customer_client, "?estado=en-espera&q=ticket&tipo=" + str(process.categories.first().pk))

    assert len(titles(page)) == min(tickets, view.PAGE)
