"""S2 · «Instrucciones del flujo de ticket de soporte» (IDEA), played from the first stage to every end."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from accounts.enums import Standing
from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_user
from content.errors import InvalidData
from tickets import clocks, policies
from tickets.closing import surveys
from tickets.closing.checklist import tick_checklist
from tickets.closing.contact_log import log_contact
from tickets.definitions.responses import fill_in
from tickets.enums import Channel, ContactKind, ContactOutcome, Purpose
from tickets.exceptions import ActionUnavailable, GuardFailed, NotAllowed
from tickets.lists import queues
from tickets.models import Attachment, Nonconformity, Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.playing import Play, left_unplayed, prepared, reopen_both_ways
from tickets.workflow import properties
from tickets.workflow.perform import perform

KEY = "soporte-con-aprobacion"


def prepare(play: Play, **data) -> Play:
    return play.do(play.supervisor, "preparar", **prepared(play, **data))


def ask_approval(play: Play, done: str = "Reiniciamos el servicio.", *, actor: User | None = None) -> Play:
    answers = {"solution_done": done, "solution_steps": "Vuelve a entrar."}
    return play.do(actor or play.agent, "pedir_aprobacion", **answers)


@pytest.mark.demand("S2.3", "S2.5", "S2.6", "S2.7", "S2.8", "S2.28", "S2.30", "S2.31")
def test_full_flow_with_contributions_rejection_and_approval(play):
    p = play(KEY)
    assert (p.ticket.stage, p.told) == (
        "recibido",
        [("requester", "received"), ("role:supervisor", "new_ticket")],
    )

    prepare(p, contribution_open=True, queue_position=3, difficulty=4, note="Empieza por los registros.")
    assert (p.ticket.stage, p.ticket.assignee, p.ticket.difficulty, p.ticket.queue_position) == (
        "procesar", p.agent, 4, 3,
    )  # fmt: skip
    assert p.told == [("requester", "prepared"), ("assignee", "assigned")]

    for _round in range(2):
        p.follow_up("¿Nos envías una captura?")
        assert (p.ticket.stage, p.ticket.is_paused) == ("aporte", True)
        p.later(hours=5).reply(actor=p.guest(Purpose.CONTRIBUTE))
        assert (p.ticket.stage, p.ticket.is_paused) == ("procesar", False)

    ask_approval(p)
    assert (p.ticket.stage, p.ticket.contribution_open) == ("aprobacion", False)
    assert p.latest_message.kind == "solution"
    assert p.told == [("requester", "closure_asked")]

    p.do(p.guest(Purpose.APPROVE), "rechazar", message="Sigue igual por la noche.")
    assert p.ticket.stage == "procesar"
    report = Nonconformity.objects.get(ticket=p.ticket)
    assert (report.responsible, report.reason) == (p.agent, "Sigue igual por la noche.")
    assert ("role:supervisor", "nonconformity") in p.told

    ask_approval(p, "Cambiamos el servidor.")
    assert p.latest_message.body == "Cambiamos el servidor."
    p.do(p.customer, "aprobar")
    assert (p.ticket.stage, p.ticket.closed_at, p.ticket.closure_asked_at) == ("revision", None, None)
    assert p.told == [("assignee", "closure_approved"), ("owner", "verification_asked")]

    p.review(by=p.user_service).do(p.user_service, "cerrar")
    assert (p.ticket.stage, p.ticket.closed_at) == ("cerrado", timezone.now())
    assert p.told == [("requester", "closed"), ("assignee", "closed"), ("requester", "survey")]
    assert surveys.rate(p.ticket, actor=p.customer, score=5).score == 5


@pytest.mark.demand("S0.24", "S2.28")
def test_each_solution_keeps_its_own_steps(play):
    p = prepare(play(KEY))

    def propose(done: str, steps: str) -> None:
        p.do(p.agent, "pedir_aprobacion", solution_done=done, solution_steps=steps)
        p.do(p.guest(Purpose.APPROVE), "rechazar", message="Sigue igual.")

    propose("Reiniciamos el servicio.", "Vuelve a entrar.")
    propose("Cambiamos el servidor.", "")
    p.solution("Cambiamos la ruta.", steps="Borra la caché.")
    p.do(p.agent, "pedir_aprobacion", solution_done="Cambiamos la ruta.", solution_steps="Borra la caché.")
    p.do(p.guest(Purpose.APPROVE), "rechazar", message="Sigue igual.")
    p.solution("Cambiamos la ruta.", steps="Borra la caché.")
    p.do(p.agent, "pedir_aprobacion", solution_done="Cambiamos la ruta.", solution_steps="Cierra sesión.")

    sent = p.ticket.messages.filter(kind="solution").order_by("id")
    assert list(sent.values_list("body", "steps")) == [
        ("Reiniciamos el servicio.", "Vuelve a entrar."),
        ("Cambiamos el servidor.", ""),
        ("Cambiamos la ruta.", "Borra la caché."),  # the same text is not sent twice
        ("Cambiamos la ruta.", "Borra la caché."),  # but is sent again after a rejection
        ("Cambiamos la ruta.", "Cierra sesión."),
    ]


# --- The closing checklist decides (S2.44 to S2.46) ---------------------------------------------------------------

DECISIONS = {
    "approved": lambda p: p.do(p.customer, "aprobar"),
    "approved by link": lambda p: p.do(p.guest(Purpose.APPROVE), "aprobar"),
    "silent": lambda p: p.later(days=5),
}
LACKS = {
    "the solution": lambda p: Ticket.objects.filter(pk=p.ticket.pk).update(solution_sent_at=None),
    "the answer's review": lambda p: tick_checklist(
        p.ticket, actor=p.supervisor, item="respuesta", done=False
    ),
    "the call": lambda p: tick_checklist(p.ticket, actor=p.supervisor, item="llamada", done=False),
    "the WhatsApp contact": lambda p: tick_checklist(
        p.ticket, actor=p.supervisor, item="whatsapp", done=False
    ),
    "screenshots": lambda p: Attachment.objects.all().delete(),
    "a review by another": lambda p: properties.assign(p.ticket, actor=p.supervisor, assignee=p.user_service),
}


def reviewed(play: Play) -> Play:
    """Bring a new ticket to the approval, with a complete checklist."""
    p = prepare(play(KEY))
    return ask_approval(p).review(by=p.user_service)


@pytest.mark.demand("S2.8", "S2.44", "S2.45", "S2.46")
@pytest.mark.parametrize("decision", DECISIONS)
def test_ticket_with_a_complete_checklist_closes_at_once(play, decision):
    p = reviewed(play)
    DECISIONS[decision](p)
    assert (p.ticket.stage, p.ticket.closed_at) == ("cerrado", timezone.now())
    assert (p.last.action, p.told) == (
        "cerrar_sin_pendientes",
        [("requester", "closed"), ("requester", "survey")],
    )


@pytest.mark.demand("S2.8", "S2.14", "S2.44", "S2.45", "S2.46")
@pytest.mark.parametrize("lack", LACKS)
@pytest.mark.parametrize("decision", DECISIONS)
def test_incomplete_review_keeps_the_ticket_from_closing(play, decision, lack):
    p = reviewed(play)
    LACKS[lack](p)
    p.refresh()
    DECISIONS[decision](p)
    assert (p.ticket.stage, p.ticket.is_open) == ("revision", True)
    assert p.ticket.closure_asked_at is None
    assert ("owner", "verification_asked") in p.told
    told = {entry["template"] for event in p.events for entry in event.notify}
    assert not told & {"closed", "survey"}


@pytest.mark.demand("S2.14", "S2.39", "S2.44", "S2.45", "S2.46")
@pytest.mark.parametrize("action", ["cerrar", "cerrar_sin_hablar"])
@pytest.mark.parametrize(
    ("lack", "guard"),
    [
        ("the solution", "solution_sent"),
        ("the answer's review", "checklist_complete"),
        ("the call", "checklist_complete"),
        ("the WhatsApp contact", "checklist_complete"),
        ("screenshots", "whatsapp_documented"),
        ("a review by another", "checklist_by_another"),
    ],
)
def test_review_ends_only_with_everything_done(play, action, lack, guard):
    p = reviewed(play)
    if action == "cerrar_sin_hablar":  # the call is logged, but nobody answered it
        p.ticket.contacts.filter(kind=ContactKind.CALL).update(outcome=ContactOutcome.FAILED)
    LACKS[lack](p)
    p.refresh()
    p.do(p.customer, "aprobar")
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, action, actor=p.supervisor)
    assert refused.value.guard == guard


@pytest.mark.demand("S2.44", "S2.45")
@pytest.mark.parametrize("decision", DECISIONS)
def test_requester_who_cannot_be_reached_is_closed_without_r10(play, decision):
    p = DECISIONS[decision](ask_approval(prepare(play(KEY))))
    p.contact(ContactKind.CALL, ContactOutcome.FAILED, by=p.user_service)
    p.contact(ContactKind.WHATSAPP, by=p.user_service).picture()
    p.tick("respuesta", "llamada", "whatsapp", by=p.user_service)
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, "cerrar", actor=p.user_service)
    assert refused.value.guard == "call_succeeded"
    p.do(p.user_service, "cerrar_sin_hablar")
    assert (p.ticket.stage, p.latest_message.kind) == ("cerrado", "note")
    assert p.told == [("requester", "closed"), ("assignee", "closed"), ("requester", "survey")]


@pytest.mark.demand("S2.45")
def test_closing_without_talking_needs_a_call_that_failed(play):
    p = DECISIONS["approved"](ask_approval(prepare(play(KEY))))
    offered = []
    for outcome in (None, ContactOutcome.FAILED, ContactOutcome.SUCCESSFUL):
        if outcome:
            p.contact(ContactKind.CALL, outcome, by=p.user_service)
        keys = {action.key for action in policies.available_actions(p.ticket, actor=p.user_service)}
        offered.append("cerrar_sin_hablar" in keys)
    assert offered == [False, True, False]


@pytest.mark.demand("S2.30", "S2.44")
def test_review_sends_the_ticket_back_with_a_reason(play):
    p = DECISIONS["approved"](ask_approval(prepare(play(KEY))))
    p.tick("respuesta", by=p.user_service)
    p.do(p.user_service, "devolver", note="La respuesta no es la estándar.")
    assert (p.ticket.stage, p.ticket.solution_sent_at) == ("procesar", None)
    assert ("assignee", "returned") in p.told
    report = Nonconformity.objects.get(ticket=p.ticket)
    assert (report.responsible, report.reason) == (p.agent, "La respuesta no es la estándar.")
    assert not p.ticket.checklist_entries.exists(), "the next answer is reviewed anew"


@pytest.mark.demand("S2.8")
def test_requester_takes_the_approval_back_during_the_review(play):
    p = DECISIONS["approved by link"](ask_approval(prepare(play(KEY))))
    p.do(p.guest(Purpose.APPROVE), "retirar_aprobacion", message="Volvió a fallar.")
    assert (p.ticket.stage, p.latest_message.body) == ("procesar", "Volvió a fallar.")
    assert ("assignee", "closure_rejected") in p.told
    assert Nonconformity.objects.get(ticket=p.ticket).responsible == p.agent


@pytest.mark.demand("S2.8", "S2.44")
@pytest.mark.parametrize(("action", "reason"), [("devolver", "note"), ("retirar_aprobacion", "message")])
def test_leaving_the_review_without_a_reason_is_refused(play, action, reason):
    p = DECISIONS["approved"](ask_approval(prepare(play(KEY))))
    actor = p.user_service if action == "devolver" else p.customer
    with pytest.raises(InvalidData) as refused:
        perform(p.ticket, action, actor=actor, data={reason: " "})
    assert refused.value.errors.keys() == {reason}


@pytest.mark.demand("S2.8", "S2.44")
@pytest.mark.parametrize("way_back", ["rechazar", "retirar_aprobacion", "reabrir_por_mensaje", "reabrir"])
def test_next_solution_needs_its_own_review(play, way_back):
    p = reviewed(play)
    if way_back == "rechazar":
        p.do(p.customer, "rechazar", message="Sigue igual.")
    elif way_back == "retirar_aprobacion":
        LACKS["screenshots"](p)
        p.do(p.customer, "aprobar").do(p.customer, "retirar_aprobacion", message="Sigue igual.")
        p.picture()
    else:
        p.do(p.customer, "aprobar")
        if way_back == "reabrir":
            p.do(p.supervisor, "reabrir", assignee=p.agent, note="Sigue igual.")
        else:
            p.reply("Sigue igual.")
    assert p.ticket.stage == "procesar"
    p.later(minutes=5)
    ask_approval(p, "Cambiamos el servidor.").do(p.customer, "aprobar")
    assert p.ticket.stage == "revision"
    for item in ("llamada", "whatsapp"):  # the contacts were about the earlier solution
        with pytest.raises(GuardFailed):
            p.tick(item, by=p.user_service)
    p.tick("respuesta", by=p.user_service)
    p.contact(ContactKind.CALL, ContactOutcome.SUCCESSFUL).contact(ContactKind.WHATSAPP)
    p.tick("llamada", "whatsapp", by=p.user_service).do(p.user_service, "cerrar")
    assert p.ticket.stage == "cerrado"


@pytest.mark.demand("S2.44")
def test_message_during_the_review_reaches_those_who_review(play):
    p = DECISIONS["approved"](ask_approval(prepare(play(KEY))))
    p.reply("Una cosa más.")
    assert (p.ticket.stage, p.told) == (
        "revision",
        [("assignee", "requester_replied"), ("owner", "requester_replied")],
    )


@pytest.mark.demand("S2.33", "S2.44")
def test_review_does_not_spend_the_solvers_time(play):
    """The solution was sent in time: what the review takes is not the solver's delay."""
    p = prepare(play(KEY), due_at=timezone.now() + timedelta(days=4)).follow_up()
    ask_approval(p.later(days=3)).do(p.customer, "aprobar").later(days=30)
    assert (p.ticket.stage, p.ticket.is_paused, p.ticket.is_escalated) == ("revision", False, False)
    clock = p.ticket.clocks.get(kind="resolution")
    assert clocks.status(clock, now=timezone.now()).state == "met"
    p.do(p.user_service, "devolver", note="No está resuelto.")
    assert p.ticket.due_at == timezone.now() + timedelta(days=1), "the time that was left"
    p.later(days=2)
    assert p.ticket.is_escalated


