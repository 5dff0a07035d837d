"""The panel of supervisors: every number opens its list, and the list has as many tickets (S1.18, S2.43, S4.3)."""

import re
from datetime import date, timedelta
from html import unescape
from itertools import pairwise

import pytest
from django.core.cache import cache, caches
from django.http import QueryDict
from django.test import Client, override_settings
from django.utils import timezone, translation

from accounts.tests.factories import make_agent, make_supervisor, make_user
from agents.forms.panel import PanelFilter
from agents.pages.panel import COLUMNS, Panel, _times_or_percent
from agents.views import panel
from content.dates import short_day
from tickets.closing import surveys
from tickets.facts import counting
from tickets.facts.totals import Totals
from tickets.models import Clock, Ticket
from tickets.tests.factories import make_process, make_ticket, set_clock
from tickets.workflow import conversation, properties
from tickets.workflow.perform import perform
from tickets.workflow.sweeps import breach_overdue

pytestmark = pytest.mark.django_db
PAGE, LIST = "/agentes/panel/", "/agentes/panel/tickets/"


@pytest.fixture
def supervisor():
    return make_supervisor()


@pytest.fixture
def client(supervisor):
    client = Client()
    client.force_login(supervisor)
    return client


@pytest.fixture
def busy(supervisor):
    """Six tickets of two processes: answered, resolved and rated, rejected, reopened, late, and one that is a test."""
    guided, technical = make_process("solicitud-guiada"), make_process("incidencia-tecnica")
    customer = make_user()
    done = make_ticket(guided, requester=customer)
    conversation.send_follow_up(done, actor=supervisor, body="Lo vemos.")
    perform(done, "cerrar_mi_solicitud", actor=customer)
    surveys.rate(done, actor=customer, score=4)
    rejected, reopened, late = (make_ticket(technical) for _n in range(3))
    perform(rejected, "descartar", actor=supervisor, data={"message": "No procede."})
    perform(reopened, "descartar", actor=supervisor, data={"message": "No procede."})
    perform(reopened, "reabrir", actor=supervisor, data={"note": "Sí procede."})
    set_clock(late, due_at=timezone.now() - timedelta(minutes=5))
    breach_overdue()
    properties.assign(late, actor=supervisor, assignee=make_agent(late.department))
    test = make_ticket(technical)
    Ticket.objects.filter(pk=test.pk).update(is_test=True)
    counting.count_dirty()
    return {"done": done, "rejected": rejected, "reopened": reopened, "late": late, "test": test}


def text_of(response):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def folios_in(page):
    return re.findall(r'<td class="folio">([^<]+)</td>', page)


def figures_of(page):
    """Return the value and the address of each figure, by its label."""
    found = re.findall(
        r'kpi__label">([^<]+)</h2>.*?<a class="kpi__value" href="([^"]+)">\s*([^<\s]+)', page, re.DOTALL
    )
    return {unescape(label): (value, unescape(url)) for label, url, value in found}


@pytest.mark.demand("S1.18", "S4.3")
def test_panel_shows_what_was_reported_resolved_and_rejected_by_reason(client, busy):
    page = client.get(PAGE).content.decode()
    figures = {label: value for label, (value, _url) in figures_of(page).items()}
    assert (figures["Reportados"], figures["Resueltos"], figures["Rechazados"]) == ("4", "1", "1")
    assert (figures["Reaperturas"], figures["Soporte elevado"], figures["Pendientes"]) == ("1", "1", "2")
    assert "meta 0; abiertos ahora: 1" in text_of(client.get(PAGE))
    assert figures["Satisfacción"] == "4,0"
    reasons = page[page.index('id="reasons-t"') : page.index('id="scores-t"')]
    assert "Descartado: 1, 100" in reasons


def test_list_behind_a_number_says_how_many_there_are(client, busy, monkeypatch):
    listed = f"{LIST}?medida=filed"
    assert '<span class="count">4</span>' in client.get(listed).content.decode()
    monkeypatch.setattr(panel, "MOST_COUNTED", 3)
    caches["pages"].clear()
    assert '<span class="count">más de 3</span>' in client.get(listed).content.decode()


