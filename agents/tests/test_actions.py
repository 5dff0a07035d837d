"""The generic page for actions of any process: its form, its effects and who may use it."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import (
    make_administrator,
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from tickets import policies
from tickets.definitions.definition import Action, FieldDefinition
from tickets.definitions.loading import library
from tickets.enums import EventKind, StageKind
from tickets.models import Attachment, ContactEntry, Message, Process, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.intake import file_ticket
from tickets.workflow.publishing import publish

from .factories import signed_in, snapshot, text_of
from .test_tickets import prepared, url

pytestmark = pytest.mark.django_db
SAMPLES = {
    "text": "RS-441720",
    "long_text": "Se detalla aquí.",
    "number": "3",
    "date": "2026-11-20",
    "yes_no": "on",
    "phone": "+58 212 771 9011",
}


def sample(field: FieldDefinition):
    if field.options:
        first = field.options[0].key
        return [first] if field.type == "multi_choice" else first
    return SAMPLES[field.type]


def file_under(key: str, **fields) -> Ticket:
    process: Process = make_process(key)
    category = process.categories.order_by("position").first()
    questions = process.definition.intake_fields(category.key if category else "")
    return file_ticket(
        process,
        actor=make_user(phone="+58 212 771 9011"),
        category=category,
        title="Algo falla",
        description="Desde ayer no funciona.",
        phone="+58 212 771 9011",
        fields={item.key: sample(item) for item in questions},
        **fields,
    )


def answers(ticket: Ticket, action: Action, **changes) -> dict[str, object]:
    """Return what a person posts with the action's form."""
    ticket.refresh_from_db()
    department = ticket.department or make_department()
    standard = {
        "assignee": make_agent(department).pk,
        "department": department.pk,
        "severity": "high",
        "case_kind": "problem",
        "difficulty": "3",
        "queue_position": "1",
        "due_at": timezone.localtime(timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M"),
        "standing": "active",
        "contribution_open": "on",
        "requester": ticket.requester_email,
        "solution_done": "Cambiamos la pieza.",
        "solution_steps": "Reinicia el equipo.",
        "message": "Te contamos lo que sigue.",
        "note": "Revisar el cableado.",
        "call_outcome": "successful",
    }
    given: dict[str, object] = {"version": ticket.version, "key": str(uuid.uuid4())}
    for ask in action.asks:
        own = ticket.definition.field(ask.field)
        given[ask.field] = sample(own) if own else standard.get(ask.field, "")
    return given | changes


def act(client, ticket: Ticket, key: str, **changes):
    action = ticket.definition.action(key)
    return client.post(url(ticket, "action", key), answers(ticket, action, **changes))


def done(client, ticket: Ticket, key: str, **changes) -> Ticket:
    response = act(client, ticket, key, **changes)
    assert response.status_code == 302, re.findall(r"<strong>[^<]+</strong>", response.content.decode())
    ticket.refresh_from_db()
    return ticket


# --- Every action of the library ------------------------------------------------------------------------


def clicked() -> list[tuple[str, str]]:
    from tickets.workflow.checking import load

    return [
        (key, action.key)
        for key, source in library().items()
        for action in load(source).actions
        if not action.on and any(who.kind not in ("requester", "nobody") for who in action.by)
    ]


def ready(key: str, action_key: str) -> tuple[Ticket, Action]:
    """Return a ticket in the action's first source stage, with everything that its guards require, and the action."""
    ticket = file_under(key)
    definition = ticket.definition
    action = definition.action(action_key)
    stage = definition.stage(action.sources[0])
    agent = make_agent(ticket.department or make_department())
    missing = {when.name for when in action.when if when.negated}
    Ticket.objects.filter(pk=ticket.pk).update(
        stage=stage.key,
        stage_kind=stage.kind,
        assignee=None if "assigned" in missing else agent,
        requester=None if "requester_has_account" in missing else ticket.requester,
        difficulty=3,
        standing_checked_at=timezone.now(),
        call_due_since=timezone.now() if action_key == "llamar" else None,
        solution_done="Cambiamos la pieza.",
        solution_sent_at=timezone.now(),
        fields={item.key: sample(item) for item in definition.fields},
    )
    screenshot = Message.objects.create(
        ticket=ticket, kind="note", author=agent, author_name="A", body="Capturas"
    )
    sent = [definition.response(call.argument).body for call in action.guards if call.name == "response_sent"]
    for body in ("Estamos en ello", *sent):
        Message.objects.create(ticket=ticket, kind="follow_up", author=agent, author_name="A", body=body)
    Attachment.objects.create(ticket=ticket, message=screenshot, name="captura.png", kind="image", size=1)
    reviewer = make_agent(ticket.department or make_department())
    call = "failed" if "call_succeeded" in missing else "successful"
    for kind, outcome in (("call", call), ("whatsapp", "successful")):
        ContactEntry.objects.create(
            ticket=ticket, kind=kind, outcome=outcome, url="https://wa.me/1", by=agent
        )
    for item in definition.closing.checklist:
        ticket.checklist_entries.create(item=item.key, done_by=reviewer)
    ticket.refresh_from_db()
    return ticket, action


@pytest.mark.demand("S4.4")
@pytest.mark.parametrize(("key", "action_key"), clicked())
def test_every_library_action_can_be_performed(key, action_key):
    ticket, action = ready(key, action_key)
    changes = {}
    if any(when.name == "requester_inactive" for when in action.when) or "post_response:R4" in map(
        str, action.effects
    ):
        ticket.requester.standing = "inactive"
        ticket.requester.save()
    if "duplicate_of" in {ask.field for ask in action.asks}:
        other = file_under(key)
        Ticket.objects.filter(pk=other.pk).update(requester=ticket.requester)
        changes["duplicate_of"] = other.folio
    administrator = make_administrator()
    assert action in policies.available_actions(ticket, actor=administrator)
    client = signed_in(administrator)
    page = client.get(url(ticket, "action", action_key), follow=True)
    for ask in action.asks:
        assert f'name="{ask.field}"' in text_of(page), ask.field
    response = client.post(url(ticket, "action", action_key), answers(ticket, action, **changes))
    assert response.status_code == 302, re.findall(
        r"<strong>[^<]+</strong>|role=\"alert\".*?</div>", text_of(response)
    )
    event = ticket.events.filter(action=action_key).get()
    ticket.refresh_from_db()
    assert ticket.stage == (action.to or action.sources[0])
    assert event.actor == administrator
    assert event.kind == (EventKind.STAGE_CHANGED if ticket.stage != action.sources[0] else EventKind.ACTION)


# --- Journeys -------------------------------------------------------------------------------------------


@pytest.mark.demand("S4.17", "S4.20", "S4.21", "S4.22", "S4.24")
def test_incident_is_evaluated_resolved_and_validated():
    ticket = file_under("reporte-de-incidentes")
    department = ticket.department or make_department(ticket.definition.department)
    evaluator = signed_in(make_agent(department, name="Eva"))
    assert ticket.stage == "evaluar"
    refused = act(evaluator, ticket, "aceptar", evaluacion="", assignee="")
    assert refused.status_code == 422
    assert re.search(r'id="id_evaluacion_error"', text_of(refused))
    done(evaluator, ticket, "aceptar", assignee="")
    done(evaluator, ticket, "tomar")
    done(evaluator, ticket, "solicitar_informacion")
    assert ticket.stage == "completar"
    done(evaluator, ticket, "completar_informacion")
    done(evaluator, ticket, "resolver")
    done(evaluator, ticket, "devolver")
    assert ticket.stage == "resolver"
    done(evaluator, ticket, "resolver")
    done(evaluator, ticket, "validar")
    assert (ticket.stage, ticket.kind) == ("resuelto", StageKind.DONE)


@pytest.mark.demand("S4.18", "S4.19")
def test_rejecting_an_incident_requires_a_reason():
    ticket = file_under("reporte-de-incidentes")
    client = signed_in(make_agent(ticket.department or make_department(ticket.definition.department)))
    before = snapshot(ticket)
    refused = act(client, ticket, "rechazar", motivo_rechazo="")
    assert refused.status_code == 422
    assert "Te contamos lo que sigue.</textarea>" in text_of(refused)
    assert snapshot(ticket) == before
    done(client, ticket, "rechazar")
    assert ticket.kind == StageKind.REJECTED


@pytest.mark.demand("S1.11", "S1.14", "S1.15")
def test_repair_is_validated_and_finished_by_its_technician():
    ticket = file_under("reparacion-de-dispositivo")
    reviewer = make_agent(ticket.department)
    technician = make_agent(ticket.department, name="Técnica")
    page = text_of(signed_in(reviewer).get(url(ticket)))
    assert "Validar y asignar" in page
    assert "Denegar" in page
    done(signed_in(reviewer), ticket, "validar", assignee=technician.pk)
    assert (ticket.stage, ticket.assignee) == ("reparacion", technician)
    assert url(ticket, "action", "finalizar") not in text_of(signed_in(reviewer).get(url(ticket)))
    assert act(signed_in(reviewer), ticket, "finalizar").status_code == 422
    done(signed_in(technician), ticket, "finalizar")
    assert (ticket.stage, ticket.kind) == ("finalizado", StageKind.DONE)


@pytest.mark.demand("S1.11")
def test_a_repair_can_be_denied():
    ticket = file_under("reparacion-de-dispositivo")
    done(signed_in(make_agent(ticket.department)), ticket, "denegar")
    assert ticket.kind == StageKind.REJECTED


@pytest.mark.demand("S2.8")
def test_asking_for_approval_sends_the_solution():
    agent = make_agent()
    ticket = prepared(make_ticket(), agent)
    done(signed_in(agent), ticket, "pedir_aprobacion")
    assert ticket.stage == "aprobacion"
    assert ticket.messages.filter(kind="solution", body="Cambiamos la pieza.").exists()


# --- Refusals -------------------------------------------------------------------------------------------


@pytest.fixture
def agent():
    return make_agent(name="Diego")


@pytest.fixture
def ticket(agent):
    return prepared(make_ticket(), agent)


def test_refusing_guard_explains_and_keeps_input(ticket, agent):
    Ticket.objects.filter(pk=ticket.pk).update(standing_checked_at=None)
    before = snapshot(ticket)
    response = act(signed_in(agent), ticket, "pedir_aprobacion")
    assert response.status_code == 422
    assert "Verifica primero el estatus administrativo del solicitante." in text_of(response)
    assert "Cambiamos la pieza.</textarea>" in text_of(response)
    assert snapshot(ticket) == before


def test_action_of_another_stage_is_refused(ticket, agent):
    client = signed_in(agent)
    page = client.get(url(ticket, "action", "preparar"), follow=True)
    assert "Esa acción no está disponible en la etapa actual del ticket." in text_of(page)
    response = act(client, ticket, "preparar")
    assert response.status_code == 422
    assert "Esa acción no está disponible" in text_of(response)


@pytest.mark.parametrize("key", ["no-hay", "cerrar_por_silencio", "recibir_aporte", "__class__"])
def test_unknown_or_triggered_action_is_not_found(ticket, agent, key):
    client, before = signed_in(agent), snapshot(ticket)
    address = reverse("agents:ticket_action", args=[ticket.folio, key.replace("__", "-")])
    assert client.get(address).status_code == 404
    assert client.post(address, {"x": "1"}).status_code == 404
    assert snapshot(ticket) == before


@pytest.mark.demand("S2.8")
def test_staff_cannot_approve_for_the_requester(ticket, agent):
    done(signed_in(agent), ticket, "pedir_aprobacion")
    before = snapshot(ticket)
    for staff in (agent, make_supervisor(), make_administrator()):
        assert act(signed_in(staff), ticket, "aprobar").status_code == 422
    assert snapshot(ticket) == before


def test_stale_action_shows_changes_and_keeps_input(ticket, agent):
    from tickets.workflow import conversation

    seen = ticket.version
    conversation.reply(ticket, actor=ticket.requester, body="Esperen, falta algo")
    response = act(signed_in(agent), ticket, "pedir_aprobacion", version=seen)
    assert response.status_code == 409
    assert "Esperen, falta algo" in text_of(response)
    assert "Cambiamos la pieza.</textarea>" in text_of(response)
    ticket.refresh_from_db()
    assert f'name="version" value="{ticket.version}"' in text_of(response)
    assert ticket.stage == "procesar"


def test_action_posted_twice_happens_once(ticket, agent):
    client, action = signed_in(agent), ticket.definition.action("pedir_aprobacion")
    given = answers(ticket, action)
    for _twice in range(2):
        assert client.post(url(ticket, "action", action.key), given).status_code == 302
    assert ticket.events.filter(action="pedir_aprobacion").count() == 1


def test_htmx_gets_only_the_form(ticket, agent):
    part = signed_in(agent).get(url(ticket, "action", "pedir_aprobacion"), headers={"HX-Request": "true"})
    assert "<html" not in text_of(part)
    assert 'name="solution_done"' in text_of(part)


def test_form_labels_its_empty_choice_and_button(agent):
    ticket = file_under("reporte-de-incidentes")
    evaluator = signed_in(make_agent(ticket.department))
    page = text_of(evaluator.get(url(ticket, "action", "aceptar")))
    assert re.search(r'<option value="" selected>\s*Elige una opción', page)
    done(evaluator, ticket, "aceptar", assignee="")
    page = text_of(evaluator.get(url(ticket, "action", "solicitar_informacion")))
    assert re.search(r'class="btn btn-primary" type="submit">\s*Solicitar información', page)


def test_missing_account_is_shown_where_required():
    client = signed_in(make_administrator())
    demanding, free = file_under("soporte-con-aprobacion"), file_under("solicitud-guiada")
    Ticket.objects.update(requester=None)
    refused = act(client, demanding, "preparar", requester="")
    assert "El solicitante no tiene cuenta." in text_of(refused)
    assert "no tiene cuenta" not in text_of(client.get(url(free, "action", "empezar")))


def test_missing_account_warning_depends_on_the_asks():
    make_department()
    process = publish("""
format = 1
key = "cuentas"
name = { es = "Cuentas" }
login = "guest"
department = "soporte-tecnico"
[[stages]]
key = "entrada"
label = { es = "Entrada" }
kind = "new"
[[stages]]
key = "salida"
label = { es = "Salida" }
kind = "done"
[[actions]]
key = "verificar"
label = { es = "Verificar" }
from = ["entrada"]
to = "salida"
by = ["staff"]
asks = ["standing"]
[[actions]]
key = "asociar"
label = { es = "Asociar" }
from = ["entrada"]
to = "salida"
by = ["staff"]
asks = ["requester"]
guards = ["requester_has_account"]
""").process
    ticket, client = make_ticket(process, guest_email="ana@example.com"), signed_in(make_administrator())
    assert "El solicitante no tiene cuenta." in text_of(client.get(url(ticket, "action", "verificar")))
    assert "no tiene cuenta" not in text_of(client.get(url(ticket, "action", "asociar")))


def test_new_process_needs_no_code_for_its_actions(agent):
    """A sixth process, whose field and action no code mentions by key."""
    make_department()
    source = next(iter(library().values()))
    assert "cambiar-llanta" not in source
    process = publish("""
format = 1
key = "taller"
name = { es = "Taller" }
department = "soporte-tecnico"
[[fields]]
key = "presion"
label = { es = "Presión de las llantas" }
type = "number"
filled_by = "staff"
[[stages]]
key = "entrada"
label = { es = "Entrada" }
kind = "new"
[[stages]]
key = "salida"
label = { es = "Salida" }
kind = "done"
[[actions]]
key = "cambiar-llanta"
label = { es = "Cambiar la llanta" }
from = ["entrada"]
to = "salida"
by = ["staff"]
asks = ["presion"]
done = { es = "Llanta cambiada." }
""").process
    ticket = make_ticket(process)
    client = signed_in(agent)
    assert "Cambiar la llanta" in text_of(client.get(url(ticket)))
    assert "Presión de las llantas" in text_of(client.get(url(ticket, "action", "cambiar-llanta")))
    response = client.post(url(ticket, "action", "cambiar-llanta"), {"presion": "32"}, follow=True)
    assert "Llanta cambiada." in text_of(response)
    ticket.refresh_from_db()
    assert (ticket.stage, ticket.fields) == ("salida", {"presion": 32})
