"""Try the forms of the shipped processes as the team does, and read what the people in them read of it."""

import re
import tomllib
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import tickets.tests
from accounts.models import CustomerKind, User
from accounts.tests.factories import (
    make_administrator,
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from tickets.models import Survey, Ticket
from tickets.search.indexing import index_changed
from tickets.tests.factories import make_process, make_ticket, set_clock
from tickets.workflow import sweeps

from .factories import signed_in, snapshot, text_of
from .test_actions import act, done, file_under
from .test_queues import folios_in, of
from .test_tickets import prepared, url

pytestmark = pytest.mark.django_db


def page_of(client: Client, address: str) -> str:
    return unescape(text_of(client.get(address)))


def plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def shown_to_requester(ticket: Ticket) -> str:
    return plain(page_of(signed_in(ticket.requester), f"/tickets/{ticket.folio}/"))


def label_of(page: str, field: str) -> str:
    return plain(re.search(rf'<label[^>]* for="id_{field}"[^>]*>(.*?)</label>', page)[1])


# --- S4 · the evaluator's part of the form ---------------------------------------------------------------


@pytest.fixture
def report() -> Ticket:
    return file_under("reporte-de-incidentes")


@pytest.fixture
def evaluator(report: Ticket) -> Client:
    return signed_in(make_agent(report.department, name="Eva"))


@pytest.mark.demand("S4.11", "S4.17")
@pytest.mark.parametrize("action", ["aceptar", "rechazar"])
def test_evaluation_is_asked_kept_and_shown_to_the_team_alone(report: Ticket, evaluator: Client, action: str):
    assert (
        label_of(page_of(evaluator, url(report, "action", action)), "evaluacion")
        == "Evaluación del Incidente *"
    )
    before = snapshot(report)
    assert act(evaluator, report, action, evaluacion=" ", assignee="").status_code == 422
    assert snapshot(report) == before

    done(evaluator, report, action, evaluacion="Se repite cada mes.", assignee="")

    assert "Evaluación del Incidente Se repite cada mes." in plain(page_of(evaluator, url(report)))
    assert "Se repite cada mes." not in shown_to_requester(report)


@pytest.mark.demand("S4.2", "S4.12", "S4.22")
def test_information_is_asked_of_the_evaluator_alone(report: Ticket, evaluator: Client):
    technician = signed_in(make_agent(report.department, name="Teo"))
    done(evaluator, report, "aceptar", assignee="")
    form = page_of(technician, url(report, "action", "solicitar_informacion"))
    assert label_of(form, "note") == "Solicitar Información Adicional *"
    assert act(technician, report, "solicitar_informacion", note="").status_code == 422

    done(technician, report, "solicitar_informacion", note="¿Con qué versión pasa?")

    page = page_of(evaluator, url(report))
    assert "¿Con qué versión pasa?" in page
    assert url(report, "action", "completar_informacion") in page
    assert url(report, "action", "completar_informacion") not in page_of(technician, url(report))
    assert "¿Con qué versión pasa?" not in shown_to_requester(report)
    done(evaluator, report, "completar_informacion", note="Con la 3.1.")
    assert "Con la 3.1." in page_of(technician, url(report))
    assert report.stage == "resolver"


REASONS = [
    "Otro usuario ya reportó ese error", "El equipo de TI ya está al tanto", "La mejora no puede ser desarrollada",
    "Otro motivo",
]  # fmt: skip


@pytest.mark.demand("S4.2", "S4.13", "S4.18", "S4.19", "S4.23")
@pytest.mark.parametrize("action", ["rechazar", "descartar"])
def test_rejection_needs_one_of_the_reasons(report: Ticket, evaluator: Client, action: str):
    if action == "descartar":
        done(evaluator, report, "aceptar", assignee="")
    form = page_of(evaluator, url(report, "action", action))
    assert label_of(form, "motivo_rechazo") == "Motivo del rechazo *"
    options = re.search(r'<select name="motivo_rechazo".*?</select>', form)[0]
    assert re.findall(r'<option value="[^"]+"[^>]*>([^<]+)</option>', options) == REASONS
    for missing in ({"motivo_rechazo": ""}, {"motivo_rechazo": "otro", "otro_motivo": ""}, {"message": ""}):
        assert act(evaluator, report, action, **missing).status_code == 422
    report.refresh_from_db()
    assert report.is_open

    done(
        evaluator,
        report,
        action,
        motivo_rechazo="otro",
        otro_motivo="Se retira en mayo",
        message="Se retira.",
    )

    shown = plain(page_of(evaluator, url(report)))
    assert "Motivo del rechazo Otro motivo" in shown
    assert "Se retira en mayo" in shown
    assert "Se retira." in shown_to_requester(report)
    index_changed()
    history = f"{reverse('agents:history')}?proceso=reporte-de-incidentes&campo-motivo_rechazo="
    assert folios_in(evaluator.get(f"{history}otro")) == [report.folio]
    assert folios_in(evaluator.get(f"{history}ya_conocido")) == []


@pytest.mark.demand("S4.15", "S4.25")
def test_administrator_names_the_evaluators(report: Ticket, evaluator: Client):
    """In the admin: whoever is in the group «evaluador» evaluates, and nobody else any more."""
    chosen = make_agent(report.department, name="Ana")
    admin, address = signed_in(make_administrator()), reverse("admin:accounts_user_change", args=[chosen.pk])
    form = admin.get(address).context["adminform"].form
    group = next(group for group in form.fields["groups"].queryset if group.name == "evaluador")
    kept = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    inlines = {
        f"{formset.prefix}-{name}": formset.management_form[name].value()
        for formset in (each.formset for each in admin.get(address).context["inline_admin_formsets"])
        for name in formset.management_form.fields
    }
    rows = {
        f"{row.prefix}-{name}": "" if row[name].value() is None else row[name].value()
        for each in admin.get(address).context["inline_admin_formsets"]
        for row in each.formset.initial_forms
        for name in row.fields
        if row[name].value() is not False
    }
    posted = {name: value for name, value in (kept | inlines | rows).items() if value is not False}
    assert admin.post(address, posted | {"groups": [group.pk]}).status_code == 302

    assert url(report, "action", "aceptar") not in page_of(evaluator, url(report))
    assert act(evaluator, report, "aceptar", assignee="").status_code == 422
    done(signed_in(chosen), report, "aceptar", assignee="")


# --- S0 · technical incidents ----------------------------------------------------------------------------


@pytest.mark.demand("S0.17")
def test_severity_of_an_incident_has_four_steps():
    ticket = file_under("incidencia-tecnica")
    client = signed_in(make_agent(ticket.department))
    form = unescape(text_of(client.get(url(ticket, "action", "clasificar"), follow=True)))
    assert "Gravedad" in form
    assert re.findall(r'name="severity" value="(\w+)"', form) == ["critical", "high", "medium", "low"]
    assert act(client, ticket, "clasificar", severity="").status_code == 422
    done(client, ticket, "clasificar", severity="critical", assignee="")
    assert re.search(r"<dt>Gravedad</dt>((?!<dt>).)*[> ]Crítica ?<", page_of(client, url(ticket)))


@pytest.mark.demand("S0.3")
def test_customers_of_both_kinds_sign_up_and_are_found_by_kind():
    process = make_process("incidencia-tecnica")
    visitor = Client()
    form = page_of(visitor, "/cuenta/registro/")
    folios = {}
    for kind in CustomerKind.objects.all():
        assert f"{kind}</option>" in form
        person = make_user(kind=kind)
        folios[kind.key] = make_ticket(process, requester=person).folio
    guest = make_ticket(process, guest_email="ana@example.com")
    client = signed_in(make_supervisor())

    assert folios.keys() == {"parkiador", "parkioferente"}
    for key, folio in folios.items():
        assert folios_in(client.get(reverse("agents:history"), {"cliente": key})) == [folio]
    assert guest.folio in folios_in(client.get(reverse("agents:history")))
    filters = page_of(client, reverse("agents:history_filters"))
    assert "Parkiador" in filters
    assert "Parkioferente" in filters


# --- S1 · the repair of a device -------------------------------------------------------------------------


@pytest.mark.demand("S1.12")
def test_employee_who_validated_a_repair_reads_its_state():
    ticket = file_under("reparacion-de-dispositivo")
    reviewer, technician = (
        signed_in(make_agent(ticket.department)),
        make_agent(ticket.department, name="Técnica"),
    )
    done(reviewer, ticket, "validar", assignee=technician.pk)
    working = signed_in(technician)
    done(working, ticket, "pedir_informacion", message="¿Se mojó?")

    page = plain(page_of(reviewer, url(ticket)))
    assert "Esperando al cliente" in page
    assert "¿Se mojó?" in page
    assert "Técnica" in page
    signed_in(ticket.requester).post(f"/tickets/{ticket.folio}/responder/", {"body": "Un poco."})
    ticket.refresh_from_db()
    done(working, ticket, "finalizar", solution_done="Cambiamos la pantalla.")

    page = plain(page_of(reviewer, url(ticket)))
    assert "FINALIZADO" in page
    assert "Cambiamos la pantalla." in page
    row = text_of(reviewer.get(reverse("agents:history"), {"proceso": "reparacion-de-dispositivo"}))
    assert ticket.folio in row
    assert "FINALIZADO" in row


@pytest.mark.demand("S0.25")
def test_process_without_a_survey_takes_no_rating():
    ticket = file_under("reparacion-de-dispositivo")
    technician = make_agent(ticket.department)
    done(signed_in(technician), ticket, "validar", assignee=technician.pk)
    done(signed_in(technician), ticket, "finalizar")
    assert "Calificar la atención" not in shown_to_requester(ticket)
    signed_in(ticket.requester).post(f"/tickets/{ticket.folio}/encuesta/", {"score": "5"})
    assert not Survey.objects.exists()


# --- S2 · support with closing approval ------------------------------------------------------------------


@pytest.fixture
def customer() -> User:
    return make_user(name="Mateo Ríos", external_account="mrios-77")


@pytest.fixture
def agent() -> User:
    return make_agent(name="Diego Salazar")


@pytest.fixture
def ticket(customer: User, agent: User) -> Ticket:
    return prepared(make_ticket(requester=customer, title="Cobro duplicado"), agent, contribution_open=True)


@pytest.mark.demand("S2.11")
def test_queues_tell_open_waiting_and_closed(ticket: Ticket, agent: User):
    """In the words of the document: abierto, en espera de respuesta, cerrado."""
    client = signed_in(agent)

    def held() -> list[str]:
        return [key for key in ("todos", "esperan-al-cliente", "cerrados") if folios_in(client.get(of(key)))]

    assert held() == ["todos"]
    done_with = {
        "mode": "follow_up",
        "body": "¿Nos envías una captura?",
        "version": ticket.version,
        "key": "k" * 32,
    }
    client.post(url(ticket, "send"), done_with)
    assert held() == ["todos", "esperan-al-cliente"]
    assert "Aporte de usuario" in page_of(client, url(ticket))
    signed_in(ticket.requester).post(f"/tickets/{ticket.folio}/responder/", {"body": "Aquí va."})
    assert held() == ["todos"]
    ticket.refresh_from_db()
    done(client, ticket, "cerrar_sin_solucion")
    assert held() == ["cerrados"]


@pytest.mark.demand("S2.12")
def test_contact_card_shows_the_external_account(ticket: Ticket, agent: User):
    client = signed_in(agent)
    for address in (url(ticket), reverse("agents:customer", args=[ticket.requester_id])):
        assert "Cuenta externa mrios-77" in plain(page_of(client, address))
    other = prepared(make_ticket(requester=make_user()), agent)
    assert "Cuenta externa —" in plain(page_of(client, reverse("agents:customer", args=[other.requester_id])))
    assert "Cuenta externa" not in page_of(client, url(other))


DOCUMENT = tomllib.loads((Path(tickets.tests.__file__).parent / "standard_answers.toml").read_text("utf-8"))
MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("America/Caracas"))