def test_list_of_broken_promises_shows_those_promises(client, busy):
    """Its ticket has another promise that is nearer, and one that was kept."""
    late = busy["late"]
    set_clock(late, "first_response", due_at=timezone.now() - timedelta(minutes=5))
    conversation.send_follow_up(late, actor=make_supervisor(), body="Lo vemos.")
    Clock.objects.filter(ticket=late, kind="first_response").update(breached_at=timezone.now())
    page = client.get(f"{LIST}?medida=response_broken").content.decode()
    [row] = [each for each in page.split("<tr>") if f'<td class="folio">{late.folio}</td>' in each]
    assert "1.ª respuesta" in row
    assert "Resolución" not in row


@pytest.mark.demand("S2.43")
def test_test_tickets_are_in_no_number_and_no_list(client, busy):
    for label, (_value, url) in figures_of(client.get(PAGE).content.decode()).items():
        if url.startswith(LIST):
            assert busy["test"].folio not in client.get(url).content.decode(), label


@pytest.mark.demand("S1.18")
def test_every_link_of_the_panel_opens_a_list_of_as_many_tickets_as_it_says(client, busy):
    """The numbers of figures, bars, columns, cells and tables, each against the list behind it."""
    page = client.get(PAGE).content.decode()
    marks = re.findall(r'<a href="(/agentes/panel/tickets/[^"]+)" aria-label="[^"]*?: (\d+)(?:"|, )', page)
    cells = re.findall(r'<a (?:class="[^"]*" )?href="(/agentes/panel/tickets/[^"]+)">(\d+)</a>', page)
    assert len(marks) >= 6
    assert len(cells) >= 8
    for url, count in marks + cells:
        assert len(folios_in(client.get(unescape(url)).content.decode())) == int(count), url


@pytest.mark.demand("S2.32")
def test_compliance_counts_open_and_late_tickets_and_lists_them(client, busy):
    value, url = figures_of(client.get(PAGE).content.decode())["Resolución a tiempo"]
    assert value.startswith("50,0")  # of the rejected and the late one; the third process promises no end
    assert folios_in(client.get(url).content.decode()) == [busy["late"].folio]


def test_filters_narrow_every_number_also_two_together(client, busy):
    one = figures_of(client.get(f"{PAGE}?proceso=incidencia-tecnica").content.decode())
    assert (one["Reportados"][0], one["Resueltos"][0]) == ("3", "0")
    both = f"{PAGE}?proceso=incidencia-tecnica&severidad={busy['late'].severity}"
    page = client.get(both).content.decode()
    two = figures_of(page)
    same = Ticket.objects.filter(severity=busy["late"].severity, is_test=False)
    expected = same.filter(process_version__process__key="incidencia-tecnica").count()
    assert two["Reportados"][0] == str(expected)
    assert len(folios_in(client.get(two["Reportados"][1]).content.decode())) == expected
    assert "Quitar filtro Proceso" in page
    none = client.get(f"{PAGE}?proceso=solicitud-guiada&severidad=critical")
    assert "Nada en este período" in text_of(none)


def test_period_is_compared_with_as_many_days_before(client, busy):
    Ticket.objects.filter(pk=busy["done"].pk).update(created_at=timezone.now() - timedelta(days=8))
    list(counting.count_all())
    page = text_of(client.get(f"{PAGE}?rango=7"))
    assert "Reportados ? Tickets que llegaron en el período. 3 Aumenta 200,0 % antes 1" in page


def test_chosen_dates_show_only_these_days(client, busy):
    yesterday = timezone.localdate() - timedelta(days=3)
    page = client.get(f"{PAGE}?desde={yesterday:%Y-%m-%d}&hasta={yesterday:%Y-%m-%d}").content.decode()
    assert figures_of(page)["Reportados"][0] == "0"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("desde=2026-03-05&hasta=2026-03-01", "El período termina antes de empezar"),
        ("desde=2020-01-01&hasta=2026-03-01", "Elige un año como mucho"),
        ("desde=ayer&hasta=2026-03-01", "Desde: "),
        ("desde=2020-01-01", "Elige un año como mucho"),
        ("desde=0001-01-01&hasta=0001-01-05", "Elige una fecha desde el año 2000"),
        ("hasta=0001-01-01", "Elige una fecha desde el año 2000"),
        ("desde=9999-12-31", "Desde: Ese día no ha llegado"),
        ("desde=9999-12-30&hasta=9999-12-31", "Desde: Ese día no ha llegado"),
        ("hasta=9999-12-31", "Hasta: Ese día no ha llegado. Contamos hasta hoy."),
        ("departamento=no-existe", "Ese valor del filtro «Departamento» no existe"),
        ("color=azul", "No conocemos el filtro «color»"),
        ("rango=siglo", "Lo dejamos fuera"),
    ],
)
def test_wrong_filter_is_named_and_left_out(client, busy, query, told):
    response = client.get(f"{PAGE}?{query}")
    assert response.status_code == 200
    assert told in text_of(response)
    assert figures_of(response.content.decode())["Reportados"][0] == "4"


