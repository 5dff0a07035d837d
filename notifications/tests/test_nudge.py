"""A broker that is down must not fail filing a ticket, and is tried only once per pause (STACK: publishing is
bounded)."""

import socket
from time import monotonic

import pytest
from celery import current_app
from django.db import transaction

from accounts.tests.factories import make_user
from notifications import nudge
from notifications.models import OutgoingEmail
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def closed_breaker(monkeypatch):
    monkeypatch.setattr(nudge, "broker", nudge.Breaker(nudge.PAUSE_SECONDS))


@pytest.fixture
def published(monkeypatch):
    """List of the tasks that the application publishes; no broker is involved."""
    calls = []
    monkeypatch.setattr(
        current_app._get_current_object(), "send_task", lambda name, **options: calls.append((name, options))
    )
    return calls


@pytest.fixture
def dead_broker(monkeypatch):
    """Make Celery publish to a port on which nothing listens. Returns the list of attempts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = current_app._get_current_object()
    attempts = []
    real = app.send_task

    def send_task(name, **options):
        attempts.append(name)
        with app.connection_for_write(
            f"redis://127.0.0.1:{port}/0",
            transport_options={"max_retries": 1, "socket_connect_timeout": 1, "socket_timeout": 2},
        ) as connection:
            return real(name, connection=connection, **options)

    monkeypatch.setattr(app, "send_task", send_task)
    return attempts


def test_nudge_waits_for_the_commit(published, settings, django_capture_on_commit_callbacks):
    settings.DESK_NUDGE_WORKERS = True
    process, user = make_process(), make_user()

    with django_capture_on_commit_callbacks(execute=True):
        make_ticket(process, requester=user)
        assert published == []

    assert ("notifications.tasks.drain_outbox", {"expires": nudge.EXPIRES_SECONDS}) in published


def test_no_nudge_when_switched_off(published, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        make_ticket()

    assert published == []


def test_filing_survives_a_dead_broker(dead_broker, settings, django_capture_on_commit_callbacks):
    settings.DESK_NUDGE_WORKERS = True
    process, user = make_process(), make_user()

    with django_capture_on_commit_callbacks(execute=True):
        ticket = make_ticket(process, requester=user)

    assert ticket.pk
    assert OutgoingEmail.objects.filter(ticket=ticket, state="queued").count() == 1
    assert len(dead_broker) == 1


def test_dead_broker_is_tried_once_per_pause(dead_broker):
    assert nudge.nudge("notifications.tasks.drain_outbox") is False
    assert nudge.nudge("notifications.tasks.drain_outbox") is False

    assert len(dead_broker) == 1
    assert nudge.broker.is_open


def test_breaker_closes_again_after_its_pause(published, monkeypatch):
    nudge.broker.trip()
    assert nudge.nudge("notifications.tasks.drain_outbox") is False

    monkeypatch.setattr(nudge.broker, "open_until", monotonic() - 1)
    assert nudge.nudge("notifications.tasks.drain_outbox") is True
    assert len(published) == 1


@pytest.mark.django_db(transaction=True)
def test_many_mails_wake_the_worker_at_once_and_again_at_their_end(published, settings):
    settings.DESK_NUDGE_WORKERS = True

    with nudge.sparingly():
        for _mail in range(5):
            with transaction.atomic():
                nudge.nudge_on_commit("drain")
            assert [name for name, _options in published] == ["drain"]
        nudge.nudge_on_commit("thumbnails")
        assert [name for name, _options in published] == ["drain", "thumbnails"]

    assert [name for name, _options in published] == ["drain", "thumbnails", "drain"]


@pytest.mark.django_db(transaction=True)
def test_work_that_goes_on_wakes_the_worker_every_second(published, settings, monkeypatch):
    settings.DESK_NUDGE_WORKERS = True
    seconds = iter([0.0, 0.4, 0.8, 1.2, 1.6])
    monkeypatch.setattr(nudge, "_now", lambda: next(seconds))

    with nudge.sparingly():
        for _mail in range(5):
            nudge.nudge_on_commit("drain")

    assert len(published) == 3  # at 0 and 1.2 seconds, and at the end for that at 1.6


@pytest.mark.django_db(transaction=True)
def test_worker_is_woken_for_what_was_kept_before_a_mailbox_failed(published, settings):
    settings.DESK_NUDGE_WORKERS = True

    def read() -> None:
        with nudge.sparingly():
            nudge.nudge_on_commit("drain")
            nudge.nudge_on_commit("drain")
            raise OSError("away")

    with pytest.raises(OSError, match="away"):
        read()
    nudge.nudge_on_commit("drain")

    assert len(published) == 3