def chosen(client: Client, ticket: Ticket, key: str) -> str:
    """Choose a standard answer in the composer, send it and return its text."""
    page = page_of(client, url(ticket))
    assert f"?respuesta={key}" in page, "it is offered"
    filled = client.get(url(ticket), {"respuesta": key}).content.decode()
    body = unescape(
        re.search(r'<textarea[^>]* name="body"[^>]*>(.*?)</textarea>', filled, re.DOTALL)[1]
    ).strip()
    mode = re.search(rf'\?respuesta={key}[^>]*data-mode="(\w+)"', page)[1]
    posted = {"mode": mode, "body": body, "version": ticket.version, "key": key * 16}
    assert client.post(url(ticket, "send"), posted).status_code == 302
    return body


def inactive(ticket: Ticket) -> None:
    User.objects.filter(pk=ticket.requester_id).update(standing="inactive")


@pytest.mark.demand("S2.13", "S2.23")
@pytest.mark.parametrize(
    ("key", "later"),
    [
        pytest.param("R1", timedelta(), marks=pytest.mark.demand("S2.15")),
        pytest.param("R3", timedelta(), marks=pytest.mark.demand("S2.18")),
        pytest.param("R5", timedelta(), marks=pytest.mark.demand("S2.20")),
        pytest.param("R6", timedelta(days=6), marks=pytest.mark.demand("S2.21")),
    ],
)
def test_standard_answer_is_chosen_and_read(customer: User, agent: User, key: str, later: timedelta):
    with time_machine.travel(MORNING, tick=False) as clock:
        ticket = prepared(make_ticket(requester=customer), agent)
        if later:
            signed_in(agent).post(
                url(ticket, "send"),
                {"mode": "follow_up", "body": "Ya lo vemos.", "version": ticket.version, "key": "a" * 32},
            )
            clock.shift(later)
            ticket.refresh_from_db()
        body = chosen(signed_in(agent), ticket, key)
        assert body == DOCUMENT[key].strip()
        assert plain(body) in shown_to_requester(ticket)


