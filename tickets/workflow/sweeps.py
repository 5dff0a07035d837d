"""Sweeps, which the scheduler runs: they record breaches, act on silence and delete expired links.

Each reads only the rows that are due, and running it twice does no harm.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from time import monotonic

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from content.batches import delete_in_batches

from ..models import Clock, GuestToken, Ticket
from ..models.clock import NOTICE_AHEAD, UNRECORDED_BREACH
from ..record.locking import locked
from . import warning
from .perform import end_silence, record_breaches

logger = logging.getLogger(__name__)
BATCH = 200
SECONDS = 30  # then the sweep stops and the next run goes on; well below a task's time limit


class SweepIncomplete(Exception):
    """A sweep did its work on `done` tickets, and failed on those that the message names."""

    def __init__(self, act: str, failed: list[int], *, done: int) -> None:
        super().__init__(f"{act} failed on tickets {', '.join(map(str, failed[:10]))} ({len(failed)} in all)")
        self.done = done


def breach_overdue(limit: int = BATCH) -> int:
    """Record a breach for every clock that ran past its due date (S2.32). Returns the number of tickets, which `limit`
    limits."""
    return _run_on_each(dict.fromkeys(overdue().values_list("ticket_id", flat=True)), _breach, limit)


def overdue() -> "QuerySet[Clock]":
    """Return the clocks that ran past their due date and have no breach recorded yet, earliest first."""
    return Clock.objects.filter(UNRECORDED_BREACH, due_at__lte=timezone.now()).order_by("due_at")


@transaction.atomic
def _breach(pk: int) -> bool:
    """Record the breaches of one ticket and return whether there were any.

    They are checked again under the lock: since the list was read, somebody may have answered, paused or moved the
    date.
    """
    return record_breaches(locked(Ticket(pk=pk)), now=timezone.now()) > 0


def give_notice(limit: int = BATCH) -> int:
    """Give the warnings and write the messages about progress that are due (S0.21, S2.32). Returns on how many tickets
    something was sent."""
    return _run_on_each(dict.fromkeys(noticed().values_list("ticket_id", flat=True)), _notice, limit)


def noticed() -> "QuerySet[Clock]":
    """Return the running clocks that ask for a notice, earliest first."""
    return Clock.objects.filter(NOTICE_AHEAD, warn_at__lte=timezone.now()).order_by("warn_at")


@transaction.atomic
def _notice(pk: int) -> bool:
    return warning.give_notices(locked(Ticket(pk=pk)), now=timezone.now()) > 0


def act_on_silence(limit: int = BATCH) -> int:
    """Carry out the silence actions of tickets whose requester has not answered in time. Returns how many."""
    due = Ticket.objects.filter(silence_due_at__lte=timezone.now()).order_by("silence_due_at")
    return _run_on_each(due.values_list("pk", flat=True), _end_silence, limit)


@transaction.atomic
def _end_silence(pk: int) -> bool:
    ticket = locked(Ticket(pk=pk))
    if ticket.silence_due_at is None or ticket.silence_due_at > timezone.now():
        return False
    return end_silence(ticket) is not None


def _run_on_each(tickets: Iterable[int], act: Callable[[int], bool], limit: int) -> int:
    """Call `act` on each ticket and return how often it did something. Stops after `limit` times or `SECONDS`.

    A sweep goes on after a ticket that fails, and failing tickets do not count towards `limit`. Raises
    `SweepIncomplete` at the end if there were any, so that the task counts as failed where operators look.
    """
    count, until, failed = 0, monotonic() + SECONDS, []
    for pk in tickets:
        if count >= limit or monotonic() >= until:
            break
        try:
            count += act(pk)
        except Exception:
            logger.exception("ticket %s: %s failed", pk, act.__name__)
            failed.append(pk)
    if failed:
        raise SweepIncomplete(act.__name__, failed, done=count)
    return count


def forget_expired_tokens() -> int:
    """Delete the links that expired at least a month ago. Returns how many."""
    return delete_in_batches(expired_tokens())


def expired_tokens() -> "QuerySet[GuestToken]":
    return GuestToken.objects.filter(expires_at__lt=timezone.now() - timedelta(days=30))
