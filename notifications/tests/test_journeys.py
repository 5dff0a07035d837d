"""Tickets of each library process from filing to closing: which mails they send, to whom, in which order, and that the
links in them work."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core import mail as sent_mail
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery
from notifications.outgoing.outbox import HELD_FOR
from notifications.tests.factories import make_event
from tickets.actors import Guest
from tickets.closing import surveys
from tickets.definitions.loading import library
from tickets.enums import Purpose, Template
from tickets.models import GuestToken, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket, set_clock
from tickets.tests.playing import review
from tickets.workflow import conversation, sweeps
from tickets.workflow.checking import load
from tickets.workflow.intake import Requester, file_ticket
from tickets.workflow.perform import perform

pytestmark = pytest.mark.django_db


def post() -> list[tuple[str, str]]:
    """Send the waiting mails, also those that are held for a minute. Returns the recipient and template of each mail
    sent by this call, in order."""
    before = set(OutgoingEmail.objects.filter(state="sent").values_list("pk", flat=True))
    with time_machine.travel(timezone.now() + HELD_FOR):
        delivery.drain()
    assert not OutgoingEmail.objects.filter(state__in=["queued", "failed", "suppressed"]).exists()
    rows = OutgoingEmail.objects.filter(state="sent").exclude(pk__in=before).order_by("pk")
    return [(row.recipient, row.template) for row in rows]


def link_in_last_mail_to(address: str, purpose: Purpose) -> Guest:
    """Return the guest whom the link in the newest mail to `address` identifies, without any session."""
    message = next(message for message in reversed(sent_mail.outbox) if message.to == [address])
    secret = re.search(r"/enlace/([\w-]+)/", message.body)
    assert secret, message.body
    token = guests.redeem(secret[1])
    assert token.purpose == purpose
    return guests.guest_of(token)


@pytest.mark.demand("S2.2", "S2.4", "S2.6", "S2.7", "S2.8", "S2.30", "S0.25")
def test_s2_mails_from_filing_to_survey():
    """With two contributions and a rejected closure on the way."""
    supervisor = make_supervisor(email="supervisora@example.com")
    agent = make_agent(email="agente@example.com")
    customer = make_user(email="cliente@example.com")

    ticket = make_ticket(requester=customer)
    assert post() == [("cliente@example.com", "received"), ("supervisora@example.com", "new_ticket")]

    perform(
        ticket,
        "preparar",
        actor=supervisor,
        data={
            "severity": "high",
            "department": make_department(),
            "difficulty": 3,
            "assignee": agent,
            "due_at": timezone.now() + timedelta(days=3),
            "standing": "active",
            "contribution_open": True,
        },
    )
    assert post() == [("cliente@example.com", "prepared"), ("agente@example.com", "assigned")]

    for question in ("¿Qué navegador usas?", "¿Y en otro equipo?"):
        conversation.send_follow_up(ticket, actor=agent, body=question)
        assert post() == [("cliente@example.com", "contribution_asked")]
        assert question in sent_mail.outbox[-1].body

        bearer = link_in_last_mail_to("cliente@example.com", Purpose.CONTRIBUTE)
        conversation.reply(ticket, actor=bearer, body="Firefox, y pasa lo mismo.")
        assert post() == [("agente@example.com", "requester_replied")]
        assert "Firefox, y pasa lo mismo." in sent_mail.outbox[-1].body

    solve = {"solution_done": "Restablecimos tu acceso.", "solution_steps": "Entra de nuevo."}
    perform(ticket, "pedir_aprobacion", actor=agent, data=solve)
    assert post() == [("cliente@example.com", "closure_asked")]

    decider = link_in_last_mail_to("cliente@example.com", Purpose.APPROVE)
    perform(ticket, "rechazar", actor=decider, data={"message": "Sigue igual."})
    assert sorted(post()) == [
        ("agente@example.com", "nonconformity"),
        ("supervisora@example.com", "nonconformity"),
    ]
    assert "Sigue igual." in sent_mail.outbox[-1].body

    perform(ticket, "pedir_aprobacion", actor=agent, data=solve)
    assert post() == [("cliente@example.com", "closure_asked")]

    decider = link_in_last_mail_to("cliente@example.com", Purpose.APPROVE)
    perform(ticket, "aprobar", actor=decider)
    assert sorted(post()) == [
        ("agente@example.com", "closure_approved"),
        ("supervisora@example.com", "verification_asked"),
    ]
    assert "El ticket se cierra cuando termine su revisión." in sent_mail.outbox[-2].body
    assert "Falta de la lista de cierre: Respuesta estandarizada" in sent_mail.outbox[-1].body

    review(ticket, by=supervisor)
    perform(ticket, "cerrar", actor=supervisor)
    assert sorted(post()) == [("agente@example.com", "closed"), ("cliente@example.com", "closed")]

    rater = link_in_last_mail_to("cliente@example.com", Purpose.SURVEY)
    surveys.rate(ticket, actor=rater, score=5)
    assert post() == []
    assert len({message.extra_headers["Message-ID"] for message in sent_mail.outbox}) == len(sent_mail.outbox)
    assert {message.extra_headers["References"] for message in sent_mail.outbox} == {
        f"<{ticket.folio.lower()}@mesadeayuda.test>"
    }


@pytest.mark.demand("S2.44")
def test_user_service_is_told_of_a_ticket_to_review():
    service = make_agent(make_department("atencion-al-usuario"), email="atencion@example.com")
    ticket = make_ticket(requester=make_user(email="cliente@example.com"))
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="aprobacion", stage_kind="closure_approval", assignee=make_agent(email="agente@example.com")
    )
    post()
    perform(ticket, "aprobar", actor=ticket.requester)
    assert (service.email, "verification_asked") in post()
    conversation.reply(ticket, actor=ticket.requester, body="Una cosa más.")
    assert sorted(post()) == [
        ("agente@example.com", "requester_replied"),
        ("atencion@example.com", "requester_replied"),
    ]
    assert "Una cosa más." in sent_mail.outbox[-1].body


@pytest.mark.demand("S2.44")
def test_review_that_was_done_before_the_approval_asks_nobody():
    boss = make_supervisor(email="supervisora@example.com")
    ticket = make_ticket(requester=make_user(email="cliente@example.com"))
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="aprobacion",
        stage_kind="closure_approval",
        assignee=make_agent(email="agente@example.com"),
        solution_sent_at=timezone.now(),
    )
    review(ticket, by=boss)
    post()
    perform(ticket, "aprobar", actor=ticket.requester)
    with time_machine.travel(timezone.now() + HELD_FOR):
        delivery.drain()
    sent = OutgoingEmail.objects.filter(state="sent").values_list("recipient", "template")
    assert {("agente@example.com", "closure_approved"), ("cliente@example.com", "closed")} <= set(sent)
    assert not sent.filter(template="verification_asked").exists()


def test_late_mail_without_contribution_has_no_link():
    """Otherwise a late mail would undo switching the contribution off."""
    agent = make_agent()
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="procesar",
        stage_kind="work",
        assignee=agent,
        standing_checked_at=timezone.now(),
        contribution_open=True,
    )
    conversation.send_follow_up(ticket, actor=agent, body="¿Qué navegador usas?")
    Ticket.objects.filter(pk=ticket.pk).update(stage="procesar", stage_kind="work", contribution_open=False)

    post()

    assert not GuestToken.objects.filter(purpose=Purpose.CONTRIBUTE).exists()
    assert "/enlace/" not in sent_mail.outbox[-1].body
    assert "¿Qué navegador usas?" in sent_mail.outbox[-1].body
    assert "Te escribimos" in sent_mail.outbox[-1].subject


PHONE = "+58 212 771 9011"
GUESTS_MAY = sorted(key for key, text in library().items() if load(text).login == "guest")


def answers_to(process) -> dict[str, str]:
    """Return an answer to every required field of the process's form."""
    category = process.categories.first()
    questions = process.definition.intake_fields(category.key if category else "")
    return {
        question.key: question.options[0].key if question.options else "Algo"
        for question in questions
        if question.required
    }


