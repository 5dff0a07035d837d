"""The queues as pages: what they show, to whom, in which order and with how many queries."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.enums import StageKind
from tickets.lists.figures import count_queues
from tickets.lists.queues import queues_for
from tickets.models import Nonconformity, Ticket
from tickets.tests.factories import make_process, make_ticket, set_clock
from tickets.workflow.perform import perform

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "results"}


def of(key: str) -> str:
    return reverse("agents:queue_of", args=[key])


def folios_in(response) -> list[str]:
    return re.findall(r'data-row="([^"]+)"', response.content.decode())


def change(ticket: Ticket, **values) -> Ticket:
    Ticket.objects.filter(pk=ticket.pk).update(**values)
    ticket.refresh_from_db()
    return ticket


@pytest.fixture
def supervisor():
    return make_supervisor()


@pytest.mark.demand("S2.25")
def test_row_shows_what_agents_need_to_choose(supervisor):
    customer = make_user(name="Mateo Ríos", standing="inactive")
    ticket = make_ticket(requester=customer, title="Cobro duplicado", description="Adjunto el extracto")
    change(ticket, severity="critical", assignee=make_agent(name="Diego Salazar"))
    page = signed_in(supervisor).get(of("todos"))
    text = text_of(page)
    for part in (
        ticket.folio,
        "Cobro duplicado",
        "Adjunto el extracto",
        "Mateo Ríos",
        "Inactivo",
        "Crítica",
        "Recibido",
        "Diego",
        'data-sla="ok"',
    ):
        assert part in text
    assert f'href="{reverse("agents:ticket", args=[ticket.folio])}?cola=todos"' in text


def test_due_date_groups_are_ordered_and_counted(supervisor):
    now = timezone.now()
    late = set_clock(make_ticket(), due_at=now - timedelta(hours=1))
    later = set_clock(make_ticket(), due_at=now + timedelta(days=9))
    paused = set_clock(make_ticket(), paused_at=now - timedelta(days=2), due_at=now - timedelta(days=1))
    page = signed_in(supervisor).get(of("todos"), {"orden": "vence"})
    assert folios_in(page) == [late.folio, later.folio, paused.folio]
    groups = re.findall(r'qtable__group">.*?</tr>', page.content.decode(), re.DOTALL)
    words = [re.sub(r"<[^>]+>|\s+", " ", group) for group in groups]
    assert [re.search(r"(Vencidos|A tiempo|En pausa).*?(\d+)", said).groups() for said in words] == [
        ("Vencidos", "1"),
        ("A tiempo", "1"),
        ("En pausa", "1"),
    ]


def test_group_count_includes_other_pages(supervisor, monkeypatch):
    monkeypatch.setattr("agents.views.queues.PAGE_SIZE", 2)
    late = set_clock(make_ticket(), due_at=timezone.now() - timedelta(hours=1))
    for _ in range(4):
        make_ticket()
    client, pages, url = signed_in(supervisor), [], f"{of('todos')}?orden=vence"
    while url:
        page = client.get(url)
        groups = re.findall(r'qtable__group">.*?</tr>', page.content.decode(), re.DOTALL)
        words = (re.sub(r"<[^>]+>|\s+", " ", group) for group in groups)
        pages.append([re.search(r"(Vencidos|A tiempo).*?(\d+)", said).groups() for said in words])
        link = re.search(r'href="([^"]+)" rel="next"', page.content.decode())
        url = link[1].replace("&amp;", "&") if link else ""
    assert late.is_open
    assert pages == [[("Vencidos", "1"), ("A tiempo", "4")], [("A tiempo", "4")], [("A tiempo", "4")]]


def test_row_and_ticket_show_the_same_clock(supervisor):
    ticket = make_ticket()
    set_clock(ticket, due_at=timezone.now() - timedelta(hours=2, minutes=5))
    client = signed_in(supervisor)
    for url in (of("todos"), reverse("agents:ticket", args=[ticket.folio])):
        assert 'data-sla="breached"' in text_of(client.get(url))


def told_of(page, ticket) -> tuple[str, str]:
    """Return the state of the promise that the ticket's row shows, and which promise it is."""
    row = re.search(rf'data-row="{ticket.folio}".*?</tr>', page.content.decode(), re.DOTALL)[0]
    return re.search(r'data-sla="(\w+)"', row)[1], re.search(r'promise__of truncate">([^<]*)<', row)[1]