@pytest.mark.parametrize(
    ("query", "days"),
    [("hasta={0}", 30), ("hasta={0}&rango=7", 7), ("desde={0}", 3)],
)
def test_one_date_alone_is_the_end_or_the_beginning(client, query, days):
    given = timezone.localdate() - timedelta(days=2)
    filters = PanelFilter(QueryDict(query.format(given)), today=timezone.localdate())
    assert (filters.problems, filters.period.days) == ([], days)


def test_days_that_have_not_come_are_left_out_and_it_is_said(client):
    given = timezone.localdate() - timedelta(days=2)
    for query, days in ((f"desde={given}&hasta=9999-12-31", 3), ("hasta=9999-12-31&rango=7", 7)):
        filters = PanelFilter(QueryDict(query), today=timezone.localdate())
        assert filters.problems == ["Hasta: Ese día no ha llegado. Contamos hasta hoy."]
        assert filters.period.days == days


def test_a_filter_does_not_change_who_is_listed(client, busy):
    """Somebody without open tickets and promises is listed neither with a filter that all their tickets pass nor
    without one."""
    idle = make_agent(busy["done"].department, name="Zoe Ferrer")
    ticket = make_ticket(make_process("incidencia-tecnica"))
    properties.assign(ticket, actor=make_supervisor(), assignee=idle)
    perform(ticket, "descartar", actor=make_supervisor(), data={"message": "No procede."})
    Clock.objects.filter(ticket=ticket).delete()  # none was kept, none was broken
    list(counting.count_all())
    for query in ("", f"?severidad={ticket.severity}"):
        caches["pages"].clear()
        page = client.get(f"{PAGE}{query}").content.decode()
        assert "Zoe Ferrer" not in page[page.index('id="people-t"') : page.index('id="departments-t"')], query


@pytest.mark.parametrize("first", ["0001-01-01", "1999-12-31", "2000-01-01"])
def test_list_of_any_first_day_opens(client, busy, first):
    for zone in ("Asia/Tokyo", "America/Caracas"):
        with override_settings(DESK_TIME_ZONE=zone):
            response = client.get(LIST, {"medida": "open", "desde": first, "hasta": "9999-12-31"})
            assert response.status_code == 200


@pytest.mark.parametrize("query", ["", "medida=nada", "medida=filed%00"])
def test_list_of_an_unknown_measure_is_not_found(client, query):
    assert client.get(f"{LIST}?{query}").status_code == 404


@pytest.mark.parametrize("part", ["x", "99999999999999999999", "1:2:3", "' OR 1=1", "9" * 4000])
def test_strange_part_lists_nothing(client, busy, part):
    for measure in ("filed", "rejected", "surveys"):
        response = client.get(LIST, {"medida": measure, "parte": part, "dia": part})
        assert response.status_code == 200
        assert folios_in(response.content.decode()) == []


@pytest.mark.parametrize(
    ("path", "tab"),
    [
        (PAGE, "Panel"),
        (f"{PAGE}proceso/", "Mapa del proceso"),
        (f"{PAGE}que-pasaria/", "Qué pasaría si"),
        ("/agentes/informes/", "Informes"),
    ],
)
def test_each_tab_of_the_panel_has_all_tabs_and_marks_its_own(client, path, tab):
    page = client.get(path).content.decode()
    tabs = re.findall(r'<nav class="tabs panel-tabs".*?</nav>', page, re.DOTALL)[0]
    assert re.findall(r">([^<>]+)</a>", tabs) == ["Panel", "Mapa del proceso", "Qué pasaría si", "Informes"]
    assert re.findall(r'aria-current="page">([^<>]+)</a>', tabs) == [tab]