@pytest.mark.demand("S2.16", "S2.22")
def test_closed_ticket_offers_the_call_until_logged(play):
    p = ask_approval(prepare(play(KEY))).contact(ContactKind.CALL, ContactOutcome.FAILED)
    p.contact(ContactKind.WHATSAPP).picture().tick("respuesta", "llamada", "whatsapp", by=p.user_service)
    p.do(p.customer, "aprobar").later(hours=1)
    for person in (p.agent, p.user_service, p.supervisor):
        assert list(queues.CALLS_DUE.tickets(person)) == [p.ticket]
    assert not queues.CALLS_DUE.tickets(make_agent(make_department("ajeno"))).exists()
    p.do(p.agent, "llamar", call_outcome="failed", note="No contestó; se le dejó mensaje.")
    assert not queues.CALLS_DUE.tickets(p.supervisor).exists()
    assert not p.ticket.turns.exists()
    call = p.ticket.contacts.first()
    assert (call.kind, call.outcome, call.by) == (ContactKind.CALL, ContactOutcome.FAILED, p.agent)
    assert p.ticket.stage == "cerrado"
    with pytest.raises(ActionUnavailable):
        perform(p.ticket, "llamar", actor=p.agent, data={"call_outcome": "successful"})


@pytest.mark.demand("S2.16")
def test_requester_who_was_reached_is_not_called_again(play):
    p = DECISIONS["approved"](reviewed(play))
    assert not queues.CALLS_DUE.tickets(p.supervisor).exists()
    with pytest.raises(ActionUnavailable):
        perform(p.ticket, "llamar", actor=p.agent, data={"call_outcome": "successful"})


