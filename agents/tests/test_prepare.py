"""«Preparar»: its line of tickets, its form, its proposals, and who may use it."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Standing
from accounts.models import Membership, User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from knowledge.proposal_uses import share
from tickets.enums import EventKind, MessageKind, StageKind
from tickets.lists.preparation import PreparationQueue
from tickets.models import Clock, Process, ProcessVersion, Ticket
from tickets.requesters.standing import check_standing
from tickets.search.indexing import index_changed
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.solving import make_solved
from tickets.workflow import properties
from tickets.workflow.asks import fields_of
from tickets.workflow.conversation import add_internal_note, reply
from tickets.workflow.publishing import publish

from .factories import signed_in, snapshot, text_of

pytestmark = pytest.mark.django_db
TYPED = "%Y-%m-%dT%H:%M"


@pytest.fixture
def supervisor() -> User:
    return make_supervisor(name="Carolina Núñez")


@pytest.fixture
def agent() -> User:
    return make_agent(name="Diego Salazar")


@pytest.fixture
def client(supervisor: User) -> Client:
    return signed_in(supervisor)


@pytest.fixture
def workshop() -> Process:
    """A process that no code mentions by key, with a field of its own."""
    make_department()
    return publish(WORKSHOP).process


def url(ticket: Ticket) -> str:
    return reverse("agents:prepare_ticket", args=[ticket.folio])


def answers(ticket: Ticket, agent: User, **changes: object) -> dict[str, object]:
    ticket.refresh_from_db()
    return {
        "version": ticket.version,
        "key": str(uuid.uuid4()),
        "severity": "high",
        "department": ticket.department_id,
        "difficulty": "3",
        "assignee": agent.pk,
        "due_at": timezone.localtime(timezone.now() + timedelta(days=3)).strftime(TYPED),
        "queue_position": "1",
        "standing": "active",
        "contribution_open": "on",
        "note": "Reiniciar a distancia antes de enviar técnico.",
    } | changes


# --- The line ---------------------------------------------------------------------------------------------


@pytest.mark.demand("S2.35")
def test_preparing_starts_with_the_oldest_ticket(client: Client):
    first, second = make_ticket(title="Llegó antes"), make_ticket(title="Llegó después")

    response = client.get(reverse("agents:prepare"))
    assert response.url == url(first)
    page = text_of(client.get(response.url))
    assert page.index("Llegó antes") < page.index("Llegó después")
    assert "1 de 2" in page
    assert url(second) in page


def test_empty_line_shows_a_message(client: Client):
    Ticket.objects.filter(pk=make_ticket().pk).update(stage="procesar", stage_kind=StageKind.WORK)

    assert "No queda nada por preparar" in text_of(client.get(reverse("agents:prepare")))


def test_line_holds_only_tickets_the_person_prepares(agent: User):
    """In S2 the supervisor prepares; in the incidents of S0 the department does."""
    mine = make_ticket(make_process("incidencia-tecnica"), title="Incidencia del equipo")
    theirs = make_ticket(title="De la supervisora")
    Membership.objects.get_or_create(user=agent, department=mine.department)

    page = text_of(signed_in(agent).get(url(mine)))
    assert "Incidencia del equipo" in page
    assert "De la supervisora" not in page
    assert 'name="assignee"' in page
    assert 'name="assignee"' not in text_of(signed_in(agent).get(url(theirs)))


def test_tickets_of_other_departments_are_not_shown(agent: User):
    process = make_process("incidencia-tecnica")
    requester = make_user()
    mine = make_ticket(process, requester=requester)
    secret = make_ticket(process, requester=requester, title="Expediente reservado")
    Ticket.objects.filter(pk=secret.pk).update(department=make_department("academico"))
    Membership.objects.get_or_create(user=agent, department=mine.department)

    assert "Expediente reservado" not in text_of(signed_in(agent).get(url(mine)))
    assert "Expediente reservado" in text_of(signed_in(make_supervisor()).get(url(mine)))


def test_strangers_get_404_and_change_nothing(agent: User):
    ticket = make_ticket()
    hidden = make_ticket()
    Ticket.objects.filter(pk=hidden.pk).update(department=make_department("academico"))
    for person, found in ((make_user(), ticket), (ticket.requester, ticket), (agent, hidden)):
        client, before = signed_in(person), snapshot(found)

        assert client.get(url(found)).status_code == 404
        assert client.post(url(found), answers(found, agent)).status_code == 404
        proposal = reverse("agents:prepare_proposal", args=[found.folio])
        assert client.get(proposal).status_code == 404
        assert snapshot(found) == before


# --- The form ---------------------------------------------------------------------------------------------


@pytest.mark.demand("S2.3", "S2.4")
def test_form_proposes_due_date_and_position(client: Client, agent: User):
    other = make_ticket()
    Ticket.objects.filter(pk=other.pk).update(queue_position=4)
    ticket = make_ticket()

    form = client.get(url(ticket)).context["form"]
    due = timezone.localtime(ticket.created_at + timedelta(days=5))
    assert form["due_at"].value() == due.strftime(TYPED)
    assert form["queue_position"].value() == "5"
    assert form["queue_position"].help_text == (
        "Queda detrás de 1 que llegó antes. En la misma posición va primero el más antiguo."
    )
    assert {
        "severity",
        "department",
        "difficulty",
        "assignee",
        "due_at",
        "queue_position",
    } <= form.asked.keys()
    assert form.people()["first"][0]["card"]["person"].pk == agent.pk
    assert other.department == ticket.department


@pytest.mark.demand("S0.19")
def test_each_severity_shows_its_target(client: Client):
    cards = client.get(url(make_ticket())).context["form"].fields["severity"].cards

    assert [cards[name]["aside"] for name in ("critical", "high")] == ["1 h", "4 h"]


def test_people_are_ordered_by_department_and_load(client: Client, agent: User):
    far = make_agent(make_department("academico"), name="De otra área")
    free = make_agent(name="Ana Beltrán")
    ticket = make_ticket()
    for _number in range(2):
        Ticket.objects.filter(pk=make_ticket().pk).update(assignee=agent)

    people = client.get(url(ticket)).context["form"].people()
    cards = [row["card"]["person"] for row in people["first"]]
    assert [(card.pk, card.load) for card in cards[:2]] == [(free.pk, 0), (agent.pk, 2)]
    assert far.pk not in [card.pk for card in cards[:2]]


@pytest.mark.demand("S2.3", "S2.4", "S2.35")
def test_preparing_saves_all_and_opens_the_next(client: Client, agent: User):
    ticket, following = make_ticket(), make_ticket()
    data = answers(ticket, agent)

    response = client.post(url(ticket), data)
    ticket.refresh_from_db()
    assert response.url == url(following)
    assert (ticket.stage, ticket.assignee, ticket.severity, ticket.difficulty) == (
        "procesar",
        agent,
        "high",
        3,
    )
    assert (ticket.queue_position, ticket.contribution_open) == (1, True)
    assert timezone.localtime(ticket.due_at).strftime(TYPED) == data["due_at"]
    assert ticket.messages.get(kind=MessageKind.NOTE).body == data["note"]
    assert Clock.objects.get(ticket=ticket, kind="resolution").is_agreed
    notified = ticket.events.get(kind=EventKind.STAGE_CHANGED).notify
    assert {"to": "requester", "template": "prepared"} in notified
    assert ticket.folio in text_of(client.get(response.url))


def test_last_ticket_of_the_line_redirects_to_preparing(client: Client, agent: User):
    first, last = make_ticket(), make_ticket()

    assert client.post(url(last), answers(last, agent)).url == reverse("agents:prepare")
    assert client.post(url(first), answers(first, agent)).url == reverse("agents:prepare")


def test_prepare_and_open_goes_to_the_ticket(client: Client, agent: User):
    ticket = make_ticket()

    response = client.post(url(ticket), answers(ticket, agent, luego="abrir"))
    assert response.url == reverse("agents:ticket", args=[ticket.folio])


@pytest.mark.demand("S0.18")
def test_incident_goes_to_a_technician_or_department(client: Client, agent: User):
    process = make_process("incidencia-tecnica")
    team = make_department("administracion")
    one, other = make_ticket(process), make_ticket(process)

    client.post(url(one), answers(one, agent))
    client.post(url(other), answers(other, agent, assignee="", department=team.pk))
    one.refresh_from_db()
    other.refresh_from_db()
    assert one.assignee == agent
    assert (other.assignee, other.department) == (None, team)


def test_form_draws_the_fields_of_any_process(client: Client, agent: User, workshop: Process):
    """The form draws the fields that the action asks for, without code for a particular process."""
    ticket = make_ticket(workshop)

    page = client.get(url(ticket))
    assert "Zona del taller" in text_of(page)
    response = client.post(url(ticket), answers(ticket, agent, zona=""))
    assert response.context["form"].errors.keys() == {"zona"}
    client.post(url(ticket), answers(ticket, agent, zona="Galpón 4"))
    ticket.refresh_from_db()
    assert (ticket.stage, ticket.fields["zona"], ticket.assignee) == ("trabajo", "Galpón 4", agent)


# --- What can go wrong ------------------------------------------------------------------------------------


def test_get_changes_nothing(client: Client):
    ticket = make_ticket()
    before = snapshot(ticket)

    for path in ("", "propuesta/"):
        for method in (client.get, client.head):
            method(url(ticket) + path, {"severity": "critical", "recalcular": "1"})
    assert snapshot(ticket) == before


def test_errors_keep_all_input(client: Client, agent: User):
    ticket = make_ticket()
    before = snapshot(ticket)

    response = client.post(url(ticket), answers(ticket, agent, due_at="2020-01-01T10:00", difficulty=""))
    page = text_of(response)
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"due_at", "difficulty"}
    assert "Reiniciar a distancia antes de enviar técnico." in page
    assert re.search(rf'name="assignee" value="{agent.pk}"[^>]* checked', page)
    assert snapshot(ticket) == before


def test_form_posted_twice_prepares_once(client: Client, agent: User):
    ticket, following = make_ticket(), make_ticket()
    data = answers(ticket, agent)

    client.post(url(ticket), data)
    again = client.post(url(ticket), data)
    assert again.url == reverse("agents:prepare")
    assert ticket.events.filter(kind=EventKind.STAGE_CHANGED).count() == 1
    assert ticket.messages.filter(kind=MessageKind.NOTE).count() == 1
    assert following.events.count() == 1


def test_stale_form_shows_changes_and_keeps_input(client: Client, agent: User, supervisor: User):
    ticket = make_ticket()
    data = answers(ticket, agent)
    reply(ticket, actor=ticket.requester, body="Ya probé en otro navegador.")

    response = client.post(url(ticket), data)
    page = text_of(response)
    assert response.status_code == 409
    assert "Ya probé en otro navegador." in page
    assert data["note"] in page
    fresh = Ticket.objects.get(pk=ticket.pk)
    assert (fresh.stage, fresh.assignee) == ("recibido", None)
    assert f'name="version" value="{fresh.version}"' in page

    client.post(url(ticket), answers(ticket, agent))
    assert Ticket.objects.get(pk=ticket.pk).assignee == agent


def test_form_is_refused_if_already_prepared(client: Client, agent: User):
    ticket = make_ticket()
    data = answers(ticket, agent)
    other = make_supervisor(name="Rosa Medina")
    signed_in(other).post(url(ticket), answers(ticket, make_agent(), note=""))

    response = client.post(url(ticket), data)
    page = text_of(response)
    assert response.status_code == 409
    assert "Rosa Medina" in page
    assert data["note"] in page
    assert Ticket.objects.get(pk=ticket.pk).assignee != agent


@pytest.mark.demand("S2.26")
def test_missing_account_blocks_preparing_where_required(client: Client, agent: User):
    ticket = make_ticket(make_process("incidencia-tecnica"), guest_email="invitada@example.com")
    process = Process.objects.get(key="incidencia-tecnica")
    held = make_ticket()
    Ticket.objects.filter(pk=held.pk).update(requester=None, requester_email="invitada@example.com")
    account = reverse("agents:ticket_account", args=[held.folio])

    assert account in text_of(client.get(url(held)))
    response = client.post(url(held), answers(held, agent))
    assert response.status_code == 422
    assert "no tiene cuenta" in text_of(response)
    assert account in text_of(response)
    assert Ticket.objects.get(pk=held.pk).stage == "recibido"

    assert process == ticket.process_version.process  # its actions need no account
    assert reverse("agents:ticket_account", args=[ticket.folio]) not in text_of(client.get(url(ticket)))


@pytest.mark.demand("S2.9")
def test_preparing_checks_the_standing(client: Client, agent: User):
    ticket = make_ticket(requester=make_user(standing=Standing.INACTIVE))

    assert "Estatus inactivo" in text_of(client.get(url(ticket)))
    client.post(url(ticket), answers(ticket, agent, standing="active"))
    ticket.refresh_from_db()
    assert ticket.standing_checked_at is not None
    assert ticket.requester.standing == Standing.ACTIVE


def test_invalid_choices_are_refused(client: Client, agent: User):
    """B18: neither a customer nor an inactive department can be chosen."""
    ticket = make_ticket()
    closed = make_department("cerrado")
    closed.is_active = False
    closed.save()

    for change in ({"assignee": make_user().pk}, {"department": closed.pk}, {"severity": "urgent"}):
        response = client.post(url(ticket), answers(ticket, agent, **change))
        assert response.context["form"].errors.keys() == change.keys()


def test_unreadable_hidden_fields_prepare_nothing(client: Client, agent: User):
    ticket = make_ticket()

    response = client.post(url(ticket), answers(ticket, agent, key="x", version="'; --", proposed_due="\0"))
    assert response.status_code == 422
    assert Ticket.objects.get(pk=ticket.pk).stage == "recibido"


# --- Proposals --------------------------------------------------------------------------------------------


@pytest.mark.demand("S2.4")
def test_another_severity_proposes_another_due_date(client: Client, workshop: Process):
    """The resolution target of the workshop's process depends on the severity."""
    ticket = make_ticket(workshop)
    form = client.get(url(ticket)).context["form"]
    typed = {
        "severity": "critical",
        "department": ticket.department_id,
        "due_at": form["due_at"].value(),
        "proposed_due": form["proposed_due"].value(),
    }

    proposal = client.get(url(ticket) + "propuesta/", typed, headers={"HX-Request": "true"})
    expected = timezone.localtime(ticket.created_at + timedelta(days=1)).strftime(TYPED)
    assert f'value="{expected}"' in text_of(proposal)
    assert 'name="assignee"' not in text_of(proposal)


