"""Delivery of the outbox to a real SMTP server: sent, postponed and failed mails, dead workers, no mail sent twice."""

import re
import smtplib
import threading
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from anymail.backends.test import EmailBackend as ProviderBackend
from anymail.exceptions import AnymailRecipientsRefused
from django.core.cache import cache
from django.core.cache.backends.dummy import DummyCache
from django.db import connection, connections
from django.utils import timezone

from accounts.tests.factories import make_supervisor, make_user
from notifications.enums import TROUBLED_STATES, MailState
from notifications.models import MailBatch, OutgoingEmail
from notifications.outgoing import delivery, outage, outcomes
from notifications.outgoing.delivery import MailServer
from notifications.tests.factories import make_mail, make_message
from notifications.tests.sink import HANG_UP, Sink
from tickets.enums import DeliveryProblem, DeliveryState, MailVerdict, Purpose, Template
from tickets.models import GuestToken, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_ticket
from tickets.tests.test_mails import make_mail as make_incoming

pytestmark = pytest.mark.django_db


def make_one(template: Template = Template.PROGRESS, ticket: Ticket | None = None, **fields) -> OutgoingEmail:
    """Make the only mail in the outbox: the mails of filing the ticket are deleted."""
    mail = make_mail(ticket or make_ticket(), template, **fields)
    OutgoingEmail.objects.exclude(pk=mail.pk).delete()
    return mail


def again(mail: OutgoingEmail) -> OutgoingEmail:
    mail.refresh_from_db()
    return mail


def come_due() -> None:
    cache.clear()
    OutgoingEmail.objects.filter(state=MailState.QUEUED).update(next_attempt_at=timezone.now())


def token_in(text: str) -> str:
    found = re.search(r"/enlace/([\w-]+)/", text)
    assert found, text
    return found[1]


# --- Sent -------------------------------------------------------------------------------------------------


@pytest.mark.demand("S0.15")
def test_mail_arrives_complete_and_is_marked_sent(sink):
    ticket = make_ticket(title="No puedo entrar a la ñandú")

    assert delivery.drain() == 1

    [message] = sink.mails
    mail = OutgoingEmail.objects.get()
    assert (mail.state, mail.attempts, mail.claim, mail.lease_until) == (MailState.SENT, 1, None, None)
    assert mail.sent_at is not None
    assert mail.subject == f"{ticket.folio} · Recibimos tu solicitud: No puedo entrar a la ñandú"
    assert message["Subject"].strip() == mail.subject  # a folded header begins with a space
    assert mail.delivery.state == DeliveryState.SENT
    assert message["To"] == ticket.requester.email
    assert message["From"] == "Mesa de ayuda <soporte@mesadeayuda.test>"
    assert message["Message-ID"] == message["X-Desk-Id"] == mail.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["References"] == f"<{ticket.folio.lower()}@mesadeayuda.test>"
    assert message["In-Reply-To"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert ticket.folio in message.get_body(("plain",)).get_content()
    assert ticket.folio in message.get_body(("html",)).get_content()


def test_later_mails_refer_to_the_thread(sink):
    mail = make_one()

    delivery.drain()

    [message] = sink.mails
    assert (
        message["In-Reply-To"] == message["References"] == f"<{mail.ticket.folio.lower()}@mesadeayuda.test>"
    )


@pytest.mark.parametrize("opening", [True, False])
def test_mails_answer_the_last_mail_of_their_reader(sink, opening):
    mail = OutgoingEmail.objects.get(ticket=make_ticket()) if opening else make_one()
    ticket = mail.ticket
    written = (
        (mail.recipient, "first@mail.test", MailVerdict.TICKET),
        (mail.recipient, "last@mail.test", MailVerdict.MESSAGE),
        (mail.recipient, "held@mail.test", MailVerdict.QUARANTINE),
        ("other@mail.test", "foreign@mail.test", MailVerdict.MESSAGE),
    )
    for sender, source, verdict in written:
        make_incoming(ticket, sender=sender, source_id=source, verdict=verdict)

    delivery.drain()

    [message] = sink.mails
    assert message["In-Reply-To"] == "<last@mail.test>"
    assert message["References"] == f"<{ticket.folio.lower()}@mesadeayuda.test> <last@mail.test>"


@pytest.mark.parametrize(
    "source", ["no id\r\nBcc: eva@mail.test", "x" * 300, "a<b>c@mail.test", "ñ@mail.test", ""]
)
def test_ids_that_fit_into_no_header_are_left_out(sink, source):
    mail = make_one()
    make_incoming(mail.ticket, sender=mail.recipient, source_id=source, verdict=MailVerdict.MESSAGE)

    delivery.drain()

    [message] = sink.mails
    assert (
        message["In-Reply-To"] == message["References"] == f"<{mail.ticket.folio.lower()}@mesadeayuda.test>"
    )
    assert message["Bcc"] is None


def test_batch_uses_one_connection(sink):
    for _number in range(5):
        make_supervisor()
    make_ticket()

    assert delivery.drain() == 6
    assert sink.connections == 1
    assert len(set(sink.recipients)) == 6


def test_urgent_mail_leaves_first(sink):
    ordinary = make_one()
    OutgoingEmail.objects.create(
        template="account/email/login_code",
        audience="account",
        recipient="apurada@example.com",
        subject="Tu código",
        text="123456",
        message_id="<a@x>",
        is_urgent=True,
    )

    delivery.drain()

    assert sink.recipients == ["apurada@example.com", ordinary.recipient]


def test_drain_without_due_mail_opens_no_connection(sink):
    mail = make_one()
    OutgoingEmail.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))

    assert delivery.drain() == 0
    assert sink.connections == 0
    assert again(mail).state == MailState.QUEUED


