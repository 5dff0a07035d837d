"""The filters of a queue: each parameter has its own list of values, and nothing else becomes a lookup (B1)."""

import pytest
from django.db import connection
from django.db.models.expressions import RawSQL
from django.http import QueryDict
from django.urls import reverse

from accounts.models import CustomerKind
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from agents.forms.filters import QueueFilter, matching
from tickets.enums import StageKind
from tickets.lists import queues
from tickets.models import Category, Process, Ticket
from tickets.tests.factories import make_process, make_ticket

from .factories import signed_in, text_of
from .test_queues import change, folios_in, of

pytestmark = pytest.mark.django_db


def found(query: str) -> set[str]:
    filters = QueueFilter(QueryDict(query), queue=queues.ALL, user=make_supervisor())
    assert filters.problems == []
    return set(filters.apply(Ticket.objects.all()).values_list("title", flat=True))


@pytest.fixture
def world():
    """Three tickets of one process. Every other filter of a queue matches only some of them."""
    make_process()
    kind, _created = CustomerKind.objects.get_or_create(key="parkiador", defaults={"name": "Parkiador"})
    lucia = make_user(name="Lucía Fernández", email="lucia@example.com", kind=kind)
    agent = make_agent()
    one = make_ticket(title="Uno", requester=lucia, category="plataforma")
    two = make_ticket(title="Dos")
    three = make_ticket(title="Tres")
    change(one, severity="critical", assignee=agent, stage_kind=StageKind.WORK, public_state="in_progress")
    change(two, severity="high", department=make_department("cca"))
    change(three, severity="low", category=Category.objects.exclude(key="plataforma").first())
    return {"agent": agent, "one": one}


@pytest.mark.demand("S1.19")
def test_each_filter_selects_its_tickets(world):
    category = Category.objects.get(key="plataforma", process__key="soporte-con-aprobacion")
    assert found("severidad=critical") == {"Uno"}
    assert found("severidad=critical&severidad=high") == {"Uno", "Dos"}
    assert found("etapa=work") == {"Uno"}
    assert found("vista=curso") == {"Uno"}
    assert found("departamento=cca") == {"Dos"}
    assert found(f"responsable={world['agent'].pk}") == {"Uno"}
    assert found("responsable=nadie") == {"Dos", "Tres"}
    assert found("cliente=parkiador") == {"Uno"}
    assert "Uno" in found(f"categoria={category.pk}")
    assert "Tres" not in found(f"categoria={category.pk}")
    assert found("proceso=soporte-con-aprobacion&severidad=low") == {"Tres"}


@pytest.mark.parametrize("text", ["lucía", "LUCIA", "LUCIA@example.com", "uno lucía", "Fern", "FERNÁN"])
def test_search_matches_title_and_requester(world, text):
    assert found(f"q={text}") == {"Uno"}


def test_search_matches_folio_or_its_number(world):
    folio = world["one"].folio
    assert found(f"q={folio.lower()}") == {"Uno"}
    assert found(f"q={folio.partition('-')[2]}") == {"Uno"}


@pytest.mark.demand("S1.19")
def test_process_fields_become_filters():
    make_process("reparacion-de-dispositivo")
    process = Process.objects.get(key="reparacion-de-dispositivo")
    choice = next(item for item in process.definition.fields if item.type == "choice")
    text = next(item for item in process.definition.fields if item.type == "text")
    customer = make_user()
    version = process.current
    stage = process.definition.first_stage
    for number, option in enumerate(choice.options[:2]):
        Ticket.objects.create(
            folio=f"R-{number}",
            process_version=version,
            requester=customer,
            title=option.key,
            fields={choice.key: option.key, text.key: f"Marca {number}"},
            stage=stage.key,
            stage_kind=stage.kind,
        )
    first, second = (option.key for option in choice.options[:2])
    assert found(f"proceso={process.key}&campo-{choice.key}={first}") == {first}
    assert found(f"proceso={process.key}&campo-{text.key}=marca 1") == {second}
    assert found(f"proceso={process.key}") == {first, second}


def test_yes_no_field_becomes_a_filter():
    source = """
format = 1
key = "con-si"
name = { es = "Con sí" }
department = "soporte-tecnico"
[[fields]]
key = "garantia"
label = { es = "¿Está en garantía?" }
type = "yes_no"
[[stages]]
key = "nuevo"
label = { es = "Nuevo" }
kind = "new"
[[stages]]
key = "fin"
label = { es = "Fin" }
kind = "done"
[[actions]]
key = "cerrar"
label = { es = "Cerrar" }
from = ["nuevo"]
to = "fin"
by = ["staff"]
"""
    from tickets.workflow.publishing import publish

    make_department()
    process = publish(source).process
    for title, fields in (("sí", {"garantia": True}), ("no", {"garantia": False}), ("vacío", {})):
        Ticket.objects.create(
            folio=f"G-{title}",
            process_version=process.current,
            requester=make_user(),
            title=title,
            fields=fields,
            stage="nuevo",
            stage_kind="new",
        )
    assert found("proceso=con-si&campo-garantia=si") == {"sí"}
    assert found("proceso=con-si&campo-garantia=no") == {"no", "vacío"}