def file_as_guest(process) -> Ticket:
    return file_ticket(
        process,
        actor=None,
        title="No funciona",
        description="No abre desde ayer.",
        category=process.categories.first(),
        requester=Requester(email="ana@example.com", name="Ana"),
        phone=PHONE,
        fields=answers_to(process),
    )


def file_as_customer(key: str) -> Ticket:
    process = make_process(key)
    customer = make_user(email="cliente@example.com", name="Lucía Gómez")
    return make_ticket(process, requester=customer, phone=PHONE, fields=answers_to(process))


@pytest.mark.demand("S1.10", "S1.13", "S1.16")
def test_s1_mails_from_filing_to_closing():
    ticket = file_as_customer("reparacion-de-dispositivo")
    manager, technician = join(ticket, is_manager=True), join(ticket)
    OutgoingEmail.objects.all().delete()
    ticket = make_ticket(
        ticket.process_version.process, requester=ticket.requester, phone=PHONE, fields=ticket.fields
    )
    assert sorted(post()) == sorted([("cliente@example.com", "received"), (manager.email, "new_ticket")])

    asks = [
        ask.field
        for ask in ticket.definition.action("validar").asks
        if ask.required and ask.field != "assignee"
    ]
    perform(ticket, "validar", actor=manager, data={"assignee": technician} | staff_answers(ticket, asks))
    assert post() == [("cliente@example.com", "accepted"), (technician.email, "assigned")]

    perform(
        ticket,
        "finalizar",
        actor=technician,
        data={"solution_done": "Cambiamos la pantalla.", "solution_steps": ""},
    )
    assert ("cliente@example.com", "closed") in (told := post())
    assert (manager.email, "closed") in told
    to_customer = next(message for message in sent_mail.outbox if "Tu caso está resuelto" in message.body)
    assert "Cambiamos la pantalla." in to_customer.body


