"""A worker process is killed with SIGKILL while it sends a mail to a real SMTP server."""

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from notifications.enums import TROUBLED_STATES, MailState
from notifications.models import MailBatch, OutgoingEmail
from notifications.outgoing import delivery, outcomes
from notifications.tests.factories import make_mail
from notifications.tests.sink import HOLD, Sink
from tickets.enums import Template
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

pytestmark = [pytest.mark.topology, pytest.mark.django_db(transaction=True)]

DRAIN = "import django; django.setup(); from notifications.outgoing import delivery; delivery.drain()"


def database_url() -> str:
    """Return the URL of the test database, for the worker process."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user, password = quote(database["USER"], safe=""), quote(database["PASSWORD"], safe="")
    host, port = quote(database["HOST"] or "localhost", safe=""), database["PORT"] or 5432
    return f"postgres://{user}:{password}@{host}:{port}/{database['NAME']}"


def start_worker(sink: Sink) -> "subprocess.Popen[bytes]":
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{sink.port}",
        "SECRET_KEY": django_settings.SECRET_KEY,
        "DESK_NUDGE_WORKERS": "0",
    }
    return subprocess.Popen([sys.executable, "-c", DRAIN], cwd=django_settings.BASE_DIR, env=env)


def kill_in_mid_send(sink: Sink) -> None:
    """Start a worker and kill it after the server has received a whole mail but before the server answers."""
    sink.answers_data.append(HOLD)
    worker = start_worker(sink)
    try:
        assert sink.is_holding.wait(30), "no mail reached the server"
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()


def lease_ends() -> None:
    MailBatch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def test_killed_worker_loses_no_mail_and_repeats_one(sink):
    ticket = make_ticket()
    for _number in range(3):
        make_mail(ticket, Template.PROGRESS)
    expected = set(OutgoingEmail.objects.values_list("message_id", flat=True))

    kill_in_mid_send(sink)

    [in_hand] = sink.ids
    batch = MailBatch.objects.get()
    assert (batch.answered, batch.started, len(batch.mails)) == (0, 1, 4)
    assert delivery.drain() == 0, "the dead worker's lease still holds"

    lease_ends()
    outcomes.sweep()
    delivery.drain()

    assert set(sink.ids) == expected
    assert Counter(sink.ids) == {one: 2 if one == in_hand else 1 for one in expected}
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {MailState.SENT}


def test_answered_mails_of_killed_worker_are_not_repeated(sink):
    """The worker is killed in its third mail: the server has taken two, which are sent and not queued again."""
    ticket = make_ticket()
    for _number in range(4):
        make_mail(ticket, Template.PROGRESS)
    expected = set(OutgoingEmail.objects.values_list("message_id", flat=True))
    sink.answers_data.extend(["250 OK", "250 OK"])

    kill_in_mid_send(sink)
    taken, in_hand = sink.ids[:2], sink.ids[2]
    lease_ends()
    outcomes.sweep()

    assert set(
        OutgoingEmail.objects.filter(state=MailState.SENT).values_list("message_id", flat=True)
    ) == set(taken)
    assert list(OutgoingEmail.objects.filter(is_second_copy=True).values_list("message_id", flat=True)) == [
        in_hand
    ]
    delivery.drain()
    assert Counter(sink.ids) == {one: 2 if one == in_hand else 1 for one in expected}
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {MailState.SENT}


def test_survey_of_killed_worker_becomes_uncertain(sink):
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(stage="cerrado", stage_kind="done")
    OutgoingEmail.objects.all().delete()
    survey = make_mail(ticket, Template.SURVEY)

    kill_in_mid_send(sink)
    lease_ends()
    outcomes.sweep()
    delivery.drain()

    assert sink.ids == [survey.message_id]
    assert list(OutgoingEmail.objects.filter(state__in=TROUBLED_STATES)) == [survey]
