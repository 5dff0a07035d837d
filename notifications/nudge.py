"""Publish Celery tasks that wake a worker. All work is stored in tables, and scheduled tasks read these too, so a
message that cannot be published only delays the work until the next scheduled run. A broker that is down must not fail
web requests, so nothing here raises, and after one failure publishing is skipped for `PAUSE_SECONDS`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 30.0
"""How long to skip publishing after a failure: a broker that does not answer blocks each caller for up to four
seconds."""
EXPIRES_SECONDS = 60
SPARING_SECONDS = 1.0


class Breaker:
    """Circuit breaker: after `trip`, `is_open` is True for `pause` seconds. Each process has its own, without a lock: a
    lost update only means one more attempt."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.open_until = 0.0

    @property
    def is_open(self) -> bool:
        return monotonic() < self.open_until

    def trip(self) -> None:
        self.open_until = monotonic() + self.pause


broker = Breaker(PAUSE_SECONDS)


@dataclass
class _Published:
    """When a task was last published in a `sparingly` block, and whether work has come since."""

    at: float
    is_due: bool = False


_sparing: ContextVar[dict[str, _Published] | None] = ContextVar("sparing", default=None)


@contextmanager
def sparingly() -> Iterator[None]:
    """Publish each task at most once in `SPARING_SECONDS` within the block, and at its end once more if work came
    since: a worker that has been woken for one mail finds those of the next ones too."""
    published: dict[str, _Published] = {}
    token = _sparing.set(published)
    try:
        yield
    finally:
        _sparing.reset(token)
        for task, last in published.items():
            if last.is_due:
                nudge(task)


def nudge_on_commit(task: str) -> None:
    """Publish the Celery task named `task` when the current transaction commits."""
    if settings.DESK_NUDGE_WORKERS:
        transaction.on_commit(lambda: _nudge_sparingly(task), robust=True)


def _nudge_sparingly(task: str) -> None:
    published, now = _sparing.get(), _now()
    if published is None:
        nudge(task)
        return
    last = published.get(task)
    if last is not None and now - last.at < SPARING_SECONDS:
        last.is_due = True
        return
    published[task] = _Published(now)
    nudge(task)


def _now() -> float:
    return monotonic()


def nudge(task: str, **options: Any) -> bool:
    """Publish the Celery task named `task` now. Never raises. Returns whether the broker took the message."""
    if broker.is_open:
        return False
    try:
        current_app.send_task(task, expires=EXPIRES_SECONDS, **options)
    except Exception as error:  # noqa: BLE001  (kombu, redis, socket or disk errors; the scheduled sweep does the work later)
        broker.trip()
        logger.warning("The broker does not take messages, %s waits for the scheduler: %s", task, error)
        return False
    return True
