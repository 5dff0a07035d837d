"""S4 · «Reporte de Incidentes» (Flokzu), played from the first stage to every end."""

import pytest

from accounts.tests.factories import make_agent
from content.errors import InvalidData
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.policies import available_actions
from tickets.tests.factories import make_ticket
from tickets.tests.playing import Play, left_unplayed, reopen_both_ways
from tickets.workflow.perform import perform

KEY = "reporte-de-incidentes"
REPORT = {"tipo": "error", "sistema": "Nómina", "pasos": "1. Abrir\n2. Guardar", "prioridad": "high"}
REFUSAL = {"motivo_rechazo": "ya_reportado", "message": "Lo reportó Ana el lunes; ahí te avisaremos."}


def report(play, **fields) -> Play:
    return play(KEY, fields={**REPORT, **fields})


def accept(play: Play, **data) -> Play:
    return play.do(play.colleague, "aceptar", evaluacion="Se acepta: se repite siempre.", **data)


def resolve(play: Play, done: str = "Corregimos el cálculo.") -> Play:
    return play.do(play.agent, "resolver", solution_done=done)


@pytest.mark.demand("S4.1", "S4.2", "S4.17", "S4.20", "S4.21", "S4.22", "S4.24")
def test_full_flow_of_an_accepted_report(play):
    p = report(play)
    assert (p.ticket.stage, str(p.ticket.stage_definition.label)) == ("evaluar", "Evaluar Incidente")
    assert p.told == [("requester", "received"), ("owner", "new_ticket")]

    accept(p, assignee=p.agent)
    assert (p.ticket.stage, str(p.ticket.stage_definition.label)) == ("resolver", "Resolver Incidente")
    assert p.ticket.fields["evaluacion"] == "Se acepta: se repite siempre."

    p.do(p.agent, "solicitar_informacion", note="¿Con qué versión?")
    assert p.told == [("actor_of:aceptar", "information_asked")]  # the evaluator, not the requester
    assert not p.latest_message.is_public
    for other in (p.agent, p.customer):
        with pytest.raises(NotAllowed):
            perform(p.ticket, "completar_informacion", actor=other, data={"note": "La 3."})
    p.do(p.colleague, "completar_informacion", note="La 3.1")
    assert (p.ticket.stage, p.told) == (
        "resolver", [("actor_of:solicitar_informacion", "information_given"), ("assignee", "information_given")],
    )  # fmt: skip

    resolve(p)
    assert (p.ticket.stage, p.told) == (
        "validar",
        [("requester", "resolved"), ("owner", "verification_asked")],
    )
    p.do(p.colleague, "devolver", note="En diciembre sigue mal.")
    assert (p.ticket.stage, p.ticket.solution_sent_at) == ("resolver", None)
    resolve(p, "Corregimos también diciembre.").do(p.colleague, "validar")
    assert (p.ticket.stage, p.ticket.stage_kind, p.told) == (
        "resuelto", "done", [("requester", "closed"), ("assignee", "closed")],
    )  # fmt: skip


@pytest.mark.demand("S4.17", "S4.18", "S4.19")
def test_rejection_says_why_and_ends_the_process(play):
    p = report(play)
    with pytest.raises(InvalidData) as refused:
        perform(p.ticket, "rechazar", actor=p.agent, data={"motivo_rechazo": "otro"})
    assert refused.value.errors.keys() == {"evaluacion", "otro_motivo", "message"}
    p.do(p.agent, "rechazar", evaluacion="Se rechaza.", **REFUSAL)
    assert (p.ticket.stage, p.ticket.is_open, p.told) == ("rechazado", False, [("requester", "rejected")])
    assert p.ticket.fields["motivo_rechazo"] == "ya_reportado"
    assert "otro_motivo" not in p.ticket.fields
    assert p.latest_message.is_public


@pytest.mark.demand("S4.20")
def test_solution_outside_resolving_is_refused(play):
    """Only the action «resolver» sends a solution, even in stage «resolver»: `solution_from = []`."""
    p = accept(report(play))
    with pytest.raises(GuardFailed):
        p.solution("Corregimos el cálculo.")


@pytest.mark.demand("S4.18", "S4.23")
def test_incident_can_be_rejected_while_being_resolved(play):
    p = accept(report(play))
    p.do(p.agent, "tomar").do(
        p.agent,
        "descartar",
        motivo_rechazo="otro",
        otro_motivo="Se retira el sistema",
        message="Se retira en mayo.",
    )
    assert (p.ticket.stage, p.ticket.fields["otro_motivo"]) == ("rechazado", "Se retira el sistema")


@pytest.mark.demand("S4.9", "S4.10")
def test_priority_sets_severity_and_errors_need_steps(play):
    p = report(play, prioridad="critical")
    assert (p.ticket.severity, "prioridad" in p.ticket.fields) == ("critical", False)
    with pytest.raises(InvalidData) as refused:
        make_ticket(p.process, fields={"tipo": "error", "sistema": "Nómina", "prioridad": "enorme"})
    assert refused.value.errors.keys() == {"pasos", "prioridad"}
    idea = make_ticket(
        p.process, fields={"tipo": "mejora", "sistema": "Nómina", "pasos": "x", "prioridad": "low"}
    )
    assert idea.fields == {"tipo": "mejora", "sistema": "Nómina"}


@pytest.mark.demand("S4.15", "S4.20", "S4.25")
def test_empty_group_lets_department_staff_act(play):
    """While «evaluador» has no active member, staff on the ticket act for it; agents of other departments do not."""
    p = report(play)

    def may_accept(user):
        return "aceptar" in {action.key for action in available_actions(p.ticket, actor=user)}

    assert [may_accept(user) for user in (p.agent, p.colleague, p.outsider, p.customer)] == [
        True,
        True,
        False,
        False,
    ]
    p.join_group(p.colleague, "evaluador")
    assert [may_accept(user) for user in (p.agent, p.colleague, p.outsider)] == [False, True, False]
    with pytest.raises(NotAllowed):
        perform(p.ticket, "aceptar", actor=p.agent, data={"evaluacion": "Sí."})
    p.colleague.is_active = False
    p.colleague.save()
    assert may_accept(p.agent)  # the group has no active member any more
    newcomer = make_agent(p.ticket.department)
    assert may_accept(newcomer)


def test_every_action_and_end_is_played(play, monkeypatch):
    monkeypatch.setattr(Play, "careful", False)  # the tests above ran with the extra checks
    test_full_flow_of_an_accepted_report(play)
    test_rejection_says_why_and_ends_the_process(play)
    test_incident_can_be_rejected_while_being_resolved(play)
    reopen_both_ways(play.begun[0], "reabrir", note="Sigue igual.")
    assert left_unplayed(play.begun) == (set(), set())
