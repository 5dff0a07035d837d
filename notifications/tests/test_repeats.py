"""What belongs together is one mail: resolved, closed and the survey within a minute (and mails say what they mean)."""

import pytest
import time_machine
from django.core import mail as sent_mail
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import make_agent, make_supervisor, make_user
from notifications.enums import MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery
from notifications.outgoing.outbox import HELD_FOR
from notifications.tests.factories import make_event
from tickets.enums import DeliveryProblem, DeliveryState, Purpose, Template
from tickets.models import Delivery, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation
from tickets.workflow.perform import perform

pytestmark = pytest.mark.django_db
S2, S3 = "soporte-con-aprobacion", "solicitud-guiada"


def send(*, after=HELD_FOR) -> list[str]:
    """Send what is due `after` this time, and return the templates of the requester's mails so far."""
    with time_machine.travel(timezone.now() + after):
        delivery.drain()
    rows = OutgoingEmail.objects.filter(state="sent", audience="requester").order_by("pk")
    return list(rows.values_list("template", flat=True))


def done(ticket: Ticket) -> Ticket:
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="completado", stage_kind="done", solution_done="Listo.", solution_sent_at=timezone.now()
    )
    ticket.refresh_from_db()
    return ticket


@pytest.fixture
def ticket(db) -> Ticket:
    return done(make_ticket(make_process(S3), requester=make_user(email="cliente@example.com")))


def test_closing_and_survey_are_one_mail(ticket):
    make_event(ticket, ("requester", Template.CLOSED), ("requester", Template.SURVEY))

    assert send(after=timezone.timedelta(0))[-1:] == ["closed"]
    assert "Calificar la atención" in sent_mail.outbox[-1].body
    assert not OutgoingEmail.objects.filter(template="survey").exists()


def test_survey_alone_is_a_mail_of_its_own(ticket):
    make_event(ticket, ("requester", Template.SURVEY))

    assert send()[-1:] == ["survey"]


def test_resolved_and_closed_within_a_minute_are_one_mail(ticket):
    make_event(ticket, ("requester", Template.RESOLVED))
    assert "resolved" not in send(after=HELD_FOR - timezone.timedelta(seconds=2))
    make_event(ticket, ("requester", Template.CLOSED), ("requester", Template.SURVEY))

    sent = send()

    assert (sent.count("closed"), sent.count("resolved"), sent.count("survey")) == (1, 0, 0)
    merged = Delivery.objects.get(template=Template.RESOLVED)
    assert (merged.state, merged.problem) == (DeliveryState.WITHHELD, DeliveryProblem.MERGED)


def test_resolved_alone_is_sent_after_a_minute_and_offers_the_survey(ticket):
    make_event(ticket, ("requester", Template.RESOLVED))
    make_event(ticket, ("requester", Template.SURVEY))

    assert send()[-1:] == ["resolved"]
    assert "Calificar la atención" in sent_mail.outbox[-1].body


def test_survey_after_a_sent_mail_is_sent(ticket):
    make_event(ticket, ("requester", Template.RESOLVED))
    send()
    make_event(ticket, ("requester", Template.SURVEY))

    assert send()[-2:] == ["resolved", "survey"]


def test_mails_of_other_tickets_and_of_staff_are_not_merged(ticket):
    other = done(make_ticket(make_process(S3), requester=ticket.requester))
    agent = make_agent(ticket.department)
    make_event(other, ("requester", Template.RESOLVED))
    make_event(ticket, (f"user:{agent.email}", Template.RESOLVED))
    make_event(ticket, ("requester", Template.CLOSED), (f"user:{agent.email}", Template.CLOSED))
    send()

    rows = OutgoingEmail.objects.filter(template__in=["resolved", "closed"], state=MailState.SENT)
    assert sorted(rows.values_list("ticket", "audience", "template")) == sorted(
        [
            (other.pk, "requester", "resolved"),
            (ticket.pk, "staff", "resolved"),
            (ticket.pk, "requester", "closed"),
            (ticket.pk, "staff", "closed"),
        ]
    )


