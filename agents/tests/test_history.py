"""The history: everything that was managed, searched by words, filtered and sorted by any field (S1.18, S1.19)."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from agents.pages.columns import own_column
from tickets.closing import surveys
from tickets.definitions.definition import FieldDefinition, Text
from tickets.definitions.loading import library
from tickets.models import SavedView, Ticket
from tickets.search import indexing
from tickets.tests.factories import make_process, make_ticket, set_clock
from tickets.workflow import conversation
from tickets.workflow.perform import perform
from tickets.workflow.sweeps import breach_overdue

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE, VIEWS = "/agentes/historico/", "/agentes/historico/vistas/"


@pytest.fixture
def supervisor():
    return make_supervisor()


@pytest.fixture
def client(supervisor):
    return signed_in(supervisor)


@pytest.fixture
def desk(supervisor):
    """Four tickets: rated, rejected and reopened, late, and one with a note."""
    technical, guided = make_process("incidencia-tecnica"), make_process("solicitud-guiada")
    customer = make_user()
    done = make_ticket(guided, requester=customer, title="Cambio de correo")
    conversation.send_follow_up(done, actor=supervisor, body="Ya lo **cambiamos** en el sistema.")
    perform(done, "cerrar_mi_solicitud", actor=customer)
    surveys.rate(done, actor=customer, score=4)
    rejected = make_ticket(technical, title="Cobro duplicado")
    perform(rejected, "descartar", actor=supervisor, data={"message": "No procede."})
    late = make_ticket(technical, title="La talanquera no abre")
    Ticket.objects.filter(pk=late.pk).update(severity="critical")
    set_clock(late, due_at=timezone.now() - timedelta(minutes=5))
    breach_overdue()
    noted = make_ticket(technical, title="Recibo sin detalle")
    conversation.add_internal_note(noted, actor=supervisor, body="El banco retiene el cobro.")
    indexing.index_changed()
    return {"done": done, "rejected": rejected, "late": late, "noted": noted, "customer": customer}


def listed(client, query=""):
    response = client.get(f"{PAGE}?{query}")
    assert response.status_code == 200
    return re.findall(r'<span class="folio">([^<]+)<', response.content.decode())


def folios(desk, *names):
    return [desk[name].folio for name in names]


@pytest.mark.demand("S1.18")
def test_history_lists_every_ticket_with_its_state_the_newest_first(client, desk):
    assert listed(client) == folios(desk, "noted", "late", "rejected", "done")
    page = text_of(client.get(PAGE))
    assert "4 tickets" in page
    for ticket in (desk["done"], desk["rejected"]):
        ticket.refresh_from_db()
        assert f"{ticket.stage_definition.label}</span>" in page


@pytest.mark.demand("S1.18")
def test_words_are_found_in_messages_and_notes_and_shown_where_they_stand(client, desk):
    assert listed(client, "q=cambios+sistemas") == folios(desk, "done")
    assert set(listed(client, "q=cobros")) == set(folios(desk, "rejected", "noted"))
    page = unescape(text_of(client.get(f"{PAGE}?q=cobros")))
    assert "<mark>Cobro</mark> duplicado" in page
    assert "Nota interna · «El banco retiene el <mark>cobro</mark>.»" in page
    assert "Ya lo <mark>cambiamos</mark> en el" in unescape(text_of(client.get(f"{PAGE}?q=cambios")))


def test_folio_is_found_by_its_number(client, desk):
    assert listed(client, f"q={desk['late'].folio}") == folios(desk, "late")
    assert listed(client, f"q={desk['late'].folio.rpartition('-')[2]}") == folios(desk, "late")


@pytest.mark.demand("S1.19")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("estado=abiertos", ["noted", "late"]),
        ("estado=terminados", ["rejected", "done"]),
        ("estado=resueltos", ["done"]),
        ("estado=rechazados", ["rejected"]),
        ("severidad=critical", ["late"]),
        ("vencido=si", ["late"]),
        ("vencido=no", ["noted", "rejected", "done"]),
        ("satisfaccion=4", ["done"]),
        ("proceso=solicitud-guiada", ["done"]),
        ("reabierto=si", []),
        ("creado_desde=2001-01-01&creado_hasta=2001-02-01", []),
        ("prueba=si", []),
        ("orden=creado", ["done", "rejected", "late", "noted"]),
        ("orden=severidad", ["late", "done", "rejected", "noted"]),
        ("orden=-cerrado", ["rejected", "done"]),
        ("orden=satisfaccion", ["done"]),
        ("orden=-tiempo", ["rejected", "done"]),
    ],
)
def test_filters_and_orders_choose_the_tickets(client, desk, query, names):
    Ticket.objects.filter(pk=desk["rejected"].pk).update(closed_at=timezone.now(), resolution_seconds=90)
    assert listed(client, query) == folios(desk, *names)


def test_dates_include_their_last_day_in_the_readers_zone(client, desk):
    today = timezone.localdate()
    assert len(listed(client, f"creado_desde={today}&creado_hasta={today}")) == 4
    assert listed(client, f"creado_hasta={today - timedelta(days=1)}") == []


def test_order_says_which_tickets_it_leaves_out(client, desk):
    assert "solo están los tickets que tienen «Satisfacción»" in text_of(
        client.get(f"{PAGE}?orden=-satisfaccion")
    )
    assert "solo están" not in text_of(client.get(f"{PAGE}?orden=-actividad"))


# --- The processes' own fields ---------------------------------------------------------------------------------


@pytest.fixture
def own(supervisor):
    """A process with fields of its own, and three tickets with answers."""
    process = next(
        process
        for process in map(make_process, library())
        if {"choice", "text"} <= {item.type for item in process.definition.fields if not item.sets}
    )
    fields = {item.type: item for item in process.definition.fields if not item.sets}
    choice, text = fields["choice"], fields["text"]
    answers = [(0, "Zeta nueve"), (0, "alfa uno"), (1, "Ñandú")]
    tickets = [make_ticket(process, title=f"Caso {number}") for number in range(3)]
    for ticket, (option, words) in zip(tickets, answers, strict=True):
        values = {choice.key: choice.options[option].key, text.key: words}
        Ticket.objects.filter(pk=ticket.pk).update(fields=values)
    indexing.index_changed()
    return process, choice, text, [ticket.folio for ticket in tickets]


@pytest.mark.demand("S1.19")
def test_own_fields_filter_sort_and_show_as_columns(client, own):
    process, choice, text, found = own
    of = f"proceso={process.key}"
    assert set(listed(client, f"{of}&campo-{choice.key}={choice.options[0].key}")) == set(found[:2])
    assert listed(client, f"{of}&campo-{text.key}=ALFA") == [found[1]]
    assert listed(client, f"{of}&campo-{text.key}=nandu") == [found[2]]
    assert listed(client, f"{of}&orden=campo-{text.key}") == [found[1], found[2], found[0]]
    assert listed(client, f"{of}&orden=-campo-{text.key}") == [found[0], found[2], found[1]]
    page = text_of(client.get(f"{PAGE}?{of}&columna=folio&columna=campo-{text.key}"))
    assert "Ñandú</td>" in page
    assert f"columna=folio&amp;columna=campo-{text.key}" in page


def test_columns_are_chosen_and_kept_by_every_link(client, desk):
    page = text_of(client.get(f"{PAGE}?columna=folio&columna=canal&severidad=critical"))
    heads = re.findall(r'<th scope="col"[^>]*> ?(?:<a [^>]*> )?([^<]+?) ?<', page)
    assert [head.strip() for head in heads] == ["Folio", "Canal"]
    assert 'href="/agentes/historico/?columna=folio&amp;columna=canal"' in page  # without the severity


# --- Who sees what ---------------------------------------------------------------------------------------------


@pytest.mark.demand("S2.36")
def test_agent_finds_only_what_they_may_read_also_by_a_word_of_a_note(desk):
    other = signed_in(make_agent(make_department("otro")))
    assert listed(other) == []
    assert listed(other, "q=banco") == []
    assert listed(other, f"q={desk['late'].folio}") == []
    assert signed_in(desk["customer"]).get(PAGE).status_code == 404
    assert Client().get(PAGE).status_code == 302


# --- Pages, wrong input ------------------------------------------------------------------------------------------


def test_pages_follow_each_other_in_every_order(client, supervisor):
    process = make_process("solicitud-guiada")
    for number in range(45):
        make_ticket(process, title=f"Caso {number}")
    for order in ("", "orden=severidad", "orden=creado"):
        page = client.get(f"{PAGE}?{order}").content.decode()
        [older] = re.findall(r'href="(\?[^"]*pagina=[^"]+)"', page)
        first, rest = listed(client, order), listed(client, unescape(older)[1:])
        assert (len(first), len(rest)) == (40, 5)
        assert not set(first) & set(rest)
    assert len(listed(client, "pagina=nada")) == 40


@pytest.mark.parametrize(
    "query",
    [
        "nada=1",
        "estado=x",
        "orden=x",
        "columna=x",
        "creado_desde=ayer",
        "proceso=x",
        "satisfaccion=9",
        "q=%00",
    ],
)
def test_wrong_parameter_is_left_out_and_named(client, desk, query):
    assert len(listed(client, query)) in (0, 4)
    assert client.get(f"{PAGE}?{query}").status_code == 200


def test_old_address_leads_here_with_its_filters(client, desk):
    response = client.get("/agentes/colas/historico/?severidad=critical")
    assert (response.status_code, response.url) == (302, f"{PAGE}?severidad=critical")


def test_ticket_leads_back_to_the_page_of_the_history(client, desk):
    page = client.get(f"{PAGE}?q=cobro&orden=creado").content.decode()
    link = unescape(re.search(r'href="(/agentes/tickets/[^"]+)"', page)[1])
    ticket = text_of(client.get(link))
    back = unescape(re.search(r'href="(/agentes/colas/historico/[^"]*)"', ticket)[1])
    assert client.get(back, follow=True).status_code == 200
    assert "q=cobro" in back
    assert "orden=creado" in back


def test_history_takes_as_many_queries_with_more_tickets(client, desk, django_assert_max_num_queries):
    with django_assert_max_num_queries(14) as first:
        client.get(f"{PAGE}?q=cobro")
    process = make_process("incidencia-tecnica")
    for _n in range(8):
        make_ticket(process, title="Otro cobro")
    indexing.index_changed()
    caches["pages"].clear()
    with django_assert_max_num_queries(len(first)):
        assert len(listed(client, "q=cobro")) == 10


def test_history_in_english_has_no_spanish(client, desk, supervisor):
    supervisor.language = "en"
    supervisor.save()
    page = text_of(client.get(f"{PAGE}?q=cobro"))
    assert "Working time" in page
    for word in ("Histórico", "Buscar", "Columnas", "Guardar", "Nota interna"):
        assert word not in page


# --- Saved views -------------------------------------------------------------------------------------------------


def test_view_is_saved_private_opened_shared_changed_and_deleted(client, desk, supervisor):
    colleague = signed_in(make_supervisor())
    response = client.post(VIEWS, {"name": " Los  críticos ", "query": "severidad=critical&orden=creado&x=1"})
    view = SavedView.objects.get()
    assert (view.name, view.query, view.is_shared) == (
        "Los críticos",
        "severidad=critical&orden=creado",
        False,
    )
    assert listed(client, response.url.partition("?")[2]) == folios(desk, "late")
    assert "Los críticos" in text_of(client.get(PAGE))
    assert "Los críticos" not in text_of(colleague.get(PAGE))
    assert colleague.get(f"{VIEWS}{view.pk}/").status_code == 404

    client.post(f"{VIEWS}{view.pk}/", {"name": "Críticos", "is_shared": "on", "query": ""})
    view.refresh_from_db()
    assert (view.name, view.query, view.is_shared) == ("Críticos", "severidad=critical&orden=creado", True)
    assert "Críticos" in text_of(colleague.get(PAGE))
    client.post(f"{VIEWS}{view.pk}/", {"name": "Críticos", "query": "estado=abiertos", "with_filters": "on"})
    view.refresh_from_db()
    assert (view.query, view.is_shared) == ("estado=abiertos", False)
    client.post(f"{VIEWS}{view.pk}/", {"do": "delete"})
    assert not SavedView.objects.exists()


def test_shared_view_shows_each_person_only_what_they_may_see(client, desk):
    client.post(VIEWS, {"name": "Todo", "is_shared": "on", "query": ""})
    agent = make_agent(make_department("otro"))
    view = SavedView.objects.get()
    page = text_of(signed_in(agent).get(f"{PAGE}cifras/"))
    assert re.search(r"Todo</span><span class=\"n\">0</span>", page)
    assert re.search(r"Todo</span><span class=\"n\">4</span>", text_of(client.get(f"{PAGE}cifras/")))
    assert listed(signed_in(agent), f"vista={view.pk}") == []
    assert signed_in(agent).post(f"{VIEWS}{view.pk}/", {"do": "delete"}).status_code == 404
    assert SavedView.objects.exists()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"name": ""}, "Escribe un nombre"),
        ({"name": "Igual"}, "Ya tienes una vista con ese nombre"),
        ({"name": "x" * 200}, "60"),
    ],
)
def test_view_that_cannot_be_saved_says_why_and_keeps_what_was_typed(client, data, told):
    client.post(VIEWS, {"name": "Igual", "query": ""})
    response = client.post(VIEWS, {**data, "query": "severidad=low"})
    assert response.status_code == 422
    page = text_of(response)
    assert told in page
    assert 'value="severidad=low"' in page
    assert SavedView.objects.count() == 1


def test_figures_of_views_are_counted_once_a_minute(client, desk, django_assert_max_num_queries):
    caches["pages"].clear()
    for number in range(3):
        client.post(VIEWS, {"name": f"Vista {number}", "query": "estado=abiertos"})
    client.get(f"{PAGE}cifras/")
    with django_assert_max_num_queries(6):
        assert text_of(client.get(f"{PAGE}cifras/")).count('<span class="n">2</span>') == 3


# --- What others may not do to a page ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["creado_desde", "creado_hasta", "cerrado_hasta"])
@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1999-12-31"])
def test_date_beyond_all_desks_is_left_out_and_named(client, desk, name, day):
    response = client.get(f"{PAGE}?{name}={day}")
    assert response.status_code == 200
    assert "Ese valor del filtro" in text_of(response)


def test_shared_view_that_means_nothing_breaks_no_figures(client, desk, supervisor):
    for query in ("creado_hasta=9999-12-31", "departamento=nada", "x" * 1900, "orden=campo-x"):
        SavedView.objects.create(owner=make_supervisor(), name=query[:50], query=query, is_shared=True)
    caches["pages"].clear()
    assert client.get(f"{PAGE}cifras/").status_code == 200


def test_wrong_text_of_one_person_is_not_shown_to_the_next(client, desk):
    client.get(PAGE, {"q": "secreto " * 60})
    assert "secreto" not in text_of(signed_in(make_supervisor()).get(PAGE))


def test_views_of_others_do_not_push_out_ones_own(client, desk, supervisor):
    other = make_supervisor()
    SavedView.objects.bulk_create(
        SavedView(owner=other, name=f"000 {number}", query="", is_shared=True) for number in range(60)
    )
    own = SavedView.objects.create(owner=supervisor, name="Zeta mía", query="")
    page = text_of(client.get(f"{PAGE}?vista={own.pk}"))
    assert '<h1 class="truncate">Zeta mía</h1>' in page
    assert "Mías" in page
    last = SavedView.objects.get(name="000 59")
    assert '<h1 class="truncate">000 59</h1>' in text_of(client.get(f"{PAGE}?vista={last.pk}"))
    assert client.get(f"{PAGE}?vista=²").status_code == 200


def test_text_of_an_own_field_is_found_in_any_form(client, own):
    process, _choice, text, found = own
    Ticket.objects.filter(folio=found[0]).update(fields={text.key: "Se reservó la sala"})
    indexing.write(Ticket.objects.filter(folio=found[0]).values_list("pk", flat=True))
    assert listed(client, f"proceso={process.key}&campo-{text.key}=reservas+salas") == [found[0]]
    assert listed(client, f"proceso={process.key}&campo-{text.key}=%EF%BE%9E") == []


@pytest.mark.parametrize("kind", ["date", "multi_choice", "choice", "number", "yes_no", "text"])
@pytest.mark.parametrize("answer", ["hola", 5, ["a", "b"], {"a": 1}, True, "2026-11-27"])
def test_answer_from_another_version_of_a_field_is_shown_as_it_is(kind, answer):
    item = FieldDefinition("x", Text("X"), kind)
    ticket = Ticket(fields={"x": answer})
    assert isinstance(own_column("campo-x", item).value(ticket), str)
