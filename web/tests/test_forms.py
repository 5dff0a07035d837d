"""The forms that all faces share: version and key, the fields that an action shows, and refusals."""

import json
import uuid

import pytest

from content.errors import InvalidData
from tickets.enums import EventKind
from tickets.exceptions import ActionUnavailable
from tickets.models import Ticket, TicketEvent
from tickets.record.freshness import StaleTicket
from web.forms import ActionForm, StampedForm
from web.refusals import Refusal
from web.tests.factories import make_questioned_ticket

KEY = "956327c9-e626-4dae-8f9c-a7f57fefdcab"  # fixed: pytest-xdist workers must collect the same parameters


@pytest.fixture
def ticket(db: None) -> Ticket:
    return make_questioned_ticket()


def action_form(ticket: Ticket, **data: str) -> ActionForm:
    action = ticket.definition.action("contar")
    assert action is not None
    return ActionForm(data or None, action=action, ticket=ticket, prefix="contar")


# --- Version and key --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "key", "stamp"),
    [
        ("7", KEY, {"version": 7, "key": KEY}),
        ("", "", {"version": None, "key": None}),
        ("99999999999999999999", KEY, {"version": None, "key": KEY}),
    ],
)
def test_stamp_has_version_and_key(version: str, key: str, stamp: dict[str, object]):
    form = StampedForm({"version": version, "key": key})

    assert form.is_valid()
    assert form.stamp() == stamp


@pytest.mark.parametrize(("version", "key"), [("abc", "zzz"), ("-1", "1234"), ("7", "x" * 3000)])
def test_unreadable_key_becomes_a_key_of_the_whole_form(version: str, key: str):
    form, again, other = (
        StampedForm({"version": version, "key": key, "body": body}) for body in ("Hola", "Hola", "Adiós")
    )

    assert form.is_valid()
    assert form.stamp() == again.stamp()
    assert uuid.UUID(form.stamp()["key"])
    assert form.stamp()["key"] != other.stamp()["key"]


def test_stamp_is_read_from_a_form_with_errors(ticket: Ticket):
    form = action_form(ticket, **{"contar-version": "3", "contar-key": KEY, "contar-detalle": "x" * 300})

    assert not form.is_valid()
    assert form.stamp() == {"version": 3, "key": KEY}


def test_stamp_validates_no_other_field(ticket: Ticket):
    form = action_form(ticket, **{"contar-version": "3"})

    form.stamp()

    assert form._errors is None


# --- Fields that an action shows --------------------------------------------------------------------------


def test_field_depends_on_answer_of_same_form(ticket: Ticket):
    shown = {item["field"].name: item["shown_when"] for item in action_form(ticket).asked_fields()}

    assert shown["sirve"] == ""
    assert json.loads(shown["detalle"]) == {"contar-sirve": ["on"]}


def test_field_depends_on_stored_answer(ticket: Ticket):
    assert [item["field"].name for item in action_form(ticket).asked_fields()] == ["sirve", "detalle"]

    ticket.fields = {**ticket.fields, "tamano": "grande"}

    assert "motivo" in [item["field"].name for item in action_form(ticket).asked_fields()]


# --- Refusals ---------------------------------------------------------------------------------------------


def test_refusal_puts_messages_beside_their_fields():
    form = StampedForm({})
    with Refusal(form) as refusal:
        raise InvalidData({"key": ["mal"], "unknown": ["fuera"]})

    assert (form.errors["key"], form.non_field_errors()) == (["mal"], ["fuera"])
    assert (bool(refusal), refusal.is_about_fields, refusal.status) == (True, True, 422)


def test_refused_action_shows_message_above_the_form():
    form = StampedForm({})
    with Refusal(form) as refusal:
        raise ActionUnavailable

    assert form.non_field_errors() == [str(ActionUnavailable.default)] == [str(refusal)]
    assert (refusal.is_stale, refusal.is_about_fields, refusal.status) == (False, False, 422)


def test_stale_page_adds_no_form_errors():
    form, event = StampedForm({}), TicketEvent(kind=EventKind.NOTE)
    with Refusal(form) as refusal:
        raise StaleTicket([event])

    assert form.is_valid()
    assert (refusal.is_stale, list(refusal.changes), refusal.status) == (True, [event], 409)


def test_refusal_does_not_catch_other_errors():
    with pytest.raises(ZeroDivisionError), Refusal():
        raise ZeroDivisionError


def test_refusal_is_false_without_an_error():
    with Refusal(StampedForm({})) as refusal:
        pass

    assert (bool(refusal), str(refusal), list(refusal.changes)) == (False, "", [])
