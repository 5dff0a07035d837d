"""What solved tickets propose for an open one: the same on both databases, and never more than the agent may see."""

from typing import Any

import pytest

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from knowledge.proposals import Proposal, propose, similar_to
from tickets.models import Category, Ticket
from tickets.search.indexing import index_changed
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.solving import make_solved
from tickets.workflow import properties
from tickets.workflow.conversation import add_internal_note

pytestmark = pytest.mark.django_db
TITLE = "No llega el código de verificación al celular"
DONE = "Cambiamos el canal del código a correo."
STEPS = "- Entra a tu cuenta.\n- Pide el código otra vez."


@pytest.fixture
def supervisor() -> User:
    return make_supervisor(name="Carolina Núñez")


def category(key: str) -> Category:
    return make_process().categories.get(key=key)


def asked(title: str = "El código de verificación no me llega", **fields: Any) -> Ticket:
    """File an open ticket and write the words of all tickets, as the job does."""
    ticket = make_ticket(make_process(), requester=make_user(name="Andrés Mejía"), title=title, **fields)
    index_changed()
    ticket.refresh_from_db()
    return ticket


def parts(proposal: Proposal | None) -> dict[str, Any]:
    return {part.name: part.value for part in proposal.parts} if proposal else {}


def test_alike_approved_closing_proposes_each_part(supervisor: User):
    diego = make_agent(make_department(), name="Diego Salazar")
    solved = make_solved(
        TITLE, done=DONE, steps=STEPS, severity="critical", category=category("acceso"), assignee=diego
    )
    ticket = asked(category=category("pagos"))

    proposal = propose(ticket, by=supervisor)

    assert proposal is not None
    assert proposal.best.ticket == solved
    assert proposal.best.approved_at
    found = parts(proposal)
    assert found.pop("answer") == (
        "Hola, Andrés. En un caso parecido funcionó esto:\n\n"
        "1. Entra a tu cuenta.\n2. Pide el código otra vez.\n\n¿Nos cuentas si te sirvió?"
    )
    assert found == {
        "category": category("acceso"),
        "severity": "critical",
        "department": make_department(),
        "assignee": diego,
    }
    assert all(part.source.ticket == solved for part in proposal.parts)


@pytest.mark.parametrize(
    "title",
    [
        "No puedo descargar la factura de octubre",
        "Necesito ayuda por favor",
        "No llega",
        "Hola",
        "Mi número de celular cambió",
        "¿¿??",
    ],
)
def test_unlike_ticket_gets_no_proposal(supervisor: User, title: str):
    make_solved(TITLE, done=DONE)

    assert propose(asked(title, description="Gracias por todo."), by=supervisor) is None


def test_words_that_every_report_has_make_none_alike(supervisor: User):
    make_solved("No puedo ver mi problema, ayuda por favor", done=DONE, description="Hoy no me deja.")

    ticket = asked(
        "No puedo: tengo un problema, ayuda por favor", description="Ayer funciona y hoy no me deja."
    )
    assert propose(ticket, by=supervisor) is None


@pytest.mark.parametrize("change", ["open", "test", "duplicate", "no solution"])
def test_ticket_that_was_not_solved_proposes_nothing(supervisor: User, change: str):
    solved = make_solved(TITLE, done=DONE)
    changes: dict[str, Any] = {
        "open": {"closed_at": None, "stage": "procesar", "stage_kind": "work"},
        "test": {"is_test": True},
        "duplicate": {"duplicate_of": make_ticket()},
        "no solution": {"solution_done": ""},
    }
    Ticket.objects.filter(pk=solved.pk).update(**changes[change])

    assert propose(asked(), by=supervisor) is None


def test_tickets_that_the_agent_may_not_see_are_neither_counted_nor_named():
    secret = make_solved("Código de verificación SECRETO que no llega", done="SECRETO", department="cca")
    seen = make_solved(TITLE, done=DONE)
    ticket = asked()
    agent = make_agent(make_department())

    proposal = propose(ticket, by=agent)

    assert proposal is not None
    assert [each.ticket for each in proposal.similar] == [seen]
    assert secret.folio not in str(proposal)
    assert "SECRETO" not in str(parts(proposal))
    both = propose(ticket, by=make_supervisor())
    assert both is not None
    assert len(both.similar) == 2


def test_customers_get_no_proposal():
    make_solved(TITLE, done=DONE)
    ticket = asked()

    assert ticket.requester is not None
    assert propose(ticket, by=ticket.requester) is None
    assert propose(ticket, by=make_user()) is None


def test_closed_ticket_gets_no_proposal(supervisor: User):
    make_solved(TITLE, done=DONE)
    asked()

    assert propose(make_solved("El código de verificación no llega"), by=supervisor) is None