@pytest.mark.parametrize(
    ("key", "action", "hour"),
    [
        pytest.param("R2", "cerrar_sin_solucion", 15, marks=pytest.mark.demand("S2.17")),
        pytest.param("R4", "responder_inactivo", 9, marks=pytest.mark.demand("S2.10", "S2.19")),
        pytest.param("R8", "cancelar", 9, marks=pytest.mark.demand("S2.40", "S2.42")),
        pytest.param("R9", "cerrar_prueba", 9, marks=pytest.mark.demand("S2.43")),
    ],
)
def test_action_sends_the_standard_answer(customer: User, agent: User, key: str, action: str, hour: int):
    with time_machine.travel(MORNING.replace(hour=hour), tick=False):
        ticket = prepared(make_ticket(requester=customer), agent)
        expected, more = DOCUMENT[key].strip(), {}
        if action == "responder_inactivo":
            inactive(ticket)
            more["due_at"] = "2026-03-20T10:00"
            assert act(signed_in(agent), ticket, action, due_at="").status_code == 422
        elif action == "cancelar":
            more["duplicate_of"] = make_ticket(requester=customer).folio
            expected = expected.replace("{vigente}", more["duplicate_of"])
        done(signed_in(agent), ticket, action, **more)
        assert plain(expected) in shown_to_requester(ticket)
        if action == "responder_inactivo":
            assert (
                timezone.localtime(ticket.due_at, MORNING.tzinfo).strftime("%Y-%m-%dT%H:%M") == more["due_at"]
            )


