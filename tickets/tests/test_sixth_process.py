"""A sixth process, written as one file without any Python: published, filed and played."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone, translation

from accounts.models import Department
from accounts.tests.factories import make_agent, make_user
from content.errors import InvalidData
from tickets.definitions.fields import displayed_answers
from tickets.definitions.responses import fitting_responses
from tickets.exceptions import ActionUnavailable, GuardFailed, NotAllowed
from tickets.policies import available_actions
from tickets.tests.playing import START
from tickets.workflow import conversation
from tickets.workflow.intake import Requester, file_ticket
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

SOURCE = (Path(__file__).parent / "sixth_process.toml").read_text("utf-8")
ANSWERS = {
    "proyecto": "ABC-12",
    "uso": "Feria del libro",
    "tamano": "chico",
    "extras": ["cable", "funda"],
    "cantidad": "3",
    "desde": "2026-04-01",
    "con_traslado": "on",
    "contacto": "no hace falta",
}
pytestmark = pytest.mark.demand("S4.4", "S4.26")


@pytest.fixture
def process(db):
    return publish(SOURCE).process


def lend(process, requester=None, category="evento", phone="0212 555 0101", **answers):
    actor = requester or make_user()
    return file_ticket(
        process,
        actor=actor,
        category=process.categories.get(key=category),
        title="Un proyector",
        description="Para el viernes.",
        phone=phone,
        fields={**ANSWERS, **answers},
    )


def test_fields_of_every_type_are_stored_and_shown(process):
    ticket = lend(process)
    assert ticket.fields == {
        "proyecto": "ABC-12",
        "uso": "Feria del libro",
        "tamano": "chico",
        "extras": ["cable", "funda"],
        "cantidad": 3,
        "desde": "2026-04-01",
        "con_traslado": True,
    }
    told = {
        str(field.label): text for field, text in displayed_answers(process.definition.fields, ticket.fields)
    }
    assert told == {
        "Proyecto": "ABC-12",
        "Para qué": "Feria del libro",
        "Tamaño": "Chico",
        "Extras": "Cable, Funda",
        "Cantidad": "3",
        "Desde": "1 abr 2026",
        "Con traslado": "Sí",
    }
    with translation.override("en"):
        english = {
            str(field.label): text
            for field, text in displayed_answers(process.definition.fields, ticket.fields)
        }
    assert english["Size"] == "Small"


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({"proyecto": "abc"}, {"proyecto": "Tres letras, guion y dos cifras."}),
        ({"uso": "x" * 41}, {"uso": None}),
        ({"tamano": "enorme"}, {"tamano": None}),
        ({"tamano": "grande", "contacto": ""}, {"contacto": None}),
        ({"tamano": "grande", "contacto": "nada"}, {"contacto": None}),
        ({"extras": ["cable", "perro"]}, {"extras": None}),
        ({"cantidad": "11"}, {"cantidad": None}),
        ({"cantidad": "tres"}, {"cantidad": None}),
        ({"desde": "32/13/2026"}, {"desde": None}),
        ({"desde": "", "proyecto": ""}, {"desde": None, "proyecto": None}),
    ],
)
def test_wrong_answers_are_reported_by_field(process, answers, wrong):
    with pytest.raises(InvalidData) as refused:
        lend(process, **answers)
    assert refused.value.errors.keys() == wrong.keys()
    for key, message in wrong.items():
        assert message is None or refused.value.errors[key] == [message]


def test_field_of_another_category_is_ignored(process):
    ticket = lend(process, category="reemplazo", desde="")
    assert "desde" not in ticket.fields
    assert "desde" not in lend(process, category="reemplazo").fields


def test_missing_answers_and_phone_are_reported_together(process):
    with pytest.raises(InvalidData) as refused:
        lend(process, phone="", cantidad="")
    assert refused.value.errors.keys() == {"phone", "cantidad"}


def test_small_loan_is_handed_over_and_returned(process):
    customer, other = make_user(), make_agent(Department.objects.get(key="almacen"))
    keeper = make_agent(Department.objects.get(key="almacen"))
    keeper.groups.add(*keeper.groups.model.objects.filter(name="custodio"))
    boss = make_agent(Department.objects.get(key="almacen"), email="jefa@example.com")
    ticket = lend(process, requester=customer)
    assert (ticket.public_state, ticket.first_response_due_at - ticket.created_at) == (
        "waiting",
        timedelta(hours=2),
    )

    assert available_actions(ticket, actor=other) == []  # not in the group that owns the stage
    assert [action.key for action in available_actions(ticket, actor=keeper)] == ["entregar"]
    ticket = perform(
        ticket,
        "entregar",
        actor=keeper,
        data={"due_at": timezone.now() + timedelta(days=2), "case_kind": "problem"},
    )
    assert (ticket.stage, ticket.case_kind, ticket.assignee, ticket.is_paused) == (
        "prestado",
        "problem",
        keeper,
        True,
    )
    assert ticket.first_response_due_at - ticket.created_at == timedelta(minutes=30)

    ticket = perform(ticket, "devolver", actor=customer, data={"uso": "La feria"})
    assert ticket.fields["uso"] == "La feria"
    with pytest.raises(NotAllowed):
        perform(ticket, "recibir", actor=keeper, data={"estado": "bien"})
    with pytest.raises(InvalidData) as refused:
        perform(ticket, "recibir", actor=boss, data={"estado": "roto"})
    assert refused.value.errors.keys() == {"danos"}
    ticket = perform(ticket, "recibir", actor=boss, data={"estado": "bien", "danos": "se ignora"})
    assert (ticket.stage, ticket.fields["estado"], "danos" in ticket.fields) == ("devuelto", "bien", False)


def test_large_loan_needs_the_action_with_transport(process):
    driver = make_agent(Department.objects.get(key="almacen"), Department.objects.get(key="transporte"))
    ticket = lend(process, tamano="grande", contacto="0212 555 0102")
    with pytest.raises(ActionUnavailable):
        perform(ticket, "entregar", actor=driver, data={"due_at": timezone.now() + timedelta(days=2)})
    type(ticket).objects.filter(pk=ticket.pk).update(fields={**ticket.fields, "contacto": ""})
    with pytest.raises(GuardFailed, match="Teléfono de quien recibe"):
        perform(ticket, "entregar_con_traslado", actor=driver)
    type(ticket).objects.filter(pk=ticket.pk).update(fields=ticket.fields)
    assert perform(ticket, "entregar_con_traslado", actor=driver).stage == "prestado"


def test_solution_closes_the_loan_only_in_verification(process):
    driver = make_agent(Department.objects.get(key="almacen"), Department.objects.get(key="transporte"))
    customer = make_user()
    ticket = lend(process, requester=customer, tamano="grande", contacto="0212 555 0102")
    with pytest.raises(GuardFailed):
        conversation.send_solution(ticket, actor=driver, done="Ya volvió.")
    ticket = perform(ticket, "entregar_con_traslado", actor=driver)
    ticket = perform(ticket, "devolver", actor=customer, data={"uso": "Una obra"})
    conversation.send_solution(ticket, actor=driver, done="Ya volvió.")
    ticket.refresh_from_db()
    assert ticket.stage == "devuelto"


def test_silence_marks_the_loan_as_lost(process, play):
    p = play("incidencia-tecnica")  # to stop the time
    driver = make_agent(Department.objects.get(key="almacen"), Department.objects.get(key="transporte"))
    p.ticket = perform(
        lend(process, tamano="grande", contacto="0212 555 0102"), "entregar_con_traslado", actor=driver
    )
    assert timezone.now() == START
    assert p.later(days=14).ticket.stage == "prestado"
    assert p.later(days=1).ticket.stage == "perdido"


def test_response_is_offered_when_its_conditions_hold(process):
    keeper = make_agent(Department.objects.get(key="almacen"))
    ticket = lend(process)
    assert fitting_responses(ticket) == []
    ticket.assignee = keeper
    assert [response.key for response in fitting_responses(ticket)] == ["gracias"]
    ticket.requester = None
    assert fitting_responses(ticket) == []


def test_guest_can_file_the_sixth_process(process):
    ticket = file_ticket(
        process,
        actor=None,
        requester=Requester(email="ana@example.com"),
        category=process.categories.get(key="reemplazo"),
        title="Otro cable",
        description="El mío se rompió.",
        phone="0212 555 0101",
        fields=ANSWERS,
    )
    assert (ticket.requester, ticket.department.key) == (None, "almacen")
