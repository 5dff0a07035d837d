"""History: events have sentences in both languages, except filing and messages; markup in names is escaped."""

import pytest
from django.utils import timezone, translation

from accounts.enums import Standing
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.actors import SYSTEM
from tickets.closing import nonconformities
from tickets.closing.contact_log import log_contact
from tickets.enums import ContactKind, ContactOutcome, EventKind, Severity
from tickets.lists import history
from tickets.models import Nonconformity
from tickets.record.events import record
from tickets.requesters.standing import check_standing
from tickets.tests.factories import make_ticket
from tickets.workflow import conversation, properties
from tickets.workflow.perform import perform

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>"


def told(ticket):
    events = list(ticket.events.all())
    names = history.names_in(events)
    return [history.tell(event, ticket.definition, names) for event in events]


@pytest.fixture
def ticket(db):
    return make_ticket(requester=make_user(name="Lucía"))


def test_sentences_have_names_and_values(ticket):
    supervisor = make_supervisor(name="Carolina")
    diego = make_agent(name="Diego")
    properties.assign(ticket, actor=supervisor, assignee=diego)
    properties.assign(ticket, actor=diego, assignee=None)
    properties.assign(ticket, actor=diego, assignee=diego)
    properties.change_properties(
        ticket, actor=diego, severity=Severity.CRITICAL, difficulty=3, department=make_department("academico")
    )
    properties.set_contribution(ticket, actor=diego, is_open=True)
    check_standing(ticket, actor=supervisor, standing=Standing.INACTIVE)
    log_contact(ticket, actor=diego, kind=ContactKind.CALL, outcome=ContactOutcome.FAILED)
    chat = {"kind": ContactKind.WHATSAPP, "url": "https://wa.me/chat/1"}
    log_contact(ticket, actor=diego, outcome=ContactOutcome.SUCCESSFUL, **chat)
    assert told(ticket) == [
        "",  # filing has no sentence: the report shows it
        "<b>Carolina</b> asignó el ticket a <b>Diego</b>",
        "<b>Diego</b> devolvió el ticket a la cola; lo tenía <b>Diego</b>",
        "<b>Diego</b> se asignó el ticket",
        "<b>Diego</b> cambió severidad <b>Crítica</b>, dificultad <b>3</b>, departamento <b>Académico</b>",
        "<b>Diego</b> habilitó el aporte de usuario",
        "<b>Carolina</b> verificó el estatus del solicitante: <b>Inactivo</b>",
        "<b>Diego</b> registró una llamada: <b>fallida</b>",
        "<b>Diego</b> registró una conversación por WhatsApp: <b>exitosa</b>",
    ]


def test_proposed_change_names_the_solved_ticket(ticket):
    diego = make_agent(name="Diego")
    values = {"category": ticket.category.process.categories.get(key="pagos"), "assignee": diego}
    properties.take_proposal(
        ticket, actor=diego, values={name: (value, "MA-10012") for name, value in values.items()}
    )
    why = " · propuesto porque se parece a <b>MA-10012</b>"
    assert told(ticket)[1:] == [
        f"<b>Diego</b> se asignó el ticket{why}",
        f"<b>Diego</b> cambió categoría <b>{values['category']}</b>{why}",
    ]


@pytest.mark.demand("S1.14")
def test_action_sentence_has_label_stage_and_changes(ticket):
    supervisor, diego = make_supervisor(name="Carolina"), make_agent(name="Diego")
    data = {
        "severity": "high",
        "department": ticket.department,
        "difficulty": 2,
        "assignee": diego,
        "due_at": timezone.now() + timezone.timedelta(days=1),
        "standing": "active",
    }
    perform(ticket, "preparar", actor=supervisor, data=data)
    said = told(ticket)[-1]
    assert said.startswith("<b>Carolina</b>: Preparar · etapa <b>Procesar ticket</b>, ")
    for part in (
        "severidad <b>Alta</b>",
        "responsable <b>Diego</b>",
        "dificultad <b>2</b>",
        "fecha de cierre <b>",
    ):
        assert part in said


def test_nonconformity_review_has_a_sentence(ticket):
    report = Nonconformity.objects.create(ticket=ticket, reason="No se resolvió.")
    nonconformities.review(report, actor=make_supervisor(name="Carolina"), conclusion="Faltó una prueba.")
    assert told(ticket)[-1] == "<b>Carolina</b> revisó el reporte de inconformidad"


def test_messages_have_no_sentence(ticket):
    diego = make_agent()
    conversation.add_internal_note(ticket, actor=diego, body="Solo para nosotros")
    conversation.reply(ticket, actor=ticket.requester, body="Otra cosa")
    assert told(ticket)[1:] == ["", ""]


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_kind_but_filing_and_messages_has_sentence(ticket, language):
    data = {
        EventKind.ASSIGNED: {"changes": {"assignee_id": [None, None]}},
        EventKind.STANDING_CHECKED: {"standing": "active"},
        EventKind.CONTACT: {"kind": "call", "outcome": "failed"},
        EventKind.CHECKLIST: {"item": "llamada", "done": True},
        EventKind.WARNED: {"clock": "next_reply", "percent": 75},
        EventKind.BREACHED: {"clock": "resolution"},
        EventKind.SURVEY: {"score": 4},
        EventKind.CONTINUED: {"folio": "MA-10042"},
        EventKind.REQUESTER: {"requester": 0},
        EventKind.NOTIFICATIONS: {"on": True},
        EventKind.FILES_EXPIRED: {"files": 2, "days": 90},
        EventKind.MAIL_HELD: {"sender": "otra@casa.test", "reason": "other_address"},
        EventKind.MAIL_DECIDED: {"sender": "otra@casa.test", "decision": "let_in"},
        **{
            kind: {"task": 0, "title": "Revisar los registros", "department": 0}
            for kind in history.TASK_KINDS
        },
    }
    silent = {EventKind.FILED, EventKind.MESSAGE, EventKind.NOTE}
    with translation.override(language):
        for kind in EventKind:
            event = record(ticket, kind, actor=SYSTEM, public=False, data=data.get(kind, {}))
            said = history.tell(event, ticket.definition, history.names_in([event]))
            assert bool(said) == (kind not in silent), kind


def test_markup_in_names_is_escaped(ticket):
    diego = make_agent(name=EVIL)
    properties.assign(ticket, actor=make_supervisor(name=EVIL), assignee=diego)
    said = told(ticket)[-1]
    assert EVIL not in said
    assert said.count("&lt;script&gt;") == 2


def test_names_in_costs_one_query_per_model(ticket, django_assert_num_queries):
    diego = make_agent()
    for department in ("cca", "academico", "administracion"):
        properties.change_properties(ticket, actor=diego, department=make_department(department))
        diego = make_supervisor()
    events = list(ticket.events.all())
    with django_assert_num_queries(1):
        history.names_in(events)