@pytest.mark.demand("S2.22", "S2.23")
@pytest.mark.parametrize(("outcome", "word"), [("failed", "fallida"), ("successful", "exitosa")])
def test_wrong_ticket_is_answered_with_the_calls_outcome(
    customer: User, agent: User, outcome: str, word: str
):
    with time_machine.travel(MORNING, tick=False):
        ticket = prepared(make_ticket(requester=customer), agent)
        client = signed_in(agent)
        assert act(client, ticket, "ticket_equivocado", call_outcome=outcome).status_code == 422
        chosen(client, ticket, "R3")
        ticket.refresh_from_db()
        done(client, ticket, "ticket_equivocado", call_outcome=outcome)
        assert plain(DOCUMENT["R7"].replace("{llamada}", word)) in shown_to_requester(ticket)


@pytest.mark.demand("S2.43")
def test_test_ticket_is_marked_and_asks_for_no_rating(ticket: Ticket, agent: User):
    client = signed_in(agent)
    done(client, ticket, "cerrar_prueba")
    assert "De prueba" in page_of(client, url(ticket))
    signed_in(ticket.requester).post(f"/tickets/{ticket.folio}/encuesta/", {"score": "1"})
    assert not Survey.objects.exists()
    assert not Ticket.objects.counted_in_metrics().filter(pk=ticket.pk).exists()