def printed_on(page):
    return " ".join(re.findall(r'<p class="panel-printed">(.*?)</p>', page, re.DOTALL)[0].split())


@pytest.mark.demand("S4.3")
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("desde=2026-01-05&hasta=2026-01-20", "Del 5 ene 2026 al 20 ene 2026"),
        ("desde=2026-01-05&hasta=2026-01-05", "5 ene 2026"),
    ],
)
def test_paper_tells_the_period_with_its_years(client, query, told):
    assert printed_on(client.get(f"{PAGE}?{query}").content.decode()).startswith(told)


def test_paper_names_the_process_of_the_map(client, busy):
    page = client.get(f"{PAGE}proceso/?proceso=incidencia-tecnica&desde=2026-01-05&hasta=2026-01-20")
    told = printed_on(page.content.decode())
    assert told.startswith("<b>Incidencia técnica, versión 1</b> · Del 5 ene 2026 al 20 ene 2026")


@pytest.mark.parametrize("days", [1, 5, 6, 7, 8, 13, 30])
def test_days_below_a_chart_are_evenly_spaced_and_end_with_the_last(days):
    last = date(2026, 1, 30)
    query = QueryDict(f"desde={last - timedelta(days=days - 1)}&hasta={last}")
    shown = Panel(PanelFilter(query, today=last))
    shown.steps = [(step, Totals({})) for step in shown.period.steps(1)]
    names = shown._axis(COLUMNS, middle=1)
    places = [float(name["x"]) for name in names]
    gaps = {round(after - before) for before, after in pairwise(places)}
    assert len(gaps) <= 1
    assert len(names) <= 5
    assert all(gap >= 80 for gap in gaps)
    assert names[-1]["text"] == short_day(last)


def test_desk_without_tickets_says_so(client):
    assert "Nada en este período" in text_of(client.get(PAGE))


def test_only_supervisors_see_the_panel():
    agent, customer = Client(), Client()
    agent.force_login(make_agent())
    customer.force_login(make_user())
    for page in (PAGE, f"{LIST}?medida=filed"):
        assert agent.get(page).status_code == 404
        assert customer.get(page).status_code == 404
        assert Client().get(page).status_code == 302


def test_panel_in_english_has_no_spanish(client, busy, supervisor):
    supervisor.language = "en"
    supervisor.save()
    page = text_of(client.get(PAGE))
    assert "Reported" in page
    assert "First response" in page
    for word in ("Reportados", "período", "Pendientes", "Llegadas", "Vencidos"):
        assert word not in page


def test_panel_takes_as_many_queries_with_more_tickets_and_people(
    client, busy, django_assert_max_num_queries
):
    with django_assert_max_num_queries(32) as first:  # two of them set and unset the time limit
        client.get(PAGE)
    process = make_process("incidencia-tecnica")
    for _n in range(12):
        ticket = make_ticket(process)
        properties.assign(ticket, actor=make_supervisor(), assignee=make_agent(ticket.department))
    counting.count_dirty()
    caches["pages"].clear()
    cache.clear()  # the figures are kept for some seconds
    with django_assert_max_num_queries(len(first)):
        client.get(PAGE)


def test_figures_are_kept_for_some_seconds_apart_for_each_choice_and_language(
    client, busy, supervisor, django_assert_max_num_queries
):
    client.get(PAGE)
    with django_assert_max_num_queries(12):
        assert figures_of(client.get(PAGE).content.decode())["Reportados"][0] == "4"
    narrowed = client.get(f"{PAGE}?proceso=incidencia-tecnica").content.decode()
    assert figures_of(narrowed)["Reportados"][0] == "3"
    supervisor.language = "en"
    supervisor.save()
    assert figures_of(client.get(PAGE).content.decode())["Reported"][0] == "4"


@pytest.mark.parametrize(
    ("count", "was", "told"),
    [(9, 8, "12,5\xa0%"), (4, 8, "50,0\xa0%"), (80, 8, "900,0\xa0%"), (241, 1, "× 241")],
)
def test_change_of_a_count_is_a_percentage_unless_it_grew_manifold(count, was, told):
    with translation.override("es"):
        assert _times_or_percent(count, was) == told