@pytest.mark.demand("S2.16")
@pytest.mark.parametrize(
    "settle",
    [
        lambda p: p.contact(ContactKind.CALL, ContactOutcome.SUCCESSFUL),
        lambda p: p.do(p.supervisor, "reabrir", assignee=p.agent, note="Falta algo."),
    ],
    ids=["contact logged", "reopened"],
)
def test_call_after_closing_is_due_until_it_is_logged_or_the_case_goes_on(play, settle):
    p = ask_approval(prepare(play(KEY))).contact(ContactKind.CALL, ContactOutcome.FAILED)
    p.contact(ContactKind.WHATSAPP).picture().tick("respuesta", "llamada", "whatsapp", by=p.user_service)
    p.later(days=6)
    p.ticket.refresh_from_db()
    assert p.ticket.stage == "cerrado"
    p.contact(ContactKind.WHATSAPP)
    assert list(queues.CALLS_DUE.tickets(p.agent)) == [p.ticket]
    settle(p)
    assert not queues.CALLS_DUE.tickets(p.agent).exists()


@pytest.mark.demand("S2.7")
def test_closing_the_contribution_returns_ticket_to_procesar(play):
    p = prepare(play(KEY), contribution_open=True).follow_up()
    assert p.ticket.stage == "aporte"
    p.contribution(is_open=False)
    assert (p.ticket.stage, p.last.action, p.last.actor) == ("procesar", "terminar_aporte", p.agent)
    p.follow_up("Ya no hace falta nada más.")
    assert p.ticket.stage == "procesar"