def test_approved_closings_come_first_and_only_they_give_an_answer(supervisor: User):
    approved = make_solved("El código de verificación no llega nunca a mi otro correo", done=DONE)
    same = make_solved("El código de verificación no me llega", done="Otra cosa.", approved=False)
    ticket = asked()

    proposal = propose(ticket, by=supervisor)
    assert proposal is not None
    assert [each.ticket for each in proposal.similar] == [approved, same]
    assert proposal.answer is not None
    assert proposal.answer.source.ticket == approved
    Ticket.objects.filter(pk=approved.pk).update(solution_done="")
    alone = propose(ticket, by=supervisor)
    assert alone is not None
    assert alone.answer is None


def test_answer_has_no_personal_data_and_no_notes_of_the_other_ticket(supervisor: User):
    solved = make_solved(
        TITLE,
        done="Llamé a Julián Torres. Devolvimos 45 USD. Cambiamos el canal. Quedó julian@correo.example. Vea MA-10012.",
        steps="Julián: entra con la placa ABC123.\nMarca al 313 555 0188.",
    )
    add_internal_note(solved, actor=supervisor, body="NOTA SECRETA del código de verificación")
    ticket = asked()

    proposal = propose(ticket, by=supervisor)

    assert proposal is not None
    assert proposal.answer is not None
    assert proposal.answer.value.split("\n\n")[1] == "Cambiamos el canal."
    assert "SECRETA" not in str(proposal)


def test_solution_with_nothing_but_personal_data_gives_no_answer(supervisor: User):
    make_solved(TITLE, done="Se lo dijimos a Julián Torres.", steps="Escribe a ana@correo.example")

    proposal = propose(asked(), by=supervisor)

    assert proposal is not None
    assert proposal.answer is None


def test_answer_in_another_language_is_not_proposed(supervisor: User):
    solved = make_solved(TITLE, done="We changed the channel.")
    Ticket.objects.filter(pk=solved.pk).update(requester_language="en")

    proposal = propose(asked(), by=supervisor)

    assert proposal is not None
    assert proposal.answer is None


def test_value_that_less_than_half_have_is_not_proposed(supervisor: User):
    for severity in ("critical", "high", "low"):
        make_solved(TITLE, done=DONE, severity=severity)

    assert "severity" not in parts(propose(asked(), by=supervisor))


def test_retired_category_and_closed_department_are_not_proposed(supervisor: User):
    make_solved(TITLE, done=DONE, category=category("acceso"))
    ticket = asked(category=category("pagos"))
    Category.objects.filter(key="acceso").update(is_active=False)
    department = make_department()
    department.is_active = False
    department.save()

    assert not {"category", "department"} & parts(propose(ticket, by=supervisor)).keys()


def test_category_of_another_process_is_not_proposed(supervisor: User):
    make_solved(TITLE, done=DONE, category=category("acceso"))
    other = make_ticket(make_process("incidencia-tecnica"), title="El código de verificación no me llega")
    index_changed()
    other.refresh_from_db()

    found = parts(propose(other, by=supervisor))
    assert "answer" in found
    assert not {"category", "severity", "department"} & found.keys()


def test_assigned_ticket_keeps_its_assignee(supervisor: User):
    make_solved(TITLE, done=DONE)
    ticket = properties.assign(asked(), actor=supervisor, assignee=supervisor)

    assert "assignee" not in parts(propose(ticket, by=supervisor))


def test_taken_part_stays_and_says_so(supervisor: User):
    solved = make_solved(TITLE, done=DONE, severity="critical")
    ticket = asked()

    ticket = properties.take_proposal(
        ticket, actor=supervisor, values={"severity": ("critical", solved.folio)}
    )
    proposal = propose(ticket, by=supervisor)
    assert proposal is not None
    assert [part.is_taken for part in proposal.parts if part.name == "severity"] == [True]
    by_hand = properties.change_properties(
        asked("Código de verificación: no llega"), actor=supervisor, severity="critical"
    )
    assert "severity" not in parts(propose(by_hand, by=supervisor))


@pytest.mark.parametrize("count", [1, 12])
def test_proposal_takes_the_same_queries(count: int, django_assert_max_num_queries: Any):
    for number in range(count):
        make_solved(f"{TITLE} {number}", done=DONE, assignee=make_agent(make_department()))
    ticket, agent = asked(), make_agent(make_department())

    with django_assert_max_num_queries(14):
        assert propose(ticket, by=agent)


def test_older_alike_ticket_is_found_among_many_others(supervisor: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.proposals.LOOKED_AT", 3)
    solved = make_solved(TITLE, done=DONE)
    for number in range(4):
        make_solved(f"El código postal {number} está mal", done=DONE)

    assert [each.ticket for each in similar_to(asked(), reader=supervisor)] == [solved]


def test_title_that_says_too_little_is_helped_by_the_text(supervisor: User):
    solved = make_solved(TITLE, done=DONE)

    ticket = asked("Ayuda", description="El código de verificación no llega al celular.")
    assert [each.ticket for each in similar_to(ticket, reader=supervisor)] == [solved]