def join(ticket: Ticket, **fields):
    agent = make_agent(ticket.department)
    agent.memberships.update(**fields)
    return agent


def staff_answers(ticket: Ticket, keys: list[str]) -> dict[str, str]:
    own = [ticket.definition.field(key) for key in keys]
    return {field.key: field.options[0].key if field.options else "Algo" for field in own if field}


@pytest.mark.demand("S0.23", "S0.24", "S0.25", "S0.21")
def test_s0_requester_gets_progress_solution_and_one_survey():
    ticket = file_as_customer("incidencia-tecnica")
    technician = join(ticket)
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="diagnostico",
        stage_kind="work",
        assignee=technician,
        fields=ticket.fields | {"diagnostico": "Registros"},
    )
    post()

    perform(ticket, "informar_avance", actor=technician, data={"message": "Ya reprodujimos la falla."})
    assert post() == [("cliente@example.com", "progress")]
    assert "Ya reprodujimos la falla." in sent_mail.outbox[-1].body

    solution = {
        "solution_done": "Publicamos la versión 4.2.",
        "solution_steps": "Actualiza la App y borra la caché.",
    }
    perform(ticket, "resolver", actor=technician, data=solution)
    assert ("cliente@example.com", "closed") not in post(), "not before somebody has verified it"

    perform(ticket, "verificar", actor=join(ticket))
    assert sorted(post()) == [
        ("cliente@example.com", "closed"),
        (technician.email, "closed"),
    ]
    closing = next(
        m for m in sent_mail.outbox if m.to == ["cliente@example.com"] and "Tu caso está resuelto" in m.body
    )
    assert "Qué hicimos:\n\nPublicamos la versión 4.2." in closing.body
    assert "Qué te toca hacer:\n\nActualiza la App y borra la caché." in closing.body
    assert f"cerramos el ticket {ticket.folio}" in closing.body
    assert re.search(r"Calificar la atención:\nhttp://127.0.0.1:8000/enlace/[\w-]+/\n", closing.body)


@pytest.fixture
def accepted_incident():
    """An S4 ticket that its evaluator accepted and assigned to another member of staff, who resolves it."""
    ticket = file_as_customer("reporte-de-incidentes")
    evaluator, resolver = join(ticket), join(ticket)
    evaluator.groups.add(Group.objects.get_or_create(name="evaluador")[0])
    post()
    perform(ticket, "aceptar", actor=evaluator, data={"evaluacion": "Procede.", "assignee": resolver})
    return ticket, evaluator, resolver


@pytest.mark.demand("S4.22")
def test_s4_asks_evaluator_for_missing_information(accepted_incident):
    ticket, evaluator, resolver = accepted_incident
    assert ("cliente@example.com", "accepted") in post()

    perform(ticket, "solicitar_informacion", actor=resolver, data={"note": "¿En qué versión?"})
    assert post() == [(evaluator.email, "information_asked")]
    assert "¿En qué versión?" in sent_mail.outbox[-1].body

    perform(ticket, "completar_informacion", actor=evaluator, data={"note": "En la 4.1."})
    assert post() == [(resolver.email, "information_given")]
    assert "En la 4.1." in sent_mail.outbox[-1].body


@pytest.mark.demand("S4.21")
def test_s4_requester_is_told_of_the_solution(accepted_incident):
    ticket, _evaluator, resolver = accepted_incident
    post()

    perform(
        ticket,
        "resolver",
        actor=resolver,
        data={"solution_done": "Corregimos el cálculo.", "solution_steps": ""},
    )

    assert ("cliente@example.com", "resolved") in post()
    told = next(m for m in sent_mail.outbox if "Resolvimos tu caso" in m.subject)
    assert "Corregimos el cálculo." in told.body


