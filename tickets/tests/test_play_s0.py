"""S0 · technical incidents (Parkiapp), played from the first stage to every end."""

from datetime import timedelta

import pytest
import zeal

from accounts.models import CustomerKind
from accounts.tests.factories import make_agent, make_department, make_user
from tickets import clocks, policies
from tickets.closing import surveys
from tickets.enums import Purpose, Severity
from tickets.exceptions import GuardFailed
from tickets.models import Message
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.playing import Play, left_unplayed, reopen_both_ways
from tickets.workflow import conversation
from tickets.workflow.perform import perform

KEY = "incidencia-tecnica"
CLASSIFIED = {"severity": "critical", "note": "Afecta a toda la zona norte."}


def classify(play: Play, **data) -> Play:
    return play.do(play.agent, "clasificar", **{"department": play.ticket.department, **CLASSIFIED, **data})


def resolve(play: Play) -> Play:
    play.do(
        play.agent, "registrar_diagnostico", diagnostico="Un certificado vencido; visto en los registros."
    )
    return play.do(
        play.agent, "resolver", solution_done="Renovamos el certificado.", solution_steps="Actualiza la App."
    )


@pytest.mark.demand("S0.1", "S0.14", "S0.16", "S0.17", "S0.18", "S0.20", "S0.22", "S0.23", "S0.24", "S0.25")
def test_full_flow_from_report_to_survey(play):
    p = play(KEY, filed_by="guest", fields={"donde_ocurre": "android"})
    assert p.ticket.folio.startswith("MA-")
    assert (p.ticket.department.key, p.told) == (
        "soporte-tecnico", [("requester", "received"), ("department", "new_ticket")],
    )  # fmt: skip

    classify(p, assignee=p.agent)
    assert (p.ticket.stage, p.ticket.severity, p.ticket.assignee) == ("diagnostico", "critical", p.agent)
    assert p.told == [("requester", "started"), ("assignee", "assigned")]

    p.do(p.agent, "pedir_a_otro_equipo", equipo="infraestructura", note="Revisen el balanceador.")
    assert (p.ticket.stage, p.ticket.fields["equipo"], p.ticket.is_paused) == (
        "otro_equipo",
        "infraestructura",
        False,
    )
    assert p.told == [("owner", "handed_over")]
    p.do(p.colleague, "retomar", note="Estaba bien.")
    assert [m.kind for m in p.ticket.messages.all()][-2:] == ["note", "note"]

    resolve(p)
    assert (p.ticket.stage, p.told) == ("verificacion", [("department", "verification_asked")])
    assert not p.ticket.messages.filter(kind="solution").exists()  # not sent before it is verified

    p.do(p.colleague, "devolver", note="En iPhone sigue fallando.")
    assert (p.ticket.stage, p.told) == ("diagnostico", [("assignee", "returned")])
    resolve(p)
    p.do(p.colleague, "verificar")
    assert (p.ticket.stage, p.ticket.solution_steps) == ("cerrado", "Actualiza la App.")
    assert p.latest_message.body == "Renovamos el certificado."
    assert p.told == [("requester", "closed"), ("assignee", "closed"), ("requester", "survey")]
    surveys.rate(p.ticket, actor=p.guest(Purpose.SURVEY), score=4, comment="Rápido.")
    assert p.ticket.survey.comment == "Rápido."


@pytest.mark.demand("S0.18")
def test_unassigned_incident_is_taken_by_a_technician(play):
    p = classify(play(KEY))
    assert p.ticket.assignee is None
    p.do(p.agent, "registrar_diagnostico", diagnostico="Pendiente.")
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, "resolver", actor=p.agent, data={"solution_done": "Listo."})
    assert refused.value.guard == "assigned"
    p.do(p.colleague, "tomar")
    assert p.ticket.assignee == p.colleague


@pytest.mark.demand("S0.18")
def test_department_that_receives_an_incident_is_told_and_sees_it(play):
    p = play(KEY)
    desarrollo = make_department("desarrollo")
    developer = make_agent(desarrollo)
    assert not policies.can_view(developer, p.ticket)
    classify(p, department=desarrollo)
    assert ("department", "handed_over") in p.told
    p.do(developer, "tomar")