@pytest.mark.demand("S0.25")
def test_survey_link_of_the_closing_mail_opens_the_survey(client: Client):
    ticket = done(make_ticket(make_process(S3), guest_email="invitada@example.com"))
    make_event(ticket, ("requester", Template.CLOSED), ("requester", Template.SURVEY))
    send()
    address = next(line for line in sent_mail.outbox[-1].body.splitlines() if line.endswith("/encuesta/"))

    page = client.get(address.partition("8000")[2], follow=True)

    assert page.redirect_chain == [(f"/invitado/{ticket.folio}/encuesta/", 302)]
    client.post(page.redirect_chain[-1][0], {"score": "5"})
    ticket.refresh_from_db()
    assert ticket.survey.score == 5


def test_closing_mail_offers_no_survey_once_it_is_answered_or_reopened(ticket):
    make_event(ticket, ("requester", Template.CLOSED), ("requester", Template.SURVEY))
    Ticket.objects.filter(pk=ticket.pk).update(stage="en_curso", stage_kind="work")

    assert send()[-1:] == ["closed"]
    assert "Calificar la atención" not in sent_mail.outbox[-1].body


# --- A mail asks for an answer only if its text does ----------------------------------------------------------


@pytest.fixture
def open_contribution(db) -> tuple[Ticket, object]:
    agent, supervisor = make_agent(), make_supervisor()
    ticket = make_ticket(make_process(S2), requester=make_user())
    answers = {
        "severity": "high",
        "department": ticket.department,
        "difficulty": 3,
        "assignee": agent,
        "due_at": timezone.now() + timezone.timedelta(days=3),
        "standing": "active",
        "contribution_open": True,
    }
    return perform(ticket, "preparar", actor=supervisor, data=answers), agent


@pytest.mark.demand("S2.6", "S2.18")
@pytest.mark.parametrize(
    ("asks", "template", "stage", "heading"),
    [
        (True, "contribution_asked", "aporte", "Necesitamos tu respuesta"),
        (False, "reply", "procesar", "Te respondimos"),
    ],
)
def test_follow_up_asks_only_when_told_to(open_contribution, asks, template, stage, heading):
    ticket, agent = open_contribution
    body = "Se notificará su respuesta vía email."
    conversation.send_follow_up(ticket, actor=agent, body=body, asks=asks)

    ticket.refresh_from_db()
    assert (ticket.stage, ticket.is_paused, ticket.contribution_open) == (stage, asks, True)
    assert send()[-1:] == [template]
    assert heading in sent_mail.outbox[-1].body
    has_link = guests.find_valid(
        ticket.guest_tokens.values_list("pk", flat=True), folio=ticket.folio, purposes=[Purpose.CONTRIBUTE]
    )
    assert bool(has_link) is asks


@pytest.mark.demand("S2.18", "S2.20", "S2.21")
def test_standard_answers_know_whether_they_ask():
    definition = make_process(S2).definition
    asking = {response.key for response in definition.responses if response.asks}
    assert asking == {"R6"}
    for response in definition.responses:
        assert response.asks == ("necesito que me explique" in response.body.es)


@pytest.mark.demand("S2.30")
def test_rejection_and_its_report_are_one_mail_to_the_assignee():
    agent, supervisor = make_agent(email="diego@desk.test"), make_supervisor(email="jefa@desk.test")
    ticket = make_ticket(make_process(S2), requester=make_user())
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="aprobacion", stage_kind="closure_approval", assignee=agent, solution_sent_at=timezone.now()
    )
    OutgoingEmail.objects.all().delete()
    perform(ticket, "rechazar", actor=ticket.requester, data={"message": "Sigue sin abrir."})

    staff = OutgoingEmail.objects.filter(audience="staff").values_list("recipient", "template")
    assert sorted(staff) == [(agent.email, "nonconformity"), (supervisor.email, "nonconformity")]
    delivery.drain()
    assert "Sigue sin abrir." in next(each for each in sent_mail.outbox if agent.email in each.to).body