def test_link_token_is_only_in_the_mail(sink):
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="aporte", stage_kind="waiting_customer", contribution_open=True
    )
    mail = make_one(Template.CONTRIBUTION_ASKED, ticket)
    assert not GuestToken.objects.exists()

    delivery.drain()

    secret = token_in(sink.mails[0].get_body(("plain",)).get_content())
    token = guests.redeem(secret)
    assert (token.ticket, token.purpose, token.email) == (ticket, Purpose.CONTRIBUTE, mail.recipient)
    stored = [str(value) for row in OutgoingEmail.objects.values() for value in row.values()]
    stored += [str(value) for row in GuestToken.objects.values() for value in row.values()]
    assert not any(secret in value for value in stored)
    assert again(mail).text == mail.html == ""


def test_sent_account_mail_loses_its_text(sink):
    mail = OutgoingEmail.objects.create(
        template="account/email/login_code",
        audience="account",
        recipient="a@example.com",
        subject="Tu código",
        text="El código es 909090",
        html="<p>909090</p>",
        message_id="<a@x>",
    )

    delivery.drain()

    assert "909090" in sink.mails[0].get_body(("plain",)).get_content()
    assert sink.mails[0]["Reply-To"] is None
    assert (again(mail).state, mail.text, mail.html) == (MailState.SENT, "", "")


def test_mail_with_expired_code_is_not_sent(sink):
    mail = OutgoingEmail.objects.create(
        template="account/email/login_code",
        audience="account",
        recipient="a@example.com",
        subject="Tu código",
        text="909090",
        message_id="<a@x>",
        expires_at=timezone.now() - timedelta(seconds=1),
    )

    delivery.drain()

    assert sink.mails == []
    assert (again(mail).state, mail.text) == (MailState.SUPPRESSED, "")


def test_outdated_mail_is_withheld_with_its_reason(sink):
    mail = make_one(Template.SURVEY)  # the ticket is not closed

    delivery.drain()

    assert sink.mails == []
    assert again(mail).state == MailState.SUPPRESSED
    assert (mail.delivery.state, mail.delivery.problem) == (DeliveryState.WITHHELD, DeliveryProblem.OUTDATED)


# --- Postponed and failed ---------------------------------------------------------------------------------


def test_postponed_mail_is_retried_after_growing_waits(sink):
    mail = make_one()
    waits = []
    for _attempt in range(3):
        sink.answers_rcpt.append("451 4.7.1 Greylisted, come back later")
        before = timezone.now()
        delivery.drain()
        waits.append(again(mail).next_attempt_at - before)
        assert (mail.state, mail.delivery.state) == (MailState.QUEUED, DeliveryState.WAITING)
        assert mail.delivery.problem == DeliveryProblem.LATER
        assert "Greylisted" in mail.last_error
        come_due()

    assert [round(wait / timedelta(minutes=1)) for wait in waits] == [1, 5, 30]
    assert delivery.drain() == 1
    assert (again(mail).state, mail.attempts, mail.last_error) == (MailState.SENT, 4, "")
    assert mail.delivery.state == DeliveryState.SENT
    assert len(sink.mails) == 1


