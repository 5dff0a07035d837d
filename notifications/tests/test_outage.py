"""A mail server that is away or mute: all mail waits, and as few mails as possible are in doubt."""

import socket
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from notifications.enums import MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery, outage, outcomes
from notifications.tests.factories import make_mail
from notifications.tests.sink import HOLD
from tickets.enums import DeliveryProblem, Template
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def mails(sink, settings) -> list[OutgoingEmail]:
    """Three mails in the outbox, and a server for which nobody waits long."""
    settings.EMAIL_TIMEOUT = 0.3
    made = [make_mail(make_ticket(), Template.PROGRESS) for _number in range(3)]
    OutgoingEmail.objects.exclude(pk__in=[mail.pk for mail in made]).delete()
    return made


def rows(mails: list[OutgoingEmail]) -> list[OutgoingEmail]:
    found = OutgoingEmail.objects.in_bulk([mail.pk for mail in mails])
    return [found[mail.pk] for mail in mails]


def account_mail(**fields) -> OutgoingEmail:
    return OutgoingEmail.objects.create(
        template="account/email/login_code",
        audience="account",
        recipient="apurada@example.com",
        subject="•••• es tu código para entrar",
        secret_subject="ABCD-EFGH es tu código para entrar",
        text="ABCD-EFGH",
        message_id="<a@x>",
        is_urgent=True,
        **fields,
    )


def pause_ends() -> None:
    cache.delete(outage.AWAY_KEY)


def test_server_mute_after_the_mail_puts_one_mail_in_doubt(sink, mails):
    sink.answers_data.append(HOLD)

    assert delivery.drain() == 0

    doubtful, *others = rows(mails)
    assert (doubtful.state, doubtful.is_second_copy) == (MailState.QUEUED, True)
    assert doubtful.delivery.problem == DeliveryProblem.UNKNOWN
    wait = doubtful.next_attempt_at - timezone.now()
    assert timedelta(minutes=4) < wait <= outcomes.SECOND_COPY_WAIT
    assert {(mail.state, mail.attempts, mail.claim) for mail in others} == {(MailState.QUEUED, 0, None)}
    assert delivery.drain() == 0
    assert sink.connections == 1, "nobody sends during the pause"


def test_server_mute_before_the_mail_puts_none_in_doubt(sink, mails):
    sink.answers_rcpt.append(HOLD)

    assert delivery.drain() == 0

    first, *others = rows(mails)
    assert (first.state, first.is_second_copy, first.attempts) == (MailState.QUEUED, False, 1)
    assert first.delivery.problem == DeliveryProblem.LATER
    assert {mail.attempts for mail in others} == {0}
    assert outage.is_open()


def test_all_mail_leaves_once_the_server_answers_again(sink, mails):
    sink.answers_data.append(HOLD)
    delivery.drain()
    pause_ends()

    assert delivery.drain() == 2

    assert not outage.is_on_trial()
    OutgoingEmail.objects.update(next_attempt_at=timezone.now())
    assert delivery.drain() == 1
    assert {mail.state for mail in rows(mails)} == {MailState.SENT}


def test_one_mail_tries_the_server_after_the_pause(sink, mails):
    sink.answers_data.extend([HOLD, HOLD])
    delivery.drain()
    pause_ends()

    delivery.drain()

    assert [mail.is_second_copy for mail in rows(mails)] == [True, True, False]
    assert rows(mails)[2].attempts == 0


def test_only_one_worker_tries_the_server(sink, mails):
    outage.trip()
    pause_ends()

    with outage.trial() as is_ours:
        assert is_ours
        assert delivery.drain() == 0
    assert sink.connections == 0
    assert delivery.drain() == 3


def test_pauses_grow_up_to_five_minutes():
    assert [outage.trip() for _failure in range(7)] == [20, 40, 80, 160, 300, 300, 300]
    outage.is_over()
    assert outage.trip() == 20


def test_mail_that_may_be_repeated_tries_the_server_first(sink, mails):
    code = account_mail()
    Ticket.objects.update(stage="cerrado", stage_kind="done")
    OutgoingEmail.objects.filter(pk=mails[0].pk).update(template=Template.SURVEY)
    OutgoingEmail.objects.filter(pk=mails[1].pk).update(is_second_copy=True, attempts=1)
    outage.trip()
    pause_ends()

    claims = [outcomes.claim(10, on_trial=True) for _each in range(4)]

    assert [claim and claim.mails for claim in claims] == [[mails[2].pk], [code.pk], [mails[0].pk], None]


def test_second_copy_never_tries_the_server(sink, mails):
    OutgoingEmail.objects.update(is_second_copy=True, attempts=1)
    outage.trip()
    pause_ends()

    assert delivery.drain() == 0
    assert sink.connections == 0

    outage.is_over()
    assert delivery.drain() == 3


def test_code_of_a_mail_in_doubt_is_deleted(sink, settings):
    settings.EMAIL_TIMEOUT = 0.3
    mail = account_mail()
    sink.answers_data.append(HOLD)

    delivery.drain()

    mail.refresh_from_db()
    assert mail.state == MailState.UNCERTAIN
    assert (mail.text, mail.html, mail.secret_subject) == ("", "", "")
    assert mail.subject == "•••• es tu código para entrar"


def test_expired_code_is_deleted_while_the_server_is_away():
    now = timezone.now()
    expired = account_mail(expires_at=now - timedelta(seconds=1))
    waiting = OutgoingEmail.objects.create(
        template="account/email/login_code",
        audience="account",
        recipient="b@example.com",
        text="WXYZ-1234",
        message_id="<b@x>",
        is_urgent=True,
        expires_at=now + timedelta(minutes=5),
    )

    assert outcomes.forget_expired_secrets() == 1

    expired.refresh_from_db()
    waiting.refresh_from_db()
    assert (expired.state, expired.text, expired.secret_subject) == (MailState.SUPPRESSED, "", "")
    assert (waiting.state, waiting.text) == (MailState.QUEUED, "WXYZ-1234")


def test_mute_provider_stops_all_mail_too(settings, mails):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "x",
            "POSTMARK_API_URL": f"http://127.0.0.1:{mute.getsockname()[1]}/",
            "REQUESTS_TIMEOUT": 0.3,
        }
        assert delivery.drain() == 0

    assert outage.is_open()
    assert [mail.is_second_copy for mail in rows(mails)] == [True, False, False]
    assert [mail.attempts for mail in rows(mails)] == [1, 0, 0]
