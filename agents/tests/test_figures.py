"""Every figure of the back office counts the list that it stands for: the tests follow each and count the rows."""

import re
from datetime import UTC, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from accounts.tests.factories import (
    make_administrator,
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from tickets.definitions.loading import library
from tickets.enums import Severity
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket, set_clock

from .factories import signed_in, text_of
from .test_queues import folios_in, of

pytestmark = pytest.mark.django_db
FIELDS = {
    "reporte-de-incidentes": {"fields": {"tipo": "tarea", "sistema": "Nómina", "prioridad": "high"}},
    "reparacion-de-dispositivo": {"fields": {"marca": "LG"}, "phone": "0212 555 0101"},
}


def zone_of_the_morning() -> str:
    """Return a time zone in which it is past ten now, so that something can still be due today at any hour."""
    ahead = (10 - timezone.now().astimezone(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"


@pytest.fixture
def people():
    technical, cca = make_department(), make_department("cca")
    manager = make_agent(technical, cca)
    Membership.objects.filter(user=manager).update(is_manager=True)
    people = [make_agent(technical), make_agent(cca), manager, make_supervisor(), make_administrator()]
    for person in people:
        person.time_zone = zone_of_the_morning()
        person.save(update_fields=["time_zone"])
    return people


@pytest.fixture
def world(people, monkeypatch):
    """A ticket in each stage of each process, which differ in department, assignee, severity, promise and pause.

    Pages are short, so that most lists have several.
    """
    monkeypatch.setattr("agents.views.queues.PAGE_SIZE", 5)
    places = [make_department(), make_department("cca"), None]
    owners, now, number = [people[0], None, people[1], None, people[3]], timezone.now(), 0
    for key in library():
        process = make_process(key)
        for stage in process.definition.stages:
            ticket, number = make_ticket(process, **FIELDS.get(key, {})), number + 1
            clock = stage.kind.meta.clock
            ended = {"stopped_at": now} if clock == "stops" else {}
            paused = {"paused_at": now} if clock == "pauses" else {}
            set_clock(
                ticket,
                "first_response",
                due_at=now + timedelta(hours=7 * (number % 9) - 20),
                **ended,
                **paused,
            )
            set_clock(ticket, due_at=now + timedelta(hours=11 * (number % 7) - 20), **ended, **paused)
            Ticket.objects.filter(pk=ticket.pk).update(
                stage=stage.key,
                stage_kind=stage.kind,
                public_state=stage.kind.meta.public_state,
                department=places[number % 3],
                assignee=owners[number % 5],
                is_escalated=number % 4 == 0,
                severity=list(Severity)[number % 4],
            )
    return people


def walk(client, address: str) -> tuple[list[str], list]:
    """Return the folios of all pages of a list, and the pages."""
    folios, pages = [], []
    while address:
        pages.append(client.get(address))
        folios += folios_in(pages[-1])
        link = re.search(r'href="([^"]+)" rel="next"', pages[-1].content.decode())
        address = link[1].replace("&amp;", "&") if link else ""
    return folios, pages


def figures_in(text: str, css: str) -> dict[str, str]:
    """Return the figures of the queues by address: of the side list (`css` is its class), or of the phone's menu."""
    shown = re.finditer(r'<a (?:class="([^"]*)" )?href="(/agentes/colas/[^"/]+/)"(.*?)</a>', text)
    found = {m[2]: re.search(r">(\d+)<", m[3]) for m in shown if (m[1] or "") == css}
    return {href: count[1] for href, count in found.items() if count}


def header(page) -> str | None:
    found = re.search(r'id="queue-count"[^>]*> <span class="count">(\d+)', text_of(page))
    return found and found[1]


def test_each_queue_holds_as_many_tickets_as_its_figures_say(world):
    differing = set()
    for user in world:
        client = signed_in(user)
        start = text_of(client.get(of("mios")))
        aside, menu = figures_in(start, "side__link"), figures_in(start, "")
        assert len(aside) >= 7
        assert menu == aside
        for href, count in aside.items():
            folios, pages = walk(client, href)
            assert len(set(folios)) == len(folios) == int(count), href
            assert {header(page) for page in pages} == {count}, href
        differing.add(aside[of("por-preparar")])
    assert len(differing) > 2, "the people must differ in what they prepare"


def test_preparing_shows_the_same_figure_everywhere(world):
    """On the side list, in the rail, beside the line and as «1 de N», and that many tickets can be prepared."""
    for user in world:
        client = signed_in(user)
        queue = client.get(of("por-preparar"))
        expected, _pages = walk(client, of("por-preparar"))
        rail = re.search(r'aria-label="Preparar(?:, (\d+) pendientes?)?"', text_of(queue))
        if not expected:
            assert rail is None or rail[1] is None
            continue
        assert rail[1] == str(len(expected))
        page = text_of(client.get(reverse("agents:prepare"), follow=True))
        line = re.findall(r'class="qitem" href="/agentes/preparar/([^/]+)/"', page)
        assert line == expected, "the same tickets in the same order"
        assert f"1 de {len(expected)}" in page
        assert re.search(r'aria-label="Preparar, (\d+) pendiente', page)[1] == str(len(expected))
        assert re.search(r'side__title">Por preparar</span> <span class="count">(\d+)<', page)[1] == str(
            len(expected)
        )
        for folio in line:
            assert 'id="prep"' in text_of(client.get(reverse("agents:prepare_ticket", args=[folio]))), folio


def test_figure_of_a_long_line_is_the_queues(monkeypatch):
    monkeypatch.setattr("tickets.lists.preparation.LINE_SIZE", 2)
    for _ in range(4):
        make_ticket()
    client = signed_in(make_supervisor())
    assert "1 de 4" in text_of(client.get(reverse("agents:prepare"), follow=True))
    assert figures_in(text_of(client.get(of("mios"))), "side__link")[of("por-preparar")] == "4"


def test_each_group_holds_as_many_rows_as_its_figure_says(world):
    for user in world:
        client = signed_in(user)
        _folios, pages = walk(client, of("todos"))
        told: dict[str, set[str]] = {}
        rows: dict[str, int] = {}
        for page in pages:
            for group in re.split(r'class="qtable__group">', page.content.decode())[1:]:
                name, _row, _rest = group.partition("</tr>")
                label, count = re.fullmatch(
                    r"(.+) (\d+)", " ".join(re.sub(r"<[^>]+>", " ", name).split())
                ).groups()
                told.setdefault(label, set()).add(count)
                rows[label] = rows.get(label, 0) + group.count("data-row=")
        assert told == {label: {str(count)} for label, count in rows.items()}
        assert len(told) >= 4


FILTERS = """
severidad=high vista=curso vista=espera vista=por-aprobar vista=por-verificar
responsable=nadie q=plataforma etapa=work&severidad=low
q=no-hay
"""


@pytest.mark.parametrize("filters", FILTERS.split())
def test_figure_of_a_filtered_list_counts_what_it_shows(world, filters):
    client = signed_in(world[3])
    folios, pages = walk(client, f"{of('todos')}?{filters}")
    assert {header(page) for page in pages} == {str(len(folios))}
    part = client.get(f"{of('todos')}?{filters}", headers={"HX-Request": "true", "HX-Target": "results"})
    assert header(part) == str(len(folios))
    assert 'hx-swap-oob="true"' in text_of(part)
    assert len(folios) < Ticket.objects.open().count() or filters.startswith("q=plataforma")


def test_customers_figures_count_their_tickets(world, monkeypatch):
    monkeypatch.setattr("agents.views.customers.PAGE_SIZE", 3)
    customer = make_user()
    Ticket.objects.update(requester=customer)
    for user in world:
        client = signed_in(user)
        address = reverse("agents:customer", args=[customer.pk])
        folios, link, text = [], "", ""
        while True:
            page = client.get(f"{address}{link}")
            text = text or text_of(page)
            folios += re.findall(r'<span class="folio">([^<]+)</span>', page.content.decode())
            found = re.search(r'href="([^"]+)" rel="next"', page.content.decode())
            if not found:
                break
            link = found[1]
        opened, every = re.search(r"(\d+) tickets? abiertos? de (\d+)", text).groups()
        assert int(every) == len(folios)
        assert int(opened) == Ticket.objects.open().filter(folio__in=folios).count()
        some = Ticket.objects.visible_to(user).first()
        others = re.search(
            r"(\d+) tickets? más", text_of(client.get(reverse("agents:ticket", args=[some.folio])))
        )
        assert others is None or int(others[1]) == len(folios) - 1