@pytest.mark.demand("S4.19", "S4.23")
def test_s4_requester_is_told_why_it_was_rejected(accepted_incident):
    ticket, _evaluator, resolver = accepted_incident
    post()

    perform(
        ticket,
        "descartar",
        actor=resolver,
        data={"motivo_rechazo": "ya_conocido", "message": "Ya lo está corrigiendo el equipo de TI."},
    )

    assert post() == [("cliente@example.com", "rejected")]
    assert "No seguiremos con tu reporte" in sent_mail.outbox[-1].subject
    assert "Ya lo está corrigiendo el equipo de TI." in sent_mail.outbox[-1].body
    assert not Ticket.objects.get(pk=ticket.pk).is_open


@pytest.mark.parametrize("key", GUESTS_MAY)
def test_link_in_guest_received_mail_opens_the_ticket(key):
    make_supervisor()
    process = make_process(key)
    ticket = file_as_guest(process)

    delivery.drain()

    bearer = link_in_last_mail_to("ana@example.com", Purpose.FOLLOW)
    assert bearer.ticket_id == ticket.pk


@pytest.mark.parametrize("key", GUESTS_MAY)
def test_every_mail_of_a_process_can_be_sent(key):
    """Sends each mail of `on_filed` and of every action, on a ticket in the stage that the action leads to."""
    agent = make_agent(name="Marta")
    make_supervisor()
    process = make_process(key)
    ticket = file_as_guest(process)
    definition = process.definition
    told = [(definition.first_stage.key, entry) for entry in definition.on_filed]
    told += [
        (action.to or action.sources[0], entry) for action in definition.actions for entry in action.notify
    ]

    for stage, entry in told:
        Ticket.objects.filter(pk=ticket.pk).update(
            assignee=agent,
            department=agent.memberships.get().department,
            stage=stage,
            stage_kind=definition.stage(stage).kind,
            public_state=definition.stage(stage).kind.meta.public_state,
        )
        before = len(sent_mail.outbox)
        make_event(ticket, (str(entry.to), entry.template))
        delivery.drain()
        left = OutgoingEmail.objects.exclude(state__in=["sent", "suppressed"])
        assert not left.exists(), (entry, left.values_list("last_error", "state"))
        if str(entry.to) in ("requester", "assignee") and entry.template != Template.SURVEY:
            assert len(sent_mail.outbox) > before, entry


@pytest.mark.demand("S3.19")
def test_s3_mail_tells_assignee_who_closed():
    ticket = file_as_customer("solicitud-guiada")
    developer = join(ticket)
    perform(ticket, "empezar", actor=developer)
    perform(ticket, "cerrar_mi_solicitud", actor=ticket.requester)
    post()
    told = next(message for message in sent_mail.outbox[::-1] if message.to == [developer.email])
    assert f"{ticket.requester_name} cerró su solicitud." in told.body


def test_s1_mail_tells_manager_who_closed():
    ticket = file_as_customer("reparacion-de-dispositivo")
    manager, technician = join(ticket, is_manager=True), join(ticket)
    Ticket.objects.filter(pk=ticket.pk).update(stage="reparacion", stage_kind="work", assignee=technician)
    perform(ticket, "finalizar", actor=technician, data={"solution_done": "Cambiamos la pantalla."})
    post()
    told = next(message for message in sent_mail.outbox[::-1] if message.to == [manager.email])
    assert f"{technician.name} cerró el caso de {ticket.requester_name}." in told.body


@pytest.mark.demand("S2.32")
def test_supervisor_reads_which_promise_was_broken():
    """A process without an action of its own for it: the first response is late, and the mail says so."""
    make_supervisor(email="supervisora@example.com")
    ticket = make_ticket(make_process("incidencia-tecnica"), requester=make_user())
    set_clock(ticket, "first_response", due_at=timezone.now() - timedelta(minutes=1))
    sweeps.breach_overdue()
    post()
    told = [message.body for message in sent_mail.outbox if message.to == ["supervisora@example.com"]]
    assert re.search(
        r"El plazo de primera respuesta venció el .+ El ticket es ahora un soporte elevado\.", told[-1]
    )


@pytest.mark.demand("S2.32")
def test_s2_supervisor_is_told_of_a_breach():
    make_supervisor(email="supervisora@example.com")
    ticket = make_ticket(requester=make_user())
    late = timezone.now() - timedelta(minutes=1)
    ticket.clocks.filter(kind="first_response").update(due_at=late)
    Ticket.objects.update(first_response_due_at=late)
    sweeps.breach_overdue()
    post()
    told = [message.body for message in sent_mail.outbox if message.to == ["supervisora@example.com"]]
    assert "Venció un plazo de este ticket, que es ahora un soporte elevado." in told[-1]