@pytest.mark.demand("S0.18")
def test_department_is_not_told_twice_about_its_assignee(play):
    p = play(KEY)
    desarrollo = make_department("desarrollo")
    classify(p, department=desarrollo, assignee=make_agent(desarrollo))
    assert p.told == [("requester", "started"), ("assignee", "assigned")]


@pytest.mark.demand("S0.20")
def test_other_team_sees_the_incident_while_it_works_on_it(play):
    p = classify(play(KEY), assignee=play.begun[0].agent)
    developer, operator = (
        make_agent(make_department("desarrollo")),
        make_agent(make_department("infraestructura")),
    )
    p.do(p.agent, "pedir_a_otro_equipo", equipo="desarrollo", note="Reduzcan la memoria del mapa.")
    assert [policies.can_view(person, p.ticket) for person in (developer, operator)] == [True, False]
    assert p.told == [("owner", "handed_over")]
    assert "retomar" in {action.key for action in policies.available_actions(p.ticket, actor=developer)}
    perform(p.ticket, "retomar", actor=developer, data={"note": "Corregido en la 4.12.1."})
    assert not policies.can_view(developer, p.refresh())


@pytest.mark.demand("S0.20")
def test_solution_needs_a_diagnosis(play):
    p = classify(play(KEY), assignee=play.begun[0].agent)
    with pytest.raises(GuardFailed, match="Completa «Diagnóstico»"):
        perform(p.ticket, "resolver", actor=p.agent, data={"solution_done": "Listo."})


@pytest.mark.demand("S0.21")
def test_progress_is_sent_as_a_follow_up(play):
    p = classify(play(KEY), assignee=play.begun[0].agent)
    p.do(p.agent, "informar_avance", message="Ya sabemos qué servidor falla.")
    assert (p.ticket.stage, p.told) == ("diagnostico", [("requester", "progress")])
    assert (p.latest_message.kind, p.latest_message.is_public) == ("follow_up", True)
    assert p.ticket.first_response_at is not None


@pytest.mark.demand("S0.21")
@pytest.mark.parametrize(("severity", "span"), [("critical", 8), ("high", 24), ("medium", 72), ("low", 120)])
def test_news_are_promised_by_severity(play, severity, span):
    p = play("incidencia-tecnica")
    p.do(p.agent, "clasificar", severity=severity, department=p.ticket.department, assignee=p.agent)
    clock = p.ticket.clocks.get(kind="progress")
    assert clock.due_at - clock.started_at == timedelta(hours=span)


def test_message_of_the_desk_resumes_all_paused_clocks_with_one_query_for_their_pauses(play):
    """zeal refuses a query for each clock."""
    p = play("incidencia-tecnica")
    p.do(p.agent, "clasificar", severity="medium", department=p.ticket.department, assignee=p.agent)
    with zeal.zeal_context():
        perform(p.ticket, "pedir_informacion", actor=p.agent, data={"message": "¿Qué versión?"})
    assert p.ticket.clocks.get(kind="first_response").stopped_at is not None


@pytest.mark.demand("S0.21")
def test_long_incident_without_news_tells_the_user_and_reminds_the_technician(play):
    p = play("incidencia-tecnica")
    p.do(p.agent, "clasificar", severity="medium", department=p.ticket.department, assignee=p.agent)
    p.do(p.agent, "informar_avance", message="En ello.").later(days=2, hours=23)
    assert "breached" not in [event.kind for event in p.events[-1:]]
    p.later(hours=2)
    reminded, told = p.events[-2:]
    assert (reminded.kind, reminded.data["clock"]) == ("breached", "progress")
    assert [entry["to"] for entry in reminded.notify] == ["assignee"]
    assert (told.is_public, told.actor, told.notify[0]["template"]) == (True, None, "status_update")


def test_question_pauses_the_clock_until_the_reply(play):
    p = classify(play(KEY, filed_by="guest"))
    p.do(p.agent, "pedir_informacion", message="¿Qué versión de la App tienes?")
    assert (p.ticket.stage, p.ticket.is_paused, p.ticket.contribution_open) == ("esperando", True, True)
    due = p.ticket.due_at
    p.later(hours=30).reply("La 4.2", actor=p.guest(Purpose.CONTRIBUTE))
    assert (p.ticket.stage, p.ticket.contribution_open) == ("diagnostico", False)
    assert p.ticket.due_at - due == timedelta(hours=30)