def test_chosen_due_date_stays_until_recalculated(client: Client, agent: User, workshop: Process):
    ticket = make_ticket(workshop)
    own = timezone.localtime(timezone.now() + timedelta(days=9)).strftime(TYPED)
    typed = answers(ticket, agent, severity="critical", due_at=own, proposed_due="2026-01-01T10:00")

    assert f'value="{own}"' in text_of(client.get(url(ticket) + "propuesta/", typed))
    response = client.post(url(ticket), typed | {"recalcular": "1"})
    expected = timezone.localtime(ticket.created_at + timedelta(days=1)).strftime(TYPED)
    assert response.context["form"]["due_at"].value() == expected
    assert str(response.context["form"]["assignee"].value()) == str(agent.pk)
    assert "Reiniciar a distancia" in text_of(response)
    assert Ticket.objects.get(pk=ticket.pk).stage == "recibido"


@pytest.mark.demand("S2.35")
def test_another_department_proposes_its_position_and_people(client: Client, agent: User):
    academic = make_department("academico")
    scholar = make_agent(academic, name="Profesora Linares")
    make_ticket()
    ticket = make_ticket()
    typed = {"department": academic.pk, "queue_position": "2", "proposed_place": "2"}

    response = client.get(
        url(ticket) + "propuesta/", typed, headers={"HX-Request": "true", "HX-Trigger": "prep-where"}
    )
    form = response.context["form"]
    assert form["queue_position"].value() == "1"
    assert form.people()["first"][0]["card"]["person"].pk == scholar.pk
    assert "Profesora Linares" in text_of(response)


