"""Answers to a process's own questions: when one fits what the file says, and when one counts as blank."""

import pytest
import time_machine

from content.errors import InvalidData
from tickets.definitions.definition import FieldDefinition, Option, Text
from tickets.definitions.fields import clean_values, form_field, is_answer, is_blank
from tickets.exceptions import ActionUnavailable, GuardFailed
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

PROCESS = """
format = 1
key = "traslados"
name = "Traslados"

[[fields]]
key = "urgente"
label = "Es urgente"
type = "yes_no"

[[fields]]
key = "motivo"
label = "Motivo"
required = true
shown_when = { urgente = true }

[[fields]]
key = "cajas"
label = "Cajas"
type = "number"

[[stages]]
key = "pedido"
label = "Pedido"
kind = "new"

[[stages]]
key = "hecho"
label = "Hecho"
kind = "done"

[[actions]]
key = "correr"
label = "Correr"
from = ["pedido"]
to = "hecho"
by = ["requester"]
when = "field.urgente=yes"

[[actions]]
key = "esperar"
label = "Esperar"
from = ["pedido"]
to = "hecho"
by = ["requester"]
when = "field.urgente=no"

[[actions]]
key = "cargar"
label = "Cargar"
from = ["pedido"]
to = "hecho"
by = ["requester"]
guards = ["field_filled:cajas"]

[[actions]]
key = "cargar_tres"
label = "Cargar tres"
from = ["pedido"]
to = "hecho"
by = ["requester"]
when = "field.cajas=3"
"""


def field(kind: str) -> FieldDefinition:
    return FieldDefinition(
        "f", Text("F"), kind, options=(Option("no", Text("No")),) if "choice" in kind else ()
    )


@pytest.mark.parametrize(
    ("kind", "given", "expected", "fits"),
    [
        ("yes_no", True, "yes", True),
        ("yes_no", True, "True", True),
        ("yes_no", "on", "sí", True),
        ("yes_no", True, "no", False),
        ("yes_no", False, "no", True),
        ("yes_no", None, "no", True),
        ("yes_no", None, "yes", False),
        ("number", 3, "3", True),
        ("number", 3.0, "3", True),
        ("number", "3,50", "3.5", True),
        ("number", 0, "0", True),
        ("number", None, "0", False),
        ("number", "sNaN", "3", False),
        ("number", "NaN", "NaN", True),
        ("choice", "no", "no", True),
        ("choice", None, "no", False),
        ("multi_choice", ["a", "no"], "no", True),
        ("multi_choice", [], "no", False),
        ("text", "yes", "yes", True),
        ("text", True, "yes", False),
    ],
)
def test_answer_fits_by_the_type_of_its_field(kind, given, expected, fits):
    assert is_answer(given, expected, field(kind)) is fits


@pytest.mark.parametrize(
    ("answer", "blank"), [(0, False), (False, False), (None, True), ("", True), ([], True)]
)
def test_zero_and_no_are_answers(answer, blank):
    assert is_blank(answer) is blank


def filed(**answers: object) -> Ticket:
    return make_ticket(publish(PROCESS).process, fields=answers)


@pytest.mark.django_db
@pytest.mark.parametrize(("answers", "possible", "refused"), [
    ({"urgente": "on", "motivo": "Mudanza"}, "correr", "esperar"),
    ({"urgente": "off"}, "esperar", "correr"),
    ({}, "esperar", "correr"),
    ({"cajas": "3"}, "cargar_tres", "correr"),
    ({"cajas": "3"}, "cargar", "correr"),
    ({"cajas": "0"}, "cargar", "cargar_tres"),
])  # fmt: skip
def test_conditions_and_guards_read_answers_by_type(answers, possible, refused):
    ticket = filed(**answers)
    with pytest.raises(ActionUnavailable):
        perform(ticket, refused, actor=ticket.requester)
    assert perform(ticket, possible, actor=ticket.requester).stage == "hecho"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("word", "stored"), [("no", False), ("Sí", True), ("false", False), (True, True), ("", False)]
)
def test_yes_no_reads_words_of_every_channel(word, stored):
    assert filed(urgente=word, motivo="Mudanza").fields["urgente"] is stored


@pytest.mark.django_db
def test_yes_no_refuses_other_words():
    with pytest.raises(InvalidData) as refused:
        filed(urgente="quizá")
    assert refused.value.errors["urgente"] == ["Responde sí o no."]


@pytest.mark.django_db
def test_unanswered_number_is_blank():
    ticket = filed()
    with pytest.raises(GuardFailed, match="Completa «Cajas»"):
        perform(ticket, "cargar", actor=ticket.requester)


@pytest.mark.django_db
def test_question_shown_for_yes_is_dropped_for_no():
    assert "motivo" not in filed(urgente="off", motivo="No se pregunta").fields
    assert filed(urgente="on", motivo="Mudanza").fields["motivo"] == "Mudanza"


@pytest.mark.parametrize(
    ("days", "given", "said"),
    [
        ("past", "2026-11-28", ""),
        ("past", "2026-11-29", "Elige una fecha que ya pasó, o la de hoy."),
        ("future", "2026-11-28", ""),
        ("future", "2026-11-27", "Elige la fecha de hoy o una que venga."),
        ("", "2030-01-01", ""),
    ],
)
@time_machine.travel("2026-11-29T02:00Z", tick=False)  # still the 28th in Caracas
def test_date_is_one_of_the_days_that_the_file_accepts(days: str, given: str, said: str):
    asked = FieldDefinition("f", Text("F"), "date", days=days)

    if said:
        with pytest.raises(InvalidData) as refused:
            clean_values([asked], {"f": given})
        assert refused.value.errors == {"f": [said]}
    else:
        assert clean_values([asked], {"f": given}) == {"f": given}
    limits = {"past": {"max": "2026-11-28"}, "future": {"min": "2026-11-28"}}.get(days, {})
    shown = form_field(asked).widget.attrs
    assert {name: shown[name] for name in ("min", "max") if name in shown} == limits