def test_unanswered_question_closes_the_ticket(play):
    p = classify(play(KEY)).do(play.begun[0].agent, "pedir_informacion", message="¿Qué versión tienes?")
    p.later(days=10)
    assert (p.ticket.stage, p.last.action) == ("descartado", "descartar_por_silencio")
    assert p.told == [("requester", "closed"), ("assignee", "closed")]


def test_withdrawn_question_goes_back_to_diagnosis(play):
    p = classify(play(KEY)).do(play.begun[0].agent, "pedir_informacion", message="¿Qué versión tienes?")
    p.contribution(is_open=False)
    assert (p.ticket.stage, p.last.action) == ("diagnostico", "dejar_de_esperar")


def test_discarding_sends_the_reason(play):
    p = play(KEY)
    p.do(p.supervisor, "descartar", message="Es una consulta sobre tarifas: escribe a ventas.")
    assert (p.ticket.stage, p.told) == ("descartado", [("requester", "rejected")])
    assert p.latest_message.body.startswith("Es una consulta")


@pytest.mark.demand("S0.19")
@pytest.mark.parametrize(("severity", "hours"), [("critical", 1), ("high", 4), ("medium", 24), ("low", 48)])
def test_first_response_target_follows_severity(play, severity, hours):
    p = play(KEY)
    classify(p, severity=severity)
    assert p.ticket.first_response_due_at - p.ticket.created_at == timedelta(hours=hours)


def test_publishing_creates_both_customer_kinds(db):
    make_process(KEY)
    assert set(CustomerKind.objects.values_list("key", flat=True)) == {"parkiador", "parkioferente"}
    host = make_user(kind=CustomerKind.objects.get(key="parkioferente"))
    assert str(host.kind) == "Parkioferente"


@pytest.mark.demand("S0.4")
@pytest.mark.parametrize(
    ("category", "fault"),
    [
        ("problema-con-la-app", "La App se cierra"),
        ("falla-en-el-pago", "No puede procesar un pago"),
        ("problema-con-la-app", "Un botón no funciona"),
        ("error-de-visualizacion", "La reserva no se muestra correctamente"),
        ("problema-con-la-app", "Problemas con el GPS en la App"),
    ],
)
def test_faults_of_the_document_can_be_filed(db, category, fault):
    ticket = make_ticket(make_process(KEY), category=category, title=fault, fields={"donde_ocurre": "iphone"})
    assert (ticket.title, ticket.category.key, ticket.department.key) == (fault, category, "soporte-tecnico")


@pytest.mark.demand("S0.20")
def test_diagnosis_notes_never_reach_the_requester(play):
    p = classify(play(KEY), assignee=play.begun[0].agent)
    p.do(p.agent, "pedir_a_otro_equipo", equipo="desarrollo", note="La clave del servidor es kiwi.")
    shown = conversation.public_conversation(p.ticket)
    assert "kiwi" not in "".join(message.body for message in shown["messages"])
    assert Message.objects.filter(body__contains="kiwi").exists()
    assert clocks.proposed_due(
        p.ticket, severity=Severity.LOW, case_kind="problem", now=p.ticket.created_at
    ) == p.ticket.created_at + timedelta(days=10)


def test_every_action_and_end_is_played(play, monkeypatch):
    monkeypatch.setattr(Play, "careful", False)  # the tests above ran with the extra checks
    for test in (
        test_full_flow_from_report_to_survey,
        test_unassigned_incident_is_taken_by_a_technician,
        test_unanswered_question_closes_the_ticket,
    ):
        test(play)
    p = classify(play(KEY, filed_by="guest"))
    p.do(p.agent, "informar_avance", message="Vamos bien.")
    p.do(p.agent, "pedir_informacion", message="¿Qué versión tienes?").reply()
    p.do(p.agent, "pedir_informacion", message="¿Y el teléfono?").contribution(is_open=False)
    p.do(p.supervisor, "descartar", message="No es una incidencia.")
    reopen_both_ways(play.begun[0], "reabrir", note="Sigue igual.")
    assert left_unplayed(play.begun) == (set(), set())
