"""Waking a worker. The tables are the record and the scheduler looks at them anyway, so a message that cannot be
published costs a few seconds of waiting and must cost the person in front of the page nothing."""

import logging
from time import monotonic
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 30.0
"""A broker that does not answer is left alone for so long: a mute one holds whoever asks for up to four seconds."""
EXPIRES_SECONDS = 60


class Breaker:
    """Whether asking is worth it. One for each process; a lost update only means one more attempt."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.open_until = 0.0

    @property
    def is_open(self) -> bool:
        return monotonic() < self.open_until

    def trip(self) -> None:
        self.open_until = monotonic() + self.pause


broker = Breaker(PAUSE_SECONDS)


def nudge_on_commit(task: str) -> None:
    """Have the Celery task named `task` run soon, if the present transaction commits."""
    if settings.DESK_NUDGE_WORKERS:
        transaction.on_commit(lambda: nudge(task), robust=True)


def nudge(task: str, **options: Any) -> bool:
    """Publish a wake-up call. Never raises; returns whether the broker took it."""
    if broker.is_open:
        return False
    try:
        current_app.send_task(task, expires=EXPIRES_SECONDS, **options)
    except Exception as error:  # noqa: BLE001  (kombu, redis, sockets, disks: whatever it is, the sweep will do)
        broker.trip()
        logger.warning("The broker does not take messages, %s waits for the scheduler: %s", task, error)
        return False
    return True