def test_mail_postponed_too_often_fails(sink):
    mail = make_one()
    for _attempt in range(len(outcomes.BACKOFF) + 1):
        sink.answers_data.append("452 4.2.2 Mailbox full")
        delivery.drain()
        come_due()

    assert (again(mail).state, mail.attempts) == (MailState.FAILED, len(outcomes.BACKOFF) + 1)
    assert (mail.delivery.state, mail.delivery.problem) == (DeliveryState.FAILED, DeliveryProblem.GAVE_UP)
    assert "Mailbox full" in mail.delivery.detail
    assert list(OutgoingEmail.objects.filter(state__in=TROUBLED_STATES)) == [mail]


def test_refused_recipient_fails_at_once(sink):
    mail = make_one()
    sink.answers_rcpt.append("550 5.1.1 No such user here")

    delivery.drain()

    assert (again(mail).state, mail.attempts) == (MailState.FAILED, 1)
    assert (mail.delivery.state, mail.delivery.problem) == (DeliveryState.FAILED, DeliveryProblem.REFUSED)
    assert mail.delivery.detail == "550 5.1.1 No such user here"


def test_drain_continues_after_a_refused_mail(sink):
    make_supervisor()
    make_ticket()
    sink.answers_rcpt.append("550 5.1.1 No such user here")

    assert delivery.drain() == 1
    assert sorted(OutgoingEmail.objects.values_list("state", flat=True)) == [MailState.FAILED, MailState.SENT]


def test_link_of_an_unsent_mail_is_deleted(sink):
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="aporte", stage_kind="waiting_customer", contribution_open=True
    )
    make_one(Template.CONTRIBUTION_ASKED, ticket)
    sink.answers_data.append("451 later")

    delivery.drain()
    assert not GuestToken.objects.exists()

    come_due()
    delivery.drain()
    assert guests.redeem(token_in(sink.mails[0].get_body(("plain",)).get_content()))
    assert GuestToken.objects.count() == 1


def test_unreachable_server_costs_no_attempt(settings, caplog):
    with Sink() as gone:
        pass
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", gone.port
    make_supervisor()
    make_ticket()
    written = list(OutgoingEmail.objects.values_list("pk", "next_attempt_at"))

    assert delivery.drain() == 0

    rows = OutgoingEmail.objects.all()
    assert {(row.state, row.attempts, row.claim) for row in rows} == {(MailState.QUEUED, 0, None)}
    assert list(OutgoingEmail.objects.values_list("pk", "next_attempt_at")) == written
    assert all("ConnectionRefusedError" in row.last_error for row in rows)
    assert not GuestToken.objects.exists()
    assert caplog.text.count("the mail server is away") == 1
    assert delivery.drain() == 0
    assert caplog.text.count("the mail server is away") == 1, "it is left alone for a while"


@pytest.mark.parametrize(
    "backend", ["anymail.backends.postmark.EmailBackend", "anymail.backends.posmark.Email"]
)
def test_misconfigured_provider_costs_no_attempt(settings, backend):
    settings.EMAIL_BACKEND = backend
    ticket = make_ticket()

    assert delivery.drain() == 0

    mail = OutgoingEmail.objects.get(ticket=ticket)
    assert (mail.state, mail.attempts) == (MailState.QUEUED, 0)
    assert mail.last_error