# --- Number of queries ------------------------------------------------------------------------------------


def test_line_reads_only_processes_with_waiting_tickets(supervisor: User):
    ticket, finished = make_ticket(), make_ticket(make_process("incidencia-tecnica"))
    Ticket.objects.filter(pk=finished.pk).update(stage="cerrado", stage_kind=StageKind.DONE)
    for version in (ticket.process_version_id, finished.process_version_id):
        ProcessVersion.objects.forget(version)

    with CaptureQueriesContext(connection) as queries:
        assert PreparationQueue(supervisor).tickets == [ticket]
    assert sum('"source"' in query["sql"] for query in queries) == 1


@pytest.mark.parametrize("others", [1, 30])
def test_page_query_count_is_bounded(
    client: Client, agent: User, others: int, django_assert_max_num_queries: object
):
    requester = make_user()
    tickets = [make_ticket(requester=requester) for _number in range(others)]
    for number in range(others):
        make_agent(name=f"Persona {number}")
    add_internal_note(tickets[0], actor=agent, body="No debe verse aquí")
    properties.set_contribution(tickets[0], actor=agent, is_open=True)

    with django_assert_max_num_queries(18):
        page = text_of(client.get(url(tickets[0])))
    assert "No debe verse aquí" not in page
    assert f"1 de {others}" in page