def test_silence_ends_an_undecided_approval(play):
    p = prepare(play(KEY))
    ask_approval(p).later(days=4, hours=23)
    assert p.ticket.stage == "aprobacion"
    p.reply("Lo reviso mañana.").later(days=2)
    assert p.ticket.stage == "aprobacion"
    p.later(days=3)
    assert (p.ticket.stage, p.last.action, p.last.actor) == ("revision", "seguir_sin_respuesta", None)


@pytest.mark.demand("S2.44", "S2.45", "S2.46", "S2.14")
def test_user_service_closes_with_checklist_and_evidence(play):
    p = prepare(play(KEY))
    ask_approval(p)
    with pytest.raises(GuardFailed, match="llamada"):
        p.tick("llamada", by=p.user_service)
    p.contact(ContactKind.CALL, ContactOutcome.FAILED).contact(ContactKind.WHATSAPP)
    p.tick("respuesta", "llamada", by=p.user_service)
    for guard, mend in (
        ("checklist_complete", lambda: p.tick("whatsapp", by=p.user_service)),
        ("call_succeeded", lambda: p.contact(ContactKind.CALL)),
        ("whatsapp_documented", p.picture),
    ):
        with pytest.raises(GuardFailed) as refused:
            perform(p.ticket, "cerrar", actor=p.user_service)
        assert refused.value.guard == guard
        mend()
    p.do(p.user_service, "cerrar")
    assert p.ticket.stage == "cerrado"
    assert p.latest_message.body.startswith("Departamento de atención informa por esta vía al usuario")


