"""S1 · the repair of a device (AuraQuantic), played from the first stage to every end."""

import pytest

from content.errors import InvalidData
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.tests.factories import make_process
from tickets.tests.playing import Play, left_unplayed, reopen_both_ways
from tickets.workflow.asks import fields_of
from tickets.workflow.intake import Requester, file_ticket
from tickets.workflow.perform import perform

KEY = "reparacion-de-dispositivo"
DEVICE = {"marca": "Samsung", "modelo": "A54", "numero_de_serie": "353918-05", "comprado_el": "2025-11-03"}
PHONE = "+58 212 555 0101"


def register(play, **filing) -> Play:
    return play(KEY, **{"filed_by": "guest", "fields": DEVICE, "phone": PHONE, **filing})


def validate(play: Play) -> Play:
    return play.do(play.colleague, "validar", trabajo="reparacion", assignee=play.agent, en_garantia=True)


@pytest.mark.demand("S1.3", "S1.5", "S1.9", "S1.10", "S1.11", "S1.13", "S1.14", "S1.15", "S1.16")
def test_full_flow_of_a_validated_device(play):
    p = register(play)
    assert (p.ticket.stage, p.ticket.department.key) == ("registrado", "reparaciones")
    assert p.told == [("requester", "received"), ("department", "new_ticket")]

    validate(p)
    assert (p.ticket.stage, p.ticket.assignee) == ("reparacion", p.agent)
    assert p.told == [("requester", "accepted"), ("assignee", "assigned")]
    assert p.ticket.fields == {**DEVICE, "trabajo": "reparacion", "en_garantia": True}

    p.do(p.agent, "pedir_informacion", message="¿Se mojó?")
    assert (p.ticket.stage, p.ticket.is_paused) == ("esperando", True)
    p.reply("Un poco.")
    assert p.ticket.stage == "reparacion"
    p.do(p.manager, "pedir_informacion", message="¿Cuándo?").contribution(is_open=False)
    assert (p.ticket.stage, p.last.action) == ("reparacion", "dejar_de_esperar")

    p.do(p.agent, "finalizar", solution_done="Cambiamos la pantalla.")
    assert str(p.ticket.stage_definition.label) == "FINALIZADO"
    assert p.ticket.public_state == "completed"
    assert p.told == [("requester", "closed"), ("managers", "closed")]
    assert p.latest_message.body == "Cambiamos la pantalla."


@pytest.mark.demand("S1.15")
def test_solution_outside_finishing_is_refused(play):
    """Only the action «finalizar» sends a solution: the process has `solution_from = []`."""
    p = validate(register(play))
    with pytest.raises(GuardFailed):
        p.solution("Cambiamos la pantalla.")


@pytest.mark.demand("S1.15")
def test_only_the_technician_finishes(play):
    p = validate(register(play))
    for other in (p.colleague, p.manager, p.supervisor):
        with pytest.raises(NotAllowed):
            perform(p.ticket, "finalizar", actor=other, data={"solution_done": "Listo."})


def test_technicians_of_the_department_are_offered_first(play):
    p = register(play)
    offered = list(fields_of(p.definition.action("validar").asks, p.ticket)["assignee"].queryset)
    assert set(offered[:2]) == {p.agent, p.colleague}
    assert {p.outsider, p.supervisor} <= set(offered[2:])


@pytest.mark.demand("S1.11")
def test_denied_device_ends_with_the_reason(play):
    p = register(play)
    p.do(p.colleague, "denegar", message="La garantía no cubre golpes.")
    assert (p.ticket.stage, p.ticket.stage_kind, p.told) == (
        "denegado",
        "rejected",
        [("requester", "rejected")],
    )
    assert p.latest_message.body == "La garantía no cubre golpes."


@pytest.mark.demand("S1.7")
def test_contact_and_device_data_are_required(db):
    process = make_process(KEY)
    with pytest.raises(InvalidData) as refused:
        file_ticket(
            process,
            actor=None,
            category=process.categories.first(),
            requester=Requester(email="no es correo"),
            title="",
            description="No enciende",
            fields={"numero_de_serie": "¡!"},
        )
    assert refused.value.errors.keys() == {"email", "phone", "marca", "numero_de_serie"}
    assert refused.value.errors["numero_de_serie"] == ["Usa solo letras, números y guiones."]


def test_every_action_and_end_is_played(play, monkeypatch):
    monkeypatch.setattr(Play, "careful", False)  # the tests above ran with the extra checks
    test_full_flow_of_a_validated_device(play)
    test_denied_device_ends_with_the_reason(play)
    reopen_both_ways(play.begun[0], "reabrir", assignee=play.begun[0].agent, note="Sigue igual.")
    assert left_unplayed(play.begun) == (set(), set())