def groups_of(page) -> list[str]:
    """Return the groups of the list as «Vencidos 1»."""
    groups = re.findall(r'qtable__group">(.*?)</tr>', page.content.decode(), re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", group).split()) for group in groups]


def test_list_follows_the_nearest_promise(supervisor):
    """A first response that is late counts as overdue, though its resolution has the whole day left."""
    now = timezone.now()
    calm, late = make_ticket(), make_ticket()
    set_clock(late, "first_response", due_at=now - timedelta(minutes=34))
    set_clock(late, due_at=now + timedelta(days=2))
    client = signed_in(supervisor)
    page = client.get(of("todos"), {"orden": "vence"})
    assert folios_in(page) == [late.folio, calm.folio]
    assert told_of(page, late) == ("breached", "1.ª respuesta")
    assert groups_of(page) == ["Vencidos 1", "A tiempo 1"]
    compact = text_of(client.get(reverse("agents:queue_items", args=["todos"])))
    assert re.search(r'data-sla="breached".*?34 min.*?1.ª respuesta', compact)
    customer = text_of(client.get(reverse("agents:customer", args=[late.requester_id])))
    assert re.search(r'data-sla="breached".*?34 min.*?1.ª respuesta', customer)

    set_clock(late, "first_response", stopped_at=now)
    set_clock(calm, "first_response", due_at=now + timedelta(days=1, hours=2))
    page = client.get(of("todos"), {"orden": "vence"})
    assert folios_in(page) == [calm.folio, late.folio], "a first response answered late is history"
    assert (told_of(page, late), told_of(page, calm)) == (("ok", "Resolución"), ("ok", "1.ª respuesta"))
    assert groups_of(page) == ["A tiempo 2"]


def test_elevated_tag_gives_way_to_the_breach_that_says_so(supervisor):
    late = change(make_ticket(), is_escalated=True)
    set_clock(late, "first_response", due_at=timezone.now() - timedelta(minutes=34))
    client = signed_in(supervisor)
    assert 'tag--bad">Elevado' not in text_of(client.get(of("elevados")))
    set_clock(late, "first_response", stopped_at=timezone.now())
    assert 'tag--bad">Elevado' in text_of(client.get(of("elevados")))


def test_ticket_without_a_running_promise_is_in_a_group_of_its_own(supervisor):
    ticket = make_ticket(make_process("solicitud-guiada"))
    set_clock(ticket, "first_response", stopped_at=timezone.now())
    page = signed_in(supervisor).get(of("todos"))
    assert groups_of(page) == ["Sin plazo 1"]
    assert "data-sla" not in re.search(r"<tbody>.*</tbody>", page.content.decode(), re.DOTALL)[0]


def test_closed_ticket_tells_how_its_resolution_ended(supervisor):
    ticket = change(make_ticket(), stage_kind=StageKind.DONE, stage="cerrado")
    set_clock(ticket, "first_response", stopped_at=timezone.now())
    set_clock(ticket, stopped_at=timezone.now())
    assert told_of(signed_in(supervisor).get(of("cerrados")), ticket) == ("met", "Resolución")


@pytest.mark.demand("S2.35")
def test_preparing_queue_is_ordered_by_arrival(supervisor):
    first, second, third = (make_ticket() for _ in range(3))
    set_clock(third, due_at=timezone.now() + timedelta(minutes=5))
    client = signed_in(supervisor)
    assert folios_in(client.get(of("por-preparar"))) == [first.folio, second.folio, third.folio]
    assert folios_in(client.get(of("todos"), {"orden": "vence"}))[0] == third.folio
    assert folios_in(client.get(of("todos"), {"orden": "llegada"})) == [
        first.folio,
        second.folio,
        third.folio,
    ]
    assert folios_in(client.get(of("todos"), {"orden": "recientes"}))[0] == third.folio


def test_pages_show_every_ticket_once(supervisor, monkeypatch):
    monkeypatch.setattr("agents.views.queues.PAGE_SIZE", 2)
    expected = [make_ticket().folio for _ in range(5)]
    client, seen, url = signed_in(supervisor), [], f"{of('todos')}?orden=llegada"
    while url:
        page = client.get(url)
        seen += folios_in(page)
        link = re.search(r'href="([^"]+)" rel="next"', page.content.decode())
        url = link[1].replace("&amp;", "&") if link else ""
    assert seen == expected
    back = re.search(r'href="([^"]+)" rel="prev"', page.content.decode())[1].replace("&amp;", "&")
    assert folios_in(client.get(back)) == expected[2:4]


def test_invalid_cursor_shows_the_first_page(supervisor):
    ticket = make_ticket()
    page = signed_in(supervisor).get(of("todos"), {"desde": "due_at__lt:x"})
    assert "Esa página ya no existe" in text_of(page)
    assert folios_in(page) == [ticket.folio]


def test_long_address_is_not_repeated_in_every_row(supervisor):
    ticket = make_ticket()
    page = text_of(signed_in(supervisor).get(of("todos"), {"desde": "x" * 3000}))
    assert f'href="/agentes/tickets/{ticket.folio}/?cola=todos"' in page


@pytest.mark.parametrize("filters", ["", "severidad=medium&q=plataforma&orden=llegada"])
def test_page_that_others_emptied_shows_the_nearest_one(supervisor, monkeypatch, filters):
    """Two people work on one queue: the second page of one is done by the other."""
    monkeypatch.setattr("agents.views.queues.PAGE_SIZE", 2)
    tickets = [make_ticket() for _ in range(4)]
    client = signed_in(supervisor)
    first = client.get(f"{of('todos')}?{filters}")
    link = re.search(r'href="([^"]+)" rel="next"', first.content.decode())[1].replace("&amp;", "&")
    for ticket in tickets[2:]:
        change(ticket, stage_kind=StageKind.DONE)
    page = client.get(link)
    assert folios_in(page) == [tickets[0].folio, tickets[1].folio]
    assert "Esa página ya no tiene nada. Te mostramos la más cercana." in text_of(page)
    assert "Nada pendiente aquí" not in text_of(page)
    compact = client.get(link.replace("/todos/", "/todos/lista/"))
    assert all(ticket.folio in text_of(compact) for ticket in tickets[:2])
    for ticket in tickets[:2]:
        change(ticket, stage_kind=StageKind.DONE)
    assert "Esa página" not in text_of(client.get(link)), "the whole list is empty, and says so"


def test_other_lists_show_the_nearest_page_too(supervisor, monkeypatch):
    customer = make_user()
    tickets = [make_ticket(requester=customer) for _ in range(3)]
    monkeypatch.setattr("agents.views.customers.PAGE_SIZE", 2)
    monkeypatch.setattr("agents.views.nonconformities.PAGE_SIZE", 2)
    reports = [Nonconformity.objects.create(ticket=ticket, reason="No") for ticket in tickets]
    client = signed_in(supervisor)
    lists = {
        reverse("agents:customer", args=[customer.pk]): lambda: change(tickets[0], requester=make_user()),
        reverse("agents:nonconformities"): lambda: reports[0].delete(),
    }
    for address, empty in lists.items():
        link = re.search(r'href="([^"]+)" rel="next"', client.get(address).content.decode())[1]
        empty()
        page = text_of(client.get(f"{address}{link}"))
        assert "Esa página ya no tiene nada." in page
        assert tickets[2].folio in page


def test_htmx_gets_only_the_results(supervisor):
    ticket = make_ticket()
    client = signed_in(supervisor)
    part = client.get(of("todos"), headers=HTMX)
    assert folios_in(part) == [ticket.folio]
    assert "<html" not in text_of(part)
    whole = client.get(of("todos"))
    assert 'id="results"' in text_of(whole)
    assert 'aria-label="Colas y vistas"' in text_of(whole)
    assert "HX-Request" in whole["Vary"]


def test_empty_queue_shows_a_message(supervisor):
    assert "Nada pendiente aquí" in text_of(signed_in(supervisor).get(of("elevados")))


def test_counts_stop_at_the_limit(supervisor, monkeypatch):
    monkeypatch.setattr("tickets.lists.queues.MANY", 2)
    monkeypatch.setattr("agents.templatetags.desk.MANY", 2)
    for _ in range(3):
        make_ticket()
    page = text_of(signed_in(supervisor).get(of("todos")))
    assert '<span class="count">1+<span class="visually-hidden"> tickets</span></span>' in page


@pytest.mark.parametrize(("prepares", "queries"), [(False, 7), (True, 6)])
@pytest.mark.parametrize("rows", [1, 49])
def test_queue_query_count_is_constant(rows, prepares, queries, django_assert_num_queries):
    """For whoever prepares tickets their count takes the place of the query whether they may. Counting all figures
    takes six queries more, every `KEPT_SECONDS`."""
    department = make_department()
    people = [make_agent(department) for _ in range(3)]
    agent = people[0]
    for number in range(rows):
        change(make_ticket(), assignee=people[number % 3])
    if prepares:
        make_ticket(make_process("incidencia-tecnica"))
        rows += 1
    client = signed_in(agent)
    client.get(of("todos"))
    with django_assert_num_queries(queries):
        page = client.get(of("todos"))
    assert len(folios_in(page)) == rows
    cache.clear()
    with django_assert_num_queries(queries + 6):
        client.get(of("todos"))


# --- Access ---------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere():
    """A ticket of another department, with texts that could leak."""
    ticket = make_ticket(title="Secreto de CCA", requester=make_user(name="Persona Oculta"))
    return change(ticket, department=make_department("cca"), is_escalated=True)


@pytest.mark.parametrize(
    "key",
    ["mios", "por-preparar", "sin-asignar", "todos", "elevados", "departamento-soporte-tecnico", "cerrados"],
)
def test_tickets_of_other_departments_are_not_counted(elsewhere, key):
    page = text_of(signed_in(make_agent()).get(of(key)))
    assert elsewhere.folio not in page
    assert "Secreto de CCA" not in page
    assert "Persona Oculta" not in page
    figures = re.findall(r'class="n[^"]*">([^<]+)<', page)
    assert set(figures) == {"0"}


def test_queue_of_another_department_is_not_found(elsewhere):
    client = signed_in(make_agent())
    for name in ("queue_of", "queue_filters", "queue_items"):
        url = reverse(f"agents:{name}", args=["departamento-cca"])
        assert client.get(url).status_code == 404
    assert elsewhere.folio in text_of(signed_in(make_supervisor()).get(of("departamento-cca")))


def test_compact_list_marks_ticket_and_its_neighbours(supervisor):
    first, second, third = (make_ticket() for _ in range(3))
    url = reverse("agents:queue_items", args=["por-preparar"])
    page = text_of(signed_in(supervisor).get(url, {"actual": second.folio}))
    assert re.search(rf'href="[^"]*{second.folio}/\?cola=por-preparar" aria-current="true"', page)
    assert re.search(rf'href="[^"]*{first.folio}/[^"]*" data-key="k"', page)
    assert re.search(rf'href="[^"]*{third.folio}/[^"]*" data-key="j"', page)


def test_reading_queues_changes_nothing(supervisor):
    ticket = make_ticket()
    client = signed_in(supervisor)
    before = list(Ticket.objects.values_list())
    for key in ("mios", "todos", "cerrados"):
        client.get(of(key))
        client.get(reverse("agents:queue_filters", args=[key]))
        client.get(reverse("agents:queue_items", args=[key]))
    assert list(Ticket.objects.values_list()) == before
    assert list(ticket.events.values_list("kind", flat=True)) == ["filed"]


@pytest.mark.demand("S1.18")
def test_closed_tickets_are_in_closed_queue_and_history(supervisor):
    ticket = change(make_ticket(), stage_kind=StageKind.DONE, stage="cerrado")
    client = signed_in(supervisor)
    assert folios_in(client.get(of("todos"))) == []
    assert folios_in(client.get(of("cerrados"))) == [ticket.folio]
    working = make_ticket()
    history = client.get(reverse("agents:history"))
    assert set(folios_in(history)) == {ticket.folio, working.folio}
    assert "Cerrado" in text_of(history)
    assert "Recibido" in text_of(history)


def test_phone_menu_links_supervisors_to_nonconformities(supervisor):
    def menu(user) -> str:
        page = text_of(signed_in(user).get(reverse("agents:queue")))
        return re.search(r'<details class="menu menu--start only-sm".*?</details>', page)[0]

    assert reverse("agents:nonconformities") in menu(supervisor)
    assert reverse("agents:nonconformities") not in menu(make_agent())


@pytest.mark.demand("S2.44")
def test_people_find_a_ticket_while_it_is_their_turn():
    """Atención al usuario closes tickets of every department. Page, lists, figures and search show the same ones."""
    ticket, service = (
        make_ticket(title="Hora de vuelo perdida"),
        make_agent(make_department("atencion-al-usuario")),
    )
    client, page = signed_in(service), reverse("agents:ticket", args=[ticket.folio])
    search = reverse("agents:palette")

    def sights():
        yield client.get(page).status_code == 200
        for queue in ("todos", "por-aprobar"):
            yield ticket.folio in folios_in(client.get(of(queue)))
        yield "Hora de vuelo perdida" in text_of(client.get(search, {"q": "hora de vuelo"}, headers=HTMX))
        yield count_queues(queues_for(service), service)["todos"] == 1

    assert set(sights()) == {False}
    solver = make_agent(ticket.department)
    change(
        ticket,
        stage="procesar",
        stage_kind=StageKind.WORK,
        standing_checked_at=timezone.now(),
        assignee=solver,
    )
    perform(ticket, "pedir_aprobacion", actor=solver, data={"solution_done": "Listo."})
    assert list(sights()) == [True] * 5
    perform(ticket, "rechazar", actor=ticket.requester, data={"message": "Sigue igual."})
    assert set(sights()) == {False}


@pytest.mark.parametrize("rows", [1, 12])
def test_side_list_asks_for_its_figures_alone(supervisor, rows, django_assert_num_queries):
    for number in range(rows):
        make_ticket(title=f"Caso {number}")
    client = signed_in(supervisor)
    page = client.get(of("por-preparar")).content.decode()
    side_list = {"HX-Request": "true", "HX-Target": "side-queues"}
    with django_assert_num_queries(4):
        answer = client.get(of("por-preparar"), headers=side_list).content.decode()
    cache.clear()
    with django_assert_num_queries(10):  # three of them to find out of whom nobody may act
        assert client.get(of("por-preparar"), headers=side_list).content.decode() == answer

    figures = re.findall(r'class="n[^"]*">([^<]+)<', answer)
    assert figures == re.findall(r'class="n[^"]*">([^<]+)<', page)
    assert str(rows) in figures
    assert re.search(rf'id="queue-count"[^>]*>\s*<span class="count">{rows}<', answer)
    assert 'id="rail-prepare"' in answer
    assert "data-row" not in answer
    unreadable = side_list | {"HX-Current-URL": "http://["}
    assert client.get(of("por-preparar"), headers=unreadable).content.decode() == answer


def test_list_to_prepare_refreshes_alone(supervisor):
    first = make_ticket(title="Llegó antes")
    client = signed_in(supervisor)
    make_ticket(title="Llegó ahora")

    answer = client.get(
        reverse("agents:prepare_ticket", args=[first.folio]),
        headers={"HX-Request": "true", "HX-Target": "prep-line"},
    ).content.decode()

    assert "Llegó ahora" in answer
    assert '<span class="count">2</span>' in answer
    assert "<form" not in answer


@pytest.mark.demand("S2.35")
@pytest.mark.parametrize(
    "queue", ["mios", "departamento-soporte-tecnico", "todos", "sin-asignar", "elevados"]
)
def test_tickets_of_a_process_by_arrival_are_listed_by_arrival_everywhere(queue):
    """Also beside a ticket. The one that is due first arrived last, and the first waits for its customer."""
    agent = make_agent(make_department("soporte-tecnico"))
    waits, first, last = (make_ticket(category="plataforma") for _ in range(3))
    set_clock(last, due_at=timezone.now() + timedelta(minutes=5))
    set_clock(waits, paused_at=timezone.now())
    Ticket.objects.update(
        assignee=None if queue == "sin-asignar" else agent, is_escalated=queue == "elevados"
    )
    client, expected = signed_in(agent), [first.folio, last.folio, waits.folio]
    page = client.get(of(queue))
    assert folios_in(page) == expected
    assert "Se atiende por orden de llegada. Sigue <a href=" in text_of(page)
    assert f">{first.folio}</a>." in text_of(page)
    beside = client.get(reverse("agents:queue_items", args=[queue]), {"actual": first.folio}).content.decode()
    assert [beside.index(folio) for folio in expected] == sorted(beside.index(folio) for folio in expected)
    by_due = client.get(of(queue), {"orden": "vence"})
    assert folios_in(by_due)[0] == last.folio
    assert "Sigue <a" not in text_of(by_due)


@pytest.mark.demand("S2.35")
def test_list_with_tickets_by_due_date_opens_by_due_date():
    agent = make_agent(make_department("soporte-tecnico"))
    first, urgent = make_ticket(category="plataforma"), make_ticket(make_process("incidencia-tecnica"))
    set_clock(urgent, due_at=timezone.now() + timedelta(minutes=5))
    client = signed_in(agent)
    assert folios_in(client.get(of("todos"))) == [urgent.folio, first.folio]
    change(urgent, stage="cerrado", stage_kind=StageKind.DONE)
    cache.clear()  # the order follows some seconds later
    assert "Se atiende por orden de llegada." in text_of(client.get(of("todos")))