@pytest.mark.demand("S2.44")
def test_only_user_service_ticks_the_checklist(play):
    p = prepare(play(KEY))
    ask_approval(p)
    for person in (p.agent, p.colleague):
        with pytest.raises(NotAllowed, match="quien revisa"):
            p.tick("respuesta", by=person)
    p.tick("respuesta", by=p.user_service).tick("respuesta", by=p.supervisor)


@pytest.mark.demand("S2.44")
def test_assignee_of_user_service_does_not_review_their_own_answer(play):
    p = play(KEY)
    ask_approval(prepare(p, assignee=p.reviewer), actor=p.reviewer)
    with pytest.raises(NotAllowed, match="quien revisa"):
        p.tick("respuesta", by=p.reviewer)
    p.tick("respuesta", by=p.user_service)
    properties.assign(p.ticket, actor=p.supervisor, assignee=p.user_service)
    p.contact(ContactKind.CALL).contact(ContactKind.WHATSAPP).tick("llamada", "whatsapp", by=p.supervisor)
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, "cerrar", actor=p.user_service)
    assert refused.value.guard == "checklist_by_another"


@pytest.mark.demand("S2.44")
def test_nobody_reviews_their_own_answer_by_handing_the_ticket_over(play):
    """The author of the solution assigned the ticket to a colleague, ticked all three items and closed it."""
    p = prepare(play(KEY))
    writer = p.reviewer
    properties.assign(p.ticket, actor=p.supervisor, assignee=writer)
    p.refresh()
    ask_approval(p, actor=writer).do(p.customer, "aprobar")
    properties.assign(p.ticket, actor=writer, assignee=p.colleague)
    p.refresh()
    for item in p.definition.closing.checklist:
        assert not policies.can_tick(writer, p.ticket, item)
        with pytest.raises(NotAllowed):
            tick_checklist(p.ticket, actor=writer, item=item.key)
    p.contact(ContactKind.CALL, by=writer)
    log_contact(p.ticket, actor=writer, kind=ContactKind.CALL, outcome="successful", item="llamada")
    assert not p.ticket.checklist_entries.exists()

    p.review(by=p.user_service)
    p.ticket.checklist_entries.filter(item="llamada").update(done_by=writer)
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, "cerrar", actor=p.supervisor)
    assert refused.value.guard == "checklist_by_another"


@pytest.mark.demand("S2.44", "S2.16")
def test_user_service_sees_the_ticket_while_it_is_their_turn(play):
    p = prepare(play(KEY))
    seen = Ticket.objects.visible_to(p.user_service)
    assert (list(seen.all()), policies.can_view(p.user_service, p.ticket)) == ([], False)
    ask_approval(p)
    assert (list(seen.all()), policies.can_see_internal(p.user_service, p.ticket)) == ([p.ticket], True)
    p.do(p.customer, "rechazar", message="Sigue igual.")
    assert (list(seen.all()), policies.can_view(p.user_service, p.ticket)) == ([], False)
    ask_approval(p)
    p.do(p.customer, "aprobar")
    assert list(seen.all()) == [p.ticket]  # they review it
    p.contact(ContactKind.CALL, ContactOutcome.FAILED, by=p.user_service)
    p.contact(ContactKind.WHATSAPP, by=p.user_service).picture()
    p.tick("respuesta", "llamada", "whatsapp", by=p.user_service).do(p.user_service, "cerrar_sin_hablar")
    assert list(seen.all()) == [p.ticket]  # they still have to call the requester
    p.later(minutes=5).do(p.user_service, "llamar", call_outcome="successful")
    assert (list(seen.all()), policies.can_view(p.user_service, p.ticket)) == ([], False)


@pytest.mark.demand("S2.46")
@pytest.mark.parametrize(
    ("action", "call"),
    [("cerrar", ContactOutcome.SUCCESSFUL), ("cerrar_sin_hablar", ContactOutcome.FAILED)],
)
def test_user_service_needs_the_whatsapp_url(play, action, call):
    p = prepare(play(KEY))
    ask_approval(p).do(p.customer, "aprobar").contact(ContactKind.CALL, call).contact(ContactKind.WHATSAPP)
    p.tick("respuesta", "llamada", "whatsapp", by=p.reviewer)
    p.ticket.contacts.filter(kind=ContactKind.WHATSAPP).update(url="")
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, action, actor=p.reviewer)
    assert refused.value.guard == "contact_recorded"