WORKSHOP = """
format = 1
key = "taller"
name = { es = "Taller", en = "Workshop" }
login = "guest"
department = "soporte-tecnico"

[targets.resolution]
critical = "1d"
high = "2d"
medium = "6d"
low = "10d"

[[categories]]
key = "torno"
label = { es = "Torno", en = "Lathe" }
department = "soporte-tecnico"

[[fields]]
key = "zona"
label = { es = "Zona del taller", en = "Area" }
type = "text"
filled_by = "staff"

[[stages]]
key = "recibido"
label = { es = "Recibido", en = "Received" }
kind = "new"
owner = "staff"
progress = 10

[[stages]]
key = "trabajo"
label = { es = "En trabajo", en = "Worked on" }
kind = "work"
owner = "assignee"
progress = 50

[[stages]]
key = "hecho"
label = { es = "Hecho", en = "Done" }
kind = "done"

[[actions]]
key = "repartir"
label = { es = "Repartir", en = "Hand out" }
from = ["recibido"]
to = "trabajo"
by = ["staff"]
asks = [
  "assignee",
  "due_at",
  { field = "severity", required = false },
  { field = "department", required = false },
  "zona",
  { field = "note", required = false },
]

[[actions]]
key = "terminar"
label = { es = "Terminar", en = "Finish" }
from = ["trabajo"]
to = "hecho"
by = ["assignee"]
"""