@pytest.mark.demand("S2.32")
@pytest.mark.parametrize("promise", ["first_response", "resolution"])
def test_late_ticket_is_in_the_elevated_queue(agent: User, promise: str):
    """Only the late one, with its tag, in the figure of the side list too."""
    late, in_time = make_ticket(), make_ticket()
    for each in (late, in_time):
        prepared(each, agent)
    set_clock(late, promise, due_at=timezone.now() - timedelta(minutes=1))
    client = signed_in(agent)
    assert folios_in(client.get(of("elevados"))) == []

    sweeps.breach_overdue()

    page = client.get(of("elevados"))
    assert folios_in(page) == [late.folio]
    assert re.search(rf'href="{of("elevados")}"((?!</a>).)*>1<', text_of(page))
    assert "Soporte elevado" in page_of(client, url(late)).partition('id="propiedades"')[0]


@pytest.mark.demand("S2.35")
def test_ticket_of_a_late_reply_is_attended_by_arrival(ticket: Ticket, agent: User):
    client = signed_in(agent)
    done(client, ticket, "cerrar_sin_solucion")
    first = make_ticket(ticket.process_version.process)
    signed_in(ticket.requester).post(f"/tickets/{ticket.folio}/responder/", {"body": "Volvió a pasar."})
    linked = Ticket.objects.get(follows=ticket)
    set_clock(linked, due_at=timezone.now() + timedelta(minutes=5))

    page = client.get(of("todos"))

    assert folios_in(page) == [first.folio, linked.folio]
    assert "Se atiende por orden de llegada." in text_of(page)


@pytest.mark.demand("S2.36", "S2.37", "S2.38")
@pytest.mark.parametrize(
    ("department", "topic"), [("administracion", "pagos"), ("cca", "horas-de-vuelo"), ("academico", "notas")]
)
def test_department_works_on_its_own_tickets(department: str, topic: str):
    process = make_process()
    ours = make_ticket(process, category=topic)
    others = [
        make_ticket(process, category=each) for each in ("pagos", "horas-de-vuelo", "notas") if each != topic
    ]
    member = signed_in(make_agent(make_department(department)))

    assert folios_in(member.get(of(f"departamento-{department}"))) == [ours.folio]
    assert folios_in(member.get(of("todos"))) == [ours.folio]
    assert member.get(url(ours)).status_code == 200
    for other in others:
        assert member.get(url(other)).status_code == 404
        assert member.get(of(f"departamento-{other.department.key}")).status_code == 404


# --- S3 · the guided request -----------------------------------------------------------------------------


@pytest.mark.demand("S3.12", "S3.13", "S3.14")
def test_requester_reads_the_three_states_of_a_request():
    """On the page and in the list, and no other of the three."""
    ticket = file_under("solicitud-guiada")
    team, states = signed_in(make_agent(ticket.department)), {"En espera", "En curso", "Completado"}

    def read() -> list[set[str]]:
        found = []
        for address in ("/tickets/", f"/tickets/{ticket.folio}/"):
            page = page_of(signed_in(ticket.requester), address)
            found.append({plain(pill) for pill in re.findall(r'<span class="pill.*?</span>', page)} & states)
        steps = plain(page[page.index("Avance") :])
        assert [steps.count(state) > 0 for state in ("En espera", "En curso", "Completado")] == [True] * 3
        return found

    assert read() == [{"En espera"}, {"En espera"}]
    done(team, ticket, "empezar")
    assert read() == [{"En curso"}, {"En curso"}]
    done(team, ticket, "completar")
    assert read() == [{"Completado"}, {"Completado"}]


@pytest.mark.demand("S3.26")
@pytest.mark.parametrize("severity", ["critical", "high", "medium", "low"])
def test_request_of_any_severity_is_due_within_a_day(severity: str):
    with time_machine.travel(MORNING, tick=False) as clock:
        ticket = make_ticket(make_process("solicitud-guiada"), guest_email="ana@example.com")
        client = signed_in(make_agent(ticket.department))
        changed = {"value": severity, "version": ticket.version, "key": "a" * 32}
        client.post(url(ticket, "property", "severity"), changed)
        assert "Política 1 día" in plain(page_of(client, url(ticket, "due")))
        clock.shift(timedelta(hours=24, seconds=-1))
        sweeps.breach_overdue()
        assert folios_in(client.get(of("elevados"))) == []
        clock.shift(1)
        sweeps.breach_overdue()
        assert folios_in(client.get(of("elevados"))) == [ticket.folio]