@pytest.mark.demand("S2.14")
@pytest.mark.parametrize(
    "action", ["cerrar_sin_solucion", "ticket_equivocado", "cancelar", "cerrar_prueba", "cerrar"]
)
def test_no_way_of_closing_by_staff_goes_without_screenshots(play, action):
    p = prepare(play(KEY))
    p.follow_up(fill_in(str(p.definition.response("R3").body), p.ticket))
    actor, data = p.agent, {}
    if action == "cerrar":
        ask_approval(p).contact(ContactKind.CALL)
        actor = p.user_service
    elif action == "cancelar":
        data = {"duplicate_of": make_ticket(p.process, requester=p.customer), "mismo_caso": True}
    elif action == "ticket_equivocado":
        data = {"call_outcome": "successful"}
    p.contact(ContactKind.WHATSAPP)
    if action == "cerrar":
        p.tick("respuesta", "llamada", "whatsapp", by=p.user_service)
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, action, actor=actor, data=data)
    assert refused.value.guard == "whatsapp_documented"
    assert not perform(p.picture().ticket, action, actor=actor, data=data).is_open


@pytest.mark.demand("S2.14")
def test_picture_from_the_requester_is_no_screenshot_of_the_procedure(play):
    p = prepare(play(KEY)).contact(ContactKind.WHATSAPP).reply("Mira la pantalla.")
    Attachment.objects.create(
        ticket=p.ticket, message=p.latest_message, name="pantalla.png", kind="image", content_type="image/png", size=1,
        sha256="0" * 64, uploader=p.customer,
    )  # fmt: skip
    with pytest.raises(GuardFailed, match="Adjunta las capturas"):
        perform(p.ticket, "pedir_aprobacion", actor=p.agent, data={"solution_done": "Listo."})


@pytest.mark.demand("S2.14")
def test_whatsapp_ticket_needs_screenshots(play):
    p = prepare(play(KEY)).contact(ContactKind.WHATSAPP)
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, "pedir_aprobacion", actor=p.agent, data={"solution_done": "Listo."})
    assert refused.value.guard == "whatsapp_documented"
    ask_approval(p.picture())
    assert p.ticket.stage == "aprobacion"


@pytest.mark.demand("S2.14")
def test_ticket_that_came_by_whatsapp_needs_screenshots(play):
    p = prepare(play(KEY, channel=Channel.WHATSAPP))
    assert not p.ticket.contacts.exists()
    with pytest.raises(GuardFailed, match="Adjunta las capturas"):
        perform(p.ticket, "cerrar_sin_solucion", actor=p.agent)
    p.picture().do(p.agent, "cerrar_sin_solucion")


@pytest.mark.demand("S2.9", "S2.10", "S2.19")
def test_inactive_requester_gets_only_r4(play):
    p = prepare(play(KEY), standing="inactive")
    assert Ticket.objects.get(pk=p.ticket.pk).requester.standing == Standing.INACTIVE
    with pytest.raises(GuardFailed) as refused:
        p.follow_up()
    assert refused.value.guard == "requester_active"
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, "pedir_aprobacion", actor=p.agent, data={"solution_done": "Listo."})
    assert refused.value.guard == "requester_active"

    before, new_date = p.ticket.due_at, timezone.now() + timedelta(days=12)
    p.do(p.agent, "responder_inactivo", due_at=new_date)
    assert (p.ticket.stage, p.ticket.due_at) == ("procesar", new_date)
    assert p.ticket.due_at != before
    assert "estatus administrativo de su usuario inactivo" in p.latest_message.body
    assert p.latest_message.body.startswith("Buenos días estimado(a)")
    assert (p.told, p.last.is_public) == ([("requester", "reply")], True)


@pytest.mark.demand("S2.9", "S2.10")
@pytest.mark.parametrize("action", ["pedir_aprobacion", "cerrar_sin_solucion", "ticket_equivocado"])
def test_no_action_answers_without_a_checked_and_active_standing(play, action):
    p = prepare(play(KEY))
    p.follow_up(fill_in(str(p.definition.response("R3").body), p.ticket))
    data = {"solution_done": "Listo.", "call_outcome": "successful"}

    def refusal() -> str:
        with pytest.raises(GuardFailed) as refused:
            perform(p.ticket, action, actor=p.agent, data=data)
        return refused.value.guard

    Ticket.objects.filter(pk=p.ticket.pk).update(standing_checked_at=None)
    assert refusal() == "standing_checked"
    Ticket.objects.filter(pk=p.ticket.pk).update(standing_checked_at=timezone.now())
    User.objects.filter(pk=p.customer.pk).update(standing=Standing.INACTIVE)
    assert refusal() == "requester_active"
    User.objects.filter(pk=p.customer.pk).update(standing=Standing.ACTIVE)
    perform(p.refresh(), action, actor=p.agent, data=data)


