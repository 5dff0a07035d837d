"""Where a process loses time: every number of the map opens its tickets (S1.18, S4.3)."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import make_agent, make_supervisor, make_user
from agents.pages.process_times import PATHS_SHOWN
from tickets.facts import counting
from tickets.models import StageVisit, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation
from tickets.workflow.perform import perform

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE, LIST = "/agentes/panel/proceso/", "/agentes/panel/tickets/"
TECHNICAL = f"{PAGE}?proceso=incidencia-tecnica"


@pytest.fixture
def supervisor():
    return make_supervisor()


@pytest.fixture
def client(supervisor):
    return signed_in(supervisor)


@pytest.fixture
def busy(supervisor):
    """Three technical incidents: one rejected, one rejected again after two reopenings, one open. One guided."""
    guided, technical = make_process("solicitud-guiada"), make_process("incidencia-tecnica")
    once, twice, left = (make_ticket(technical) for _n in range(3))
    for ticket in (once, twice):
        perform(ticket, "descartar", actor=supervisor, data={"message": "No procede."})
    for _n in range(2):
        perform(twice, "reabrir", actor=supervisor, data={"note": "Sí procede."})
        perform(twice, "descartar", actor=supervisor, data={"message": "Ya no procede."})
    other = make_ticket(guided, requester=make_user())
    conversation.send_follow_up(other, actor=supervisor, body="Lo vemos.")
    StageVisit.objects.update(working_seconds=3600)
    counting.count_dirty()
    return {"once": once, "twice": twice, "left": left, "other": other, "process": technical}


def page_of(client, address=TECHNICAL):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def links_in(page):
    """Return the address, the name and the text of each link to a list."""
    found = re.findall(
        r'<a (?:class="[^"]*" )?(?:data-heat="\d" )?href="(/agentes/panel/tickets/[^"]+)"'
        r'(?:\s+aria-label="([^"]*)")?>(.*?)</a>',
        page,
        re.DOTALL,
    )
    return [(unescape(url), unescape(name), " ".join(text.split())) for url, name, text in found]


def listed(client, url):
    """Return the folios in the list, one for each time that the ticket was counted."""
    return re.findall(r'<td class="folio">([^<]+)<', page_of(client, url))


@pytest.mark.demand("S1.18", "S4.3")
def test_map_shows_each_stage_with_its_times_and_who_waits(client, busy):
    page = page_of(client)
    for stage in busy["process"].definition.stages:
        if not stage.is_end:
            assert f'aria-label="{stage.label}: mediana' in page
    assert page.count('<a class="node"') == sum(
        stage.kind not in ("rejected", "cancelled") for stage in busy["process"].definition.stages
    )
    assert [int(share) for share in re.findall(r"(\d+)\s% del tiempo", page)][:2] == [
        50,
        50,
    ]  # two visits of an hour each
    assert "Entraron 3 tickets" in text_of(client.get(TECHNICAL))


@pytest.mark.demand("S1.18")
def test_every_number_of_the_map_opens_a_list_that_counts_the_same(client, busy):
    links = links_in(page_of(client))
    said = [(url, int(found[1])) for url, name, _text in links if (found := re.search(r": (\d+) ve", name))]
    cells = [(url, int(text)) for url, _name, text in links if text.isdecimal()]
    assert len(said) >= 2
    assert len(cells) >= 4
    for url, count in said + cells:
        assert len(listed(client, url)) == count, url


def test_ticket_that_was_counted_twice_is_listed_twice(client, busy):
    links = links_in(page_of(client))
    [url] = [url for url, _name, text in links if "diagnostico%3Adescartar%3A" in url and text == "2"]
    assert listed(client, url) == [busy["twice"].folio] * 2
    assert "Volver al mapa" in page_of(client, url)


def test_ticket_that_is_open_is_counted_in_its_stage_now(client, busy):
    first = busy["process"].definition.stages[0]
    urls = {url for url, _name, text in links_in(page_of(client)) if text == "1 ahora"}
    [url] = urls
    page = page_of(client, url)
    assert busy["left"].folio in page
    assert busy["once"].folio not in page
    assert f"{first.label}: mediana" in page_of(client)


@pytest.mark.demand("S1.18")
def test_paths_tell_detours_apart_and_what_they_took(client, busy):
    page = page_of(client)
    paths = page[page.index('id="paths-t"') : page.index('id="steps-t"')]
    assert "2 terminados" in paths
    assert paths.count('<ol class="path">') == 2
    assert "data-detour" in paths
    assert "data-end" in paths
    for url, _name, text in links_in(paths):
        assert len(listed(client, url)) == int(text)


@pytest.mark.parametrize(("others", "told"), [(1, "Otro recorrido"), (2, "Otros 2 recorridos")])
def test_paths_beyond_the_most_frequent_open_their_list(client, busy, others, told):
    ends = [make_ticket(busy["process"]) for _n in range(PATHS_SHOWN - 2 + others)]
    now = timezone.now()
    for number, ticket in enumerate(ends):
        Ticket.objects.filter(pk=ticket.pk).update(
            path=f"registro/etapa-{number}", stage_kind="done", closed_at=now
        )
    list(counting.count_all())
    page = page_of(client)
    row = page[page.index(told) :]
    url, _name, text = links_in(row[: row.index("</tr>")])[0]
    assert text == f"{others}"
    assert len(listed(client, url)) == others


def test_change_against_the_period_before_is_told_with_its_direction(client, busy):
    first = busy["process"].definition.stages[0].key
    template = StageVisit.objects.filter(stage=first).first()
    now = timezone.now()
    for number in range(6):
        for left_at, hours in ((now, 8), (now - timedelta(days=35), 2)):
            ticket = make_ticket(busy["process"])
            Ticket.objects.filter(pk=ticket.pk).update(created_at=left_at - timedelta(hours=hours))
            StageVisit.objects.create(
                ticket=ticket,
                process_version_id=ticket.process_version_id,
                stage=first,
                number=number + 1,
                waited_for=template.waited_for,
                is_counted=True,
                entered_at=left_at - timedelta(hours=hours),
                left_at=left_at,
                action="descartar",
                next_stage="descartado",
                working_seconds=hours * 3600,
                elapsed_seconds=hours * 3600,
            )
    list(counting.count_all())
    page = text_of(client.get(TECHNICAL))
    changes = page[page.index("Qué cambió") :]
    assert re.search(
        r'data-good="no".{0,900}mediana</b>.{0,80}De (1|2)\s?h.{0,10} a (7|8)\s?h', changes, re.DOTALL
    )


def test_filters_count_the_map_of_a_part_of_the_tickets(client, busy):
    Ticket.objects.filter(pk=busy["once"].pk).update(severity="critical")
    page = page_of(client, f"{TECHNICAL}&severidad=critical")
    steps = page[page.index('id="steps-t"') :]
    assert [int(text) for _url, _name, text in links_in(steps)] == [1]
    assert "Quitar filtro Severidad" in page
    assert "Quitar filtro Proceso" not in page


def test_without_a_process_the_busiest_is_shown_and_a_wrong_one_is_named(client, busy):
    assert "Incidencia técnica, versión" in page_of(client, PAGE)
    page = page_of(client, f"{PAGE}?proceso=nada")
    assert "Ese valor del filtro «Proceso» no existe" in page
    assert "Incidencia técnica, versión" in page


def test_stage_that_only_an_earlier_version_has_is_listed_by_its_key(client, busy):
    visit = StageVisit.objects.filter(ticket=busy["once"]).first()
    StageVisit.objects.filter(pk=visit.pk).update(stage="etapa_vieja")
    list(counting.count_all())
    page = page_of(client)
    assert "etapa_vieja" in page
    assert "Etapa de una versión anterior" in page


def test_empty_desk_and_process_without_tickets_say_so(client):
    assert "Ningún proceso en uso" in page_of(client, PAGE)
    make_process("solicitud-guiada")
    caches["pages"].clear()  # the page is kept for some seconds
    assert "Nada en este período" in page_of(client, PAGE)


@pytest.mark.parametrize(
    "part", ["::", ":x", "\0", "1:\0", "a:b:c:d", "' OR 1=1", "x" * 4000, "a/b*99999999999/c"]
)
def test_strange_part_of_the_map_is_no_error(client, busy, part):
    for measure in ("stays", "moves", "paths", "open", "rejected", "filed"):
        assert client.get(LIST, {"medida": measure, "parte": part}).status_code == 200


def test_only_supervisors_see_the_map():
    make_process()
    assert signed_in(make_agent()).get(PAGE).status_code == 404
    assert signed_in(make_user()).get(PAGE).status_code == 404
    assert Client().get(PAGE).status_code == 302


def test_map_in_english_has_no_spanish(client, busy, supervisor):
    supervisor.language = "en"
    supervisor.save()
    page = text_of(client.get(TECHNICAL))
    assert "What changed" in page
    for word in ("mediana", "ahora", "Etapas", "Recorridos", "Pasos", "Entraron", "veces"):
        assert word not in page


def test_map_takes_as_many_queries_with_more_tickets(client, busy, django_assert_max_num_queries, supervisor):
    with django_assert_max_num_queries(16) as first:
        client.get(TECHNICAL)
    for _n in range(8):
        ticket = make_ticket(busy["process"])
        perform(ticket, "descartar", actor=supervisor, data={"message": "No procede."})
    counting.count_dirty()
    caches["pages"].clear()  # the body is kept for some seconds
    with django_assert_max_num_queries(len(first)):
        client.get(TECHNICAL)


def test_page_without_a_process_counts_that_process_alone(client, busy):
    """The default is what the address with the same process shows, also beside another filter."""
    for more in ("", f"&departamento={busy['left'].department.key}"):
        caches["pages"].clear()
        default = text_of(client.get(f"{PAGE}?{more}"))
        chosen = text_of(client.get(f"{TECHNICAL}{more}"))
        for told in ("Entraron 3 tickets", "2 terminados"):
            assert told in default
            assert told in chosen


def test_window_is_named_after_the_page(client, busy):
    assert "<title>Mapa del proceso" in text_of(client.get(PAGE)).replace("<title> ", "<title>")
    assert "<title>Panel" in text_of(client.get("/agentes/panel/")).replace("<title> ", "<title>")


@pytest.mark.parametrize(
    ("measure", "head", "time"),
    [
        ("stays", "Tiempo hábil", "1 h"),
        ("paths", "Tiempo hábil", "2 h"),
        ("resolved", "Tiempo hábil", "2 h"),
        ("answered", "Tiempo hábil", "45 min"),
        ("lasted", "Duración", "3 h"),
    ],
)
def test_list_behind_times_says_each_time(client, busy, measure, head, time):
    now = timezone.now()
    Ticket.objects.update(
        stage_kind="done",
        created_at=now - timedelta(hours=3),
        first_response_at=now,
        closed_at=now,
        first_response_seconds=2700,
        resolution_seconds=7200,
    )
    page = page_of(client, f"{LIST}?medida={measure}").replace("\xa0", " ")
    assert f'<th scope="col" class="r">{head}</th>' in page
    times = re.findall(r'<td class="r nowrap">([^<]*)</td>', page)
    assert times
    assert set(times) == {time}


def test_list_of_counted_tickets_has_no_times(client, busy):
    assert 'class="r nowrap"' not in page_of(client, f"{LIST}?medida=filed")