# --- The link to «Preparar» -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("process", "offered"), [("incidencia-tecnica", True), ("soporte-con-aprobacion", False)]
)
def test_link_to_preparing_is_shown_if_allowed(process: str, offered: bool):
    make_process(process)
    department, link = make_department(), f'href="{reverse("agents:prepare")}"'

    assert (link in text_of(signed_in(make_agent(department)).get(reverse("agents:queue")))) is offered
    assert link in text_of(signed_in(make_supervisor()).get(reverse("agents:queue")))


# --- What must be verified --------------------------------------------------------------------------------------


def chosen_standing(page: str) -> list[str]:
    boxes = re.findall(r'<input type="radio"[^>]*name="standing"[^>]*>', page)
    assert len(boxes) == 2
    return [re.search(r'value="(\w+)"', box)[1] for box in boxes if "checked" in box]


@pytest.mark.demand("S2.9")
def test_standing_that_nobody_verified_is_not_chosen_in_advance():
    ticket, boss = make_ticket(), make_supervisor()
    client = signed_in(boss)
    address = reverse("agents:prepare_ticket", args=[ticket.folio])
    assert chosen_standing(text_of(client.get(address))) == []

    check_standing(ticket, actor=boss, standing=Standing.INACTIVE)

    assert chosen_standing(text_of(client.get(address))) == ["inactive"]