def test_r4_is_only_for_inactive_requesters(play):
    p = prepare(play(KEY))
    with pytest.raises(ActionUnavailable):
        perform(
            p.ticket, "responder_inactivo", actor=p.agent, data={"due_at": timezone.now() + timedelta(days=9)}
        )


def test_r4_needs_a_checked_standing(play):
    p = play(KEY)
    p.customer.standing = Standing.INACTIVE
    p.customer.save()
    with pytest.raises(GuardFailed) as refused:
        perform(
            p.ticket,
            "responder_inactivo",
            actor=p.supervisor,
            data={"due_at": timezone.now() + timedelta(days=9)},
        )
    assert refused.value.guard == "standing_checked"


@pytest.mark.demand("S2.17")
def test_closing_without_solution_sends_the_terms_and_conditions(play):
    p = prepare(play(KEY)).later(hours=5)
    p.do(p.agent, "cerrar_sin_solucion")
    assert (p.ticket.stage, p.ticket.stage_kind, p.told) == (
        "sin_solucion",
        "rejected",
        [("requester", "rejected")],
    )
    assert p.latest_message.body.startswith("Buenas tardes estimado, lamentamos los inconvenientes")
    assert p.latest_message.body.endswith("TÉRMINOS Y CONDICIONES")


@pytest.mark.demand("S2.22", "S2.23")
def test_wrong_ticket_closes_with_the_calls_outcome(play):
    p = prepare(play(KEY))
    with pytest.raises(GuardFailed) as refused:
        perform(p.ticket, "ticket_equivocado", actor=p.agent, data={"call_outcome": "successful"})
    assert refused.value.guard == "response_sent"
    p.follow_up("Mensaje cualquiera")
    with pytest.raises(GuardFailed, match="Envía primero al solicitante «R3 · En seguimiento"):
        perform(p.ticket, "ticket_equivocado", actor=p.agent, data={"call_outcome": "successful"})
    p.follow_up(fill_in(str(p.definition.response("R3").body), p.ticket) + "\n\nSaludos, Diego.")
    p.do(p.agent, "ticket_equivocado", call_outcome="successful")
    assert (p.ticket.stage, p.ticket.contacts.get().outcome) == ("equivocado", "successful")
    assert "fue comunicado via llamada siendo exitosa, debe seleccionar" in p.latest_message.body
    assert "ticket de estatus de Problema" in p.latest_message.body


@pytest.mark.demand("S2.40", "S2.41", "S2.42")
def test_duplicate_is_cancelled_and_the_other_stays(play):
    p = prepare(play(KEY))
    survivor = make_ticket(p.process, requester=p.customer, title="No entro, otra vez")
    foreign = make_ticket(p.process, requester=make_user())
    for folio in (foreign.folio, p.ticket.folio, "MA-1"):
        with pytest.raises(InvalidData) as refused:
            perform(p.ticket, "cancelar", actor=p.agent, data={"duplicate_of": folio, "mismo_caso": True})
        assert refused.value.errors.keys() == {"duplicate_of"}
    with pytest.raises(InvalidData) as refused:
        perform(p.ticket, "cancelar", actor=p.agent, data={"duplicate_of": survivor.folio})
    assert refused.value.errors.keys() == {"mismo_caso"}

    p.do(p.agent, "cancelar", duplicate_of=survivor.folio, mismo_caso=True)
    assert (p.ticket.stage, p.ticket.duplicate_of) == ("cancelado", survivor)
    assert f"a través del ticket de soporte {survivor.folio} debido a que" in p.latest_message.body
    assert not Ticket.objects.counted_in_metrics().filter(pk=p.ticket.pk).exists()
    assert not surveys.is_open(p.ticket)


@pytest.mark.demand("S2.41")
def test_duplicate_needs_preparation_and_another_open_ticket(play):
    p = prepare(play(KEY))
    survivor = make_ticket(p.process, requester=p.customer)
    data = {"duplicate_of": survivor.folio, "mismo_caso": True}
    Ticket.objects.filter(pk=p.ticket.pk).update(difficulty=None)
    with pytest.raises(GuardFailed, match="Prepara el ticket"):
        perform(p.ticket, "cancelar", actor=p.supervisor, data=data)
    Ticket.objects.filter(pk=p.ticket.pk).update(difficulty=2)
    perform(survivor, "cerrar_prueba", actor=p.supervisor)
    with pytest.raises(GuardFailed, match="debe estar abierto"):
        perform(p.ticket, "cancelar", actor=p.supervisor, data=data)
    assert Ticket.objects.get(pk=p.ticket.pk).duplicate_of is None


