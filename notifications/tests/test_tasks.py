"""The two Celery tasks of the outbox, and `oldest_waiting`."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import tasks
from notifications.enums import MailState
from notifications.models import MailBatch, OutgoingEmail
from notifications.outgoing import delivery, outcomes
from notifications.tests.factories import make_mail
from tickets.enums import Template
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


def test_lease_outlives_the_longest_drain():
    assert outcomes.LEASE.total_seconds() > tasks.DRAIN_HARD_LIMIT
    assert delivery.DRAIN_SECONDS < tasks.DRAIN_SOFT_LIMIT < tasks.DRAIN_HARD_LIMIT
    assert tasks.drain_outbox.time_limit == tasks.DRAIN_HARD_LIMIT


def test_drain_sends_waiting_mail(mailoutbox):
    ticket = make_ticket()

    tasks.drain_outbox()

    assert [mail.to for mail in mailoutbox] == [[ticket.requester.email]]
    assert OutgoingEmail.objects.get().state == MailState.SENT


@pytest.mark.parametrize(("sent", "calls"), [(1, ["notifications.tasks.drain_outbox"]), (0, [])])
def test_drain_that_leaves_mail_behind_calls_the_next(monkeypatch, sent, calls):
    """Not if it could send none: then mail waits for the mail server, and calls would follow one another for ever."""
    make_ticket()
    called = []
    monkeypatch.setattr(delivery, "drain", lambda: sent)
    monkeypatch.setattr(tasks, "nudge", called.append)

    tasks.drain_outbox()

    assert called == calls


def test_sweep_requeues_mail_of_a_dead_worker():
    make_ticket()
    outcomes.claim(10)
    MailBatch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    tasks.sweep_outbox()

    assert OutgoingEmail.objects.get().state == MailState.QUEUED


def test_oldest_waiting_counts_only_overdue_mail():
    assert OutgoingEmail.objects.oldest_waiting() is None
    late, put_off = make_mail(make_ticket(), Template.PROGRESS), make_mail(make_ticket(), Template.PROGRESS)
    hour_ago = timezone.now() - timedelta(hours=1)
    OutgoingEmail.objects.update(state=MailState.SENT)
    OutgoingEmail.objects.filter(pk=put_off.pk).update(
        state=MailState.QUEUED, created_at=hour_ago, next_attempt_at=timezone.now() + timedelta(hours=1)
    )
    assert OutgoingEmail.objects.oldest_waiting() is None, "put off on purpose is not late"

    OutgoingEmail.objects.filter(pk=late.pk).update(state=MailState.QUEUED, next_attempt_at=hour_ago)
    assert OutgoingEmail.objects.oldest_waiting() == hour_ago
