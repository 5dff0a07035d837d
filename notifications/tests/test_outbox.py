import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from notifications.enums import MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import outbox
from notifications.tests.factories import make_event, make_mail, told
from tickets.enums import DeliveryState, EventKind, Template
from tickets.models import Delivery, Ticket
from tickets.record import deliveries
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation, properties
from tickets.workflow.perform import perform

pytestmark = pytest.mark.django_db


@pytest.mark.demand("S0.15")
@pytest.mark.demand("S2.2")
def test_filing_queues_received_and_new_ticket_mails():
    supervisor = make_supervisor()
    user = make_user()

    ticket = make_ticket(requester=user)

    assert told(Template.RECEIVED) == [user.email]
    assert told(Template.NEW_TICKET) == [supervisor.email]
    mail = OutgoingEmail.objects.get(template=Template.RECEIVED)
    assert (mail.ticket, mail.event.kind, mail.state) == (ticket, EventKind.FILED, MailState.QUEUED)


def test_supervisor_is_not_told_of_own_filing():
    me, other = make_supervisor(), make_supervisor()
    ticket = make_ticket(requester=me)

    assert told(Template.NEW_TICKET) == [other.email]
    assert told(Template.RECEIVED) == [ticket.requester.email]


def test_event_without_notify_queues_no_mail():
    ticket = make_ticket()
    OutgoingEmail.objects.all().delete()

    make_event(ticket)

    assert not OutgoingEmail.objects.exists()


def test_internal_note_tells_only_the_mentioned():
    agent, colleague = make_agent(), make_agent()
    make_supervisor()
    ticket = make_ticket()
    OutgoingEmail.objects.all().delete()

    conversation.add_internal_note(ticket, actor=agent, body=f"@{colleague.email} ¿lo ves?")

    assert list(OutgoingEmail.objects.values_list("recipient", "template")) == [
        (colleague.email, Template.MENTIONED)
    ]


@pytest.mark.demand("S1.13")
def test_assigning_tells_assignee_unless_self_assigned():
    agent, supervisor = make_agent(), make_supervisor()
    ticket = make_ticket()

    properties.assign(ticket, actor=agent, assignee=agent)
    assert told(Template.ASSIGNED) == []

    properties.assign(ticket, actor=supervisor, assignee=None)
    properties.assign(ticket, actor=supervisor, assignee=agent)
    assert told(Template.ASSIGNED) == [agent.email]


@pytest.mark.demand("S2.4")
@pytest.mark.demand("S1.13")
def test_preparing_tells_requester_and_assignee():
    supervisor, agent, customer = make_supervisor(), make_agent(), make_user()
    ticket = make_ticket(requester=customer)

    prepare(ticket, supervisor, agent)

    assert told(Template.PREPARED) == [customer.email]
    assert told(Template.ASSIGNED) == [agent.email]


def prepare(ticket: Ticket, supervisor, agent, **data) -> Ticket:
    answers = {
        "severity": "high",
        "department": make_department(),
        "difficulty": 3,
        "assignee": agent,
        "due_at": timezone.now() + timedelta(days=3),
        "standing": "active",
    }
    return perform(ticket, "preparar", actor=supervisor, data=answers | data)


def test_repeated_follow_up_queues_one_mail():
    agent = make_agent()
    ticket = prepare(make_ticket(), make_supervisor(), agent)

    for _time in range(2):
        conversation.send_follow_up(ticket, actor=agent, body="Vamos.", key="la-misma")

    assert told(Template.REPLY) == [ticket.requester.email]


def test_rollback_queues_no_mail():
    process, user = make_process(), make_user()

    @transaction.atomic
    def file_and_fail():
        make_ticket(process, requester=user)
        assert told(Template.RECEIVED) == [user.email]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        file_and_fail()

    assert not OutgoingEmail.objects.exists()
    assert not Delivery.objects.exists()


def test_second_mail_for_event_recipient_template_is_rejected():
    mail = make_mail(make_ticket(), Template.PROGRESS)

    with pytest.raises(IntegrityError), transaction.atomic():
        OutgoingEmail.objects.create(
            event=mail.event, recipient=mail.recipient, template=mail.template, message_id="<otro@x>"
        )