def test_unreachable_server_is_tried_once_without_cache(settings, monkeypatch, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    monkeypatch.setattr(outage, "cache", DummyCache("", {}))
    make_ticket()

    delivery.drain(seconds=1)

    assert caplog.text.count("the mail server is away") == 1


def test_mail_leaves_when_the_server_is_back(settings):
    with Sink() as gone:
        pass
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", gone.port
    mail = make_one()
    delivery.drain()
    cache.delete(outage.AWAY_KEY)

    with Sink() as sink:
        settings.EMAIL_PORT = sink.port
        assert delivery.drain() == 1

    assert sink.ids == [mail.message_id]


def test_connection_lost_before_data_is_retried_later(sink):
    mail = make_one()
    sink.answers_rcpt.append(HANG_UP)

    delivery.drain()

    assert (again(mail).state, mail.is_second_copy) == (MailState.QUEUED, False)
    assert mail.delivery.problem == DeliveryProblem.LATER
    come_due()
    assert delivery.drain() == 1
    assert len(sink.mails) == 1


def test_drain_continues_after_mail_that_cannot_be_composed(sink, caplog):
    broken, good = make_one(), make_mail(make_ticket(), Template.PROGRESS)
    OutgoingEmail.objects.exclude(pk__in=[broken.pk, good.pk]).delete()
    OutgoingEmail.objects.filter(pk=broken.pk).update(template="no_such_mail")

    assert delivery.drain() == 1

    assert again(broken).state == MailState.QUEUED
    assert broken.next_attempt_at > timezone.now()
    assert broken.delivery.problem == DeliveryProblem.BROKEN
    assert again(good).state == MailState.SENT
    assert "cannot be written" in caplog.text


def test_drain_out_of_time_requeues_the_rest(sink):
    mail = make_one()
    claim = outcomes.claim(10)

    with MailServer() as server:
        assert delivery.ClaimedBatch(claim, server).run(until=0) == 0

    assert (again(mail).state, mail.attempts, mail.claim) == (MailState.QUEUED, 0, None)
    assert not MailBatch.objects.exists()
    assert delivery.drain() == 1


# --- Perhaps sent -----------------------------------------------------------------------------------------


def test_connection_lost_after_data_resends_with_same_id(sink):
    mail = make_one(Template.CLOSED)
    sink.answers_data.extend([HANG_UP])

    delivery.drain()
    assert (again(mail).state, mail.is_second_copy) == (MailState.QUEUED, True)
    assert mail.delivery.problem == DeliveryProblem.UNKNOWN
    assert mail.next_attempt_at > timezone.now() + timedelta(minutes=4)
    come_due()
    delivery.drain()

    assert (again(mail).state, mail.is_second_copy) == (MailState.SENT, True)
    assert sink.ids == [mail.message_id, mail.message_id]


def test_mail_is_sent_at_most_twice(sink):
    mail = make_one(Template.CLOSED)
    sink.answers_data.extend([HANG_UP, HANG_UP])

    delivery.drain()
    come_due()
    delivery.drain()

    assert again(mail).state == MailState.UNCERTAIN
    assert (mail.delivery.state, mail.delivery.problem) == (DeliveryState.UNCERTAIN, DeliveryProblem.UNKNOWN)
    assert len(sink.mails) == 2
    assert list(OutgoingEmail.objects.filter(state__in=TROUBLED_STATES)) == [mail]


@pytest.mark.demand("S0.25")
def test_survey_is_never_sent_twice(sink):
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(stage="cerrado", stage_kind="done")
    mail = make_one(Template.SURVEY, ticket)
    sink.answers_data.append(HANG_UP)

    delivery.drain()
    outcomes.sweep()
    come_due()
    delivery.drain()

    assert again(mail).state == MailState.UNCERTAIN
    assert len(sink.mails) == 1


# --- Dead workers -----------------------------------------------------------------------------------------


def lease_ends() -> None:
    MailBatch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def abandon(*, answered: int = 0, started: int = 0) -> None:
    """Claim the due mails and leave them so, as a worker does that was killed some time ago: the server had answered
    for the first `answered` of them, and `started` had been started."""
    assert outcomes.claim(100)
    MailBatch.objects.update(answered=answered, started=started)
    lease_ends()


def test_mail_of_worker_dead_before_sending_is_requeued(sink):
    mail = make_one(Template.CLOSED)
    abandon()

    assert outcomes.sweep() == 1

    assert (again(mail).state, mail.attempts, mail.is_second_copy) == (MailState.QUEUED, 1, False)
    assert delivery.drain() == 1
    assert outcomes.sweep() == 0
    assert len(sink.mails) == 1


def test_mail_that_kills_workers_fails_alone(sink):
    deadly = make_one()
    innocent = make_mail(make_ticket(), Template.PROGRESS)
    OutgoingEmail.objects.exclude(pk__in=[deadly.pk, innocent.pk]).delete()
    abandon()
    outcomes.sweep()

    for _worker in range(len(outcomes.BACKOFF)):
        claim = outcomes.claim(10)
        assert claim.mails == [deadly.pk], "it was tried before, so it travels alone"
        lease_ends()
        outcomes.sweep()

    assert again(deadly).state == MailState.FAILED
    assert (deadly.delivery.state, deadly.delivery.problem) == (DeliveryState.FAILED, DeliveryProblem.BROKEN)
    assert delivery.drain() == 1
    assert again(innocent).state == MailState.SENT


def test_mail_of_worker_dead_while_sending_is_resent(sink):
    mail = make_one(Template.CLOSED)
    abandon(started=1)

    assert outcomes.sweep() == 1

    assert (again(mail).state, mail.is_second_copy) == (MailState.QUEUED, True)
    assert mail.delivery.problem == DeliveryProblem.UNKNOWN
    assert delivery.drain() == 1
    assert sink.ids == [mail.message_id]
    assert again(mail).state == MailState.SENT


def test_mail_with_unexpired_lease_is_left_alone(sink):
    mail = make_one()
    claim = outcomes.claim(10)

    assert outcomes.sweep() == 0
    assert delivery.drain() == 0
    assert (again(mail).state, mail.claim) == (MailState.QUEUED, claim.token)


def test_worker_that_lost_its_lease_sends_nothing(sink):
    mail = make_one()
    claim = outcomes.claim(10)
    lease_ends()
    outcomes.sweep()
    assert delivery.drain() == 1

    with MailServer() as server:
        assert delivery.ClaimedBatch(claim, server).run(until=float("inf")) == 0

    assert len(sink.mails) == 1
    assert again(mail).state == MailState.SENT


@pytest.mark.django_db(transaction=True)
def test_parallel_drains_send_each_mail_once(sink):
    for _number in range(3):
        make_supervisor()
    for _number in range(10):
        make_ticket(requester=make_user())
    expected = sorted(OutgoingEmail.objects.values_list("message_id", flat=True))
    start = threading.Barrier(3)

    def work():
        try:
            start.wait()
            delivery.drain()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(expected) == 40
    assert sorted(sink.ids) == expected
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {MailState.SENT}


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_sending(sink, monkeypatch):
    make_one()
    seen = []
    real = smtplib.SMTP.sendmail

    def watched(self, *args, **kwargs):
        seen.append(connection.in_atomic_block)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(smtplib.SMTP, "sendmail", watched)
    delivery.drain()

    assert seen == [False]


# --- Encoding ---------------------------------------------------------------------------------------------


def test_long_lines_dots_and_unicode_arrive_unchanged(sink):
    ticket = make_ticket()
    agent = make_supervisor(name="Íñigo Ñáñez")
    words = make_message(ticket, author=agent, body="Línea uno.\n.\nLínea «tres» 🙂 " + "x" * 2000)
    make_one(Template.REPLY, ticket, message=words, actor=agent)

    delivery.drain()

    text = sink.mails[0].get_body(("plain",)).get_content()
    assert "Íñigo Ñáñez escribió:" in text
    assert "Línea uno.\n.\nLínea «tres» 🙂 " + "x" * 2000 in text.replace("\r\n", "\n")
    raw = sink.mails[0].as_bytes()
    assert max(len(line) for line in raw.splitlines()) <= 998
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == sink.mails[0]["Subject"]


# --- Providers other than SMTP ----------------------------------------------------------------------------


def test_provider_id_is_stored(settings):
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    mail = make_one()

    assert delivery.drain() == 1

    assert again(mail).state == MailState.SENT
    assert mail.provider_id == "0"  # anymail's test backend numbers its mails


def test_recipient_refused_by_provider_fails(settings, monkeypatch):
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    mail = make_one()

    def refuse(self, payload, message):
        raise AnymailRecipientsRefused(email_message=message)

    monkeypatch.setattr(ProviderBackend, "post_to_esp", refuse)
    delivery.drain()

    assert (again(mail).state, mail.delivery.problem) == (MailState.FAILED, DeliveryProblem.REFUSED)