@pytest.mark.demand("S2.40")
def test_duplicate_of_a_ticket_that_the_agent_may_not_see_is_unknown(play):
    p = prepare(play(KEY))
    hidden = make_ticket(p.process, requester=p.customer, category="notas")
    data = {"duplicate_of": hidden.folio, "mismo_caso": True}
    errors = []
    for folio in (hidden.folio, "MA-99999"):
        with pytest.raises(InvalidData) as refused:
            perform(p.ticket, "cancelar", actor=p.agent, data={**data, "duplicate_of": folio})
        errors.append(refused.value.errors)
    assert errors[0] == errors[1], "whether the requester has a ticket elsewhere is not told"
    assert "No encontramos un ticket del mismo solicitante" in errors[0]["duplicate_of"][0]
    p.do(p.supervisor, "cancelar", **data)


@pytest.mark.demand("S2.43")
def test_test_ticket_is_left_out_of_the_figures(play):
    p = play(KEY)
    p.do(p.supervisor, "cerrar_prueba")
    assert (p.ticket.stage, p.ticket.is_test, p.told) == ("prueba", True, [])
    assert p.latest_message.body.startswith(
        "Desde el departamento de atencion al usuario informa el cierre de ticket"
    )
    assert not Ticket.objects.counted_in_metrics().filter(pk=p.ticket.pk).exists()


@pytest.mark.demand("S2.26", "S2.27", "S2.1")
def test_process_waits_until_requester_has_an_account(play):
    p = play(KEY, filed_by="staff")
    with pytest.raises(GuardFailed, match="no tiene cuenta"):
        perform(p.ticket, "preparar", actor=p.supervisor, data=prepared(p))
    with pytest.raises(InvalidData):
        perform(p.ticket, "seleccionar_cuenta", actor=p.agent, data={"requester": "nadie@example.com"})
    p.do(p.agent, "seleccionar_cuenta", requester=p.customer.email)
    assert (p.ticket.requester, p.ticket.requester_email) == (p.customer, p.customer.email)
    prepare(p)
    assert p.ticket.stage == "procesar"
    with pytest.raises(ActionUnavailable):
        perform(p.ticket, "seleccionar_cuenta", actor=p.agent, data={"requester": p.stranger.email})


@pytest.mark.demand("S2.1")
def test_filing_without_an_account_is_refused(play):
    p = play(KEY)
    with pytest.raises(NotAllowed):
        make_ticket(p.process, guest_email="alguien@example.com")


@pytest.mark.demand("S2.32")
def test_late_first_response_escalates_the_ticket(play):
    p = play(KEY).later(days=1, hours=1)
    assert (p.ticket.stage, p.ticket.is_escalated) == ("recibido", True)
    assert (p.last.action, p.told) == ("soporte_elevado", [("role:supervisor", "breached")])
    count = len(p.events)
    p.later(days=30)
    assert [event.kind for event in p.events[count:]] == ["breached"]


def test_every_action_and_end_is_played(play, monkeypatch):
    monkeypatch.setattr(Play, "careful", False)  # the tests above ran with the extra checks
    for test in (
        test_full_flow_with_contributions_rejection_and_approval,
        test_closed_ticket_offers_the_call_until_logged,
        test_closing_the_contribution_returns_ticket_to_procesar,
        test_silence_ends_an_undecided_approval,
        test_review_sends_the_ticket_back_with_a_reason,
        test_requester_takes_the_approval_back_during_the_review,
        partial(test_ticket_with_a_complete_checklist_closes_at_once, decision="approved"),
        partial(test_requester_who_cannot_be_reached_is_closed_without_r10, decision="approved"),
        test_user_service_closes_with_checklist_and_evidence,
        test_inactive_requester_gets_only_r4,
        test_closing_without_solution_sends_the_terms_and_conditions,
        test_wrong_ticket_closes_with_the_calls_outcome,
        test_duplicate_is_cancelled_and_the_other_stays,
        test_test_ticket_is_left_out_of_the_figures,
        test_process_waits_until_requester_has_an_account,
        test_late_first_response_escalates_the_ticket,
    ):
        test(play)
    reopen_both_ways(play.begun[0], "reabrir", assignee=play.begun[0].agent, note="Sigue igual.")
    assert left_unplayed(play.begun) == (set(), set())