def test_message_ids_are_stable_unique_and_anonymous():
    supervisors = [make_supervisor(), make_supervisor()]
    ticket = make_ticket()

    ids = list(OutgoingEmail.objects.filter(ticket=ticket).values_list("message_id", flat=True))

    assert len(set(ids)) == 3
    assert all(one.startswith(f"<{ticket.pk}.") and one.endswith("@mesadeayuda.test>") for one in ids)
    assert not any(person.email.partition("@")[0] in one for person in supervisors for one in ids)
    mail = OutgoingEmail.objects.filter(ticket=ticket)[0]
    assert outbox.message_id(mail.event, mail.recipient, mail.template) == mail.message_id


def test_every_mail_has_a_delivery():
    make_supervisor()
    event = make_ticket().events.get()

    rows = {(d.email, d.template, d.to_requester, d.state) for d in event.deliveries.all()}

    assert rows == {
        (mail.recipient, mail.template, mail.audience == "requester", DeliveryState.WAITING)
        for mail in OutgoingEmail.objects.all()
    }


def test_unknown_template_is_logged_and_skipped(caplog):
    ticket = make_ticket()

    make_event(ticket, ("requester", "paloma_mensajera"), ("requester", Template.PROGRESS))

    assert told(Template.PROGRESS) == [ticket.requester.email]
    assert "paloma_mensajera" in caplog.text


@pytest.mark.parametrize("supervisors", [1, 8])
def test_filing_query_count_is_constant(supervisors, django_assert_max_num_queries):
    for _number in range(supervisors):
        make_supervisor()
    process, user = make_process(), make_user()
    category = process.categories.first()
    make_ticket(process, requester=user, category=category)

    with django_assert_max_num_queries(30) as queries:
        make_ticket(process, requester=user, category=category)

    mine = [
        q["sql"] for q in queries.captured_queries if "outgoingemail" in q["sql"] or "delivery" in q["sql"]
    ]
    assert len(mine) == 2
    assert len(queries.captured_queries) <= 20


def test_retry_requeues_a_failed_mail():
    mail = make_mail(make_ticket(), Template.CLOSED)
    OutgoingEmail.objects.filter(pk=mail.pk).update(
        state=MailState.FAILED, attempts=7, last_error="550 no", is_second_copy=True
    )
    deliveries.report(mail.delivery_id, DeliveryState.FAILED, problem="refused")

    deliveries.retry(mail.delivery, actor=make_supervisor())

    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.is_second_copy, mail.last_error) == ("queued", 0, False, "")
    assert mail.delivery.state == DeliveryState.WAITING


def test_requeue_is_rolled_back_when_one_fails(monkeypatch):
    mails = [make_mail(make_ticket(), Template.CLOSED) for _number in range(2)]
    OutgoingEmail.objects.update(state=MailState.FAILED)
    Delivery.objects.update(state=DeliveryState.FAILED)
    report = deliveries.report

    def cut_off(delivery_id, *args, **kwargs):
        if delivery_id == mails[0].delivery_id:  # the newest comes first
            raise ConnectionError("the database is gone")
        report(delivery_id, *args, **kwargs)

    monkeypatch.setattr(deliveries, "report", cut_off)
    with pytest.raises(ConnectionError):
        outbox.requeue(mails)

    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.FAILED}


def test_requeue_ignores_sent_mail():
    sent = make_mail(make_ticket(), Template.CLOSED)
    OutgoingEmail.objects.filter(pk=sent.pk).update(state=MailState.SENT)

    assert outbox.requeue([sent]) == 0
    sent.refresh_from_db()
    assert sent.state == MailState.SENT


@pytest.mark.django_db(transaction=True)
def test_parallel_filings_each_queue_their_mail():
    process, users = make_process(), [make_user() for _number in range(4)]
    category = process.categories.first()

    def file(user):
        try:
            make_ticket(process, requester=user, category=category)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=file, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told(Template.RECEIVED) == sorted(user.email for user in users)