@pytest.mark.parametrize(
    "name",
    [
        "assignee__password__startswith",
        "queue__email_box_pass",
        "requester__email",
        "severidad__in",
        "campo-x__contains",
        "orden__desc",
        "__class__",
        "id",
        "assignee",
    ],
)
def test_unknown_parameter_is_reported_and_not_looked_up(world, name):
    client = signed_in(make_supervisor())
    plain = folios_in(client.get(of("todos")))
    page = client.get(of("todos"), {name: "md5$"})
    assert f"No conocemos el filtro «{name}»." in text_of(page)
    assert folios_in(page) == plain
    filters = QueueFilter(QueryDict(f"{name}=md5$"), queue=queues.ALL, user=make_supervisor())
    assert str(filters.apply(Ticket.objects.all()).query) == str(Ticket.objects.filter().query)
    assert name not in filters.query


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("severidad", "critical' OR 1=1 --"),
        ("etapa", "done__in"),
        ("categoria", "1__key"),
        ("categoria", "99999999999999999999999"),
        ("departamento", "cca\x00"),
        ("proceso", "no-hay\x00"),
        ("responsable", "abc"),
        ("responsable", "-1"),
        ("orden", "-assignee__password"),
        ("vista", "__all__"),
        ("q", "a\x00b"),
    ],
)
def test_unknown_value_is_reported_and_ignored(world, name, value):
    page = signed_in(make_supervisor()).get(of("todos"), {name: value})
    assert page.status_code == 200
    assert "no existe. Lo dejamos fuera." in text_of(page)
    assert len(folios_in(page)) == 3


def test_active_filters_are_removable_chips(world):
    page = text_of(
        signed_in(make_supervisor()).get(
            of("todos"), {"severidad": ["critical", "high"], "departamento": "cca"}
        )
    )
    assert "Crítica, Alta" in page
    assert 'href="/agentes/colas/todos/?departamento=cca"' in page
    assert 'href="/agentes/colas/todos/?severidad=critical&amp;severidad=high"' in page


def test_filter_form_is_a_page_or_part(world):
    client = signed_in(make_supervisor())
    url = reverse("agents:queue_filters", args=["todos"])
    whole = text_of(client.get(url, {"proceso": "soporte-con-aprobacion", "severidad": "high"}))
    assert "<html" in whole
    assert 'value="high" checked' in whole.replace('id="id_severidad_1" ', "")
    part = text_of(client.get(url, headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert 'name="cliente"' in part


def test_empty_result_links_back_to_the_queue(world):
    page = text_of(signed_in(make_supervisor()).get(of("todos"), {"q": "inexistente"}))
    assert "Ningún ticket coincide" in page
    assert 'href="/agentes/colas/todos/"' in page


# --- Searches that take too long --------------------------------------------------------------------------


@pytest.fixture
def slow_words(monkeypatch):
    """Looking for words takes longer than it may, as among millions of tickets."""

    def slow(tickets, text, **among):
        found = matching(tickets, text, **among)
        if text.startswith("MA-"):
            return found
        return found.alias(slow=RawSQL("(SELECT 1 FROM pg_sleep(2))", [])).filter(slow=1)

    monkeypatch.setattr("content.time_limit.SECONDS", 0.1)
    monkeypatch.setattr("agents.forms.filters.matching", slow)
    monkeypatch.setattr("agents.views.palette.matching", slow)


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite cannot stop a query")
class TestSlowSearch:
    def test_queue_says_so_and_keeps_the_text(self, slow_words):
        make_ticket(title="La impresora")
        page = signed_in(make_supervisor()).get(of("todos"), {"q": "impresora"})
        text = text_of(page)
        assert page.status_code == 200
        assert "queue-count" not in text, "nobody knows how many match"
        assert "tarda demasiado" in text
        assert "No terminamos de buscar" in text
        assert 'value="impresora"' in text
        assert "Ningún ticket coincide" not in text

    def test_palette_says_so_and_offers_its_pages(self, slow_words):
        make_ticket(title="La impresora")
        address = f"{reverse('agents:palette')}?q=impresora"
        text = text_of(signed_in(make_supervisor()).get(address, headers={"HX-Request": "true"}))
        assert "tarda demasiado" in text
        assert "No encontramos nada" not in text

    def test_folio_is_found_all_the_same(self, slow_words):
        ticket = make_ticket(title="La impresora")
        page = signed_in(make_supervisor()).get(reverse("agents:history"), {"q": ticket.folio})
        assert folios_in(page) == [ticket.folio]


def test_folio_is_looked_up_before_words():
    """Its index finds it at once, while words are looked for in every ticket."""
    ticket = make_ticket()
    number = ticket.folio.partition("-")[2]
    other = make_ticket(title=f"Pedido {number}")
    for text in (ticket.folio, number, f"ticket {ticket.folio.lower()}"):
        tickets = matching(Ticket.objects.all(), text)
        assert "text_folded" not in str(tickets.query).partition(" WHERE ")[2]
        assert list(tickets) == [ticket]
    assert list(matching(Ticket.objects.exclude(pk=ticket.pk), number)) == [other]


def test_folio_of_another_queue_is_named_with_a_link():
    closed, hidden = make_ticket(), make_ticket()
    change(closed, stage="cerrado", stage_kind=StageKind.DONE)
    change(hidden, department=make_department("cca"))
    agent = signed_in(make_agent())

    text = text_of(agent.get(of("todos"), {"q": closed.folio}))
    assert f"{closed.folio} no está en esta lista" in text
    assert f'href="{reverse("agents:ticket", args=[closed.folio])}"' in text

    text = text_of(agent.get(of("todos"), {"q": hidden.folio}))
    assert "no está en esta lista" not in text
    assert "Ningún ticket coincide" in text