@pytest.mark.demand("S2.9", "S2.22")
@pytest.mark.parametrize(
    ("action", "field"), [("ticket_equivocado", "call_outcome"), ("preparar", "standing")]
)
def test_found_facts_begin_with_no_choice(action, field):
    ticket = make_ticket()
    asked = fields_of(ticket.definition.action(action).asks, ticket)[field]
    assert (asked.choices[0], asked.initial) == (("", "Elige una opción"), None)


def test_line_marks_what_differs_about_a_ticket(client: Client):
    present = make_ticket()
    inactive = make_ticket(requester=make_user(standing=Standing.INACTIVE))
    escalated, guest = make_ticket(), make_ticket()
    Ticket.objects.filter(pk=escalated.pk).update(is_escalated=True)
    Ticket.objects.filter(pk=guest.pk).update(requester=None, requester_email="ana@example.com")

    page = text_of(client.get(url(present)))

    rows = dict(re.findall(r'<a class="qitem" href="/agentes/preparar/([^/]+)/"(.*?)</a>', page, re.DOTALL))
    marks = re.compile("Inactivo|Sin cuenta|Elevado|aria-current")
    assert {folio: set(marks.findall(row)) for folio, row in rows.items()} == {
        present.folio: {"aria-current"},
        inactive.folio: {"Inactivo"},
        escalated.folio: {"Elevado"},
        guest.folio: {"Sin cuenta"},
    }


# --- What solved tickets propose --------------------------------------------------------------------------


@pytest.mark.demand("S3.20")
def test_similar_tickets_fill_the_form_and_save_nothing(client: Client, supervisor: User, agent: User):
    solved = make_solved("No llega el código de verificación", severity="critical", assignee=agent)
    ticket = make_ticket(make_process(), title="El código de verificación no me llega")
    index_changed()
    before = snapshot(ticket)
    address = reverse("agents:prepare_similar", args=[ticket.folio])
    page = text_of(client.get(url(ticket)))
    assert f'hx-get="{address}"' in page
    assert solved.folio not in page

    part = text_of(client.get(address))

    assert "<html" not in part
    assert solved.folio in part
    assert 'data-fills="severity" data-value="critical"' in part
    assert f'data-fills="assignee" data-value="{agent.pk}"' in part
    assert 'data-fills="answer"' not in part
    assert snapshot(ticket) == before
    assert signed_in(make_user()).get(address).status_code == 404


@pytest.mark.demand("S3.20")
def test_preparing_with_a_proposal_counts_it_as_taken(client: Client, agent: User):
    first, second = make_ticket(), make_ticket()

    client.post(url(first), answers(first, agent))
    assert share().taken == 0
    client.post(url(second), answers(second, agent, propuesta="1"))
    assert share().taken == 1
