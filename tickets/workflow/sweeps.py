"""What time does to tickets. Each sweep costs what is due, not what exists, and may run twice without harm."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from time import monotonic

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from content.batches import delete_in_batches

from ..models import Clock, GuestToken, Ticket
from ..models.clock import UNSEEN
from ..record.locking import locked
from .perform import pass_deadlines, pass_silence

logger = logging.getLogger(__name__)
BATCH = 200
SECONDS = 30  # then the next run goes on: well below what a task may take


def breach_overdue(limit: int = BATCH) -> int:
    """Record every promise whose instant has passed (S2.32). Returns how many."""
    return _each(dict.fromkeys(overdue().values_list("ticket_id", flat=True)), _breach, limit)


def overdue() -> "QuerySet[Clock]":
    """The clocks whose promise has run out without anybody having said so."""
    return Clock.objects.filter(UNSEEN, due_at__lte=timezone.now()).order_by("due_at")


@transaction.atomic
def _breach(pk: int) -> int:
    """Somebody may have answered, paused or moved the date between the list and the lock."""
    return pass_deadlines(locked(Ticket(pk=pk)), now=timezone.now())


def act_on_silence(limit: int = BATCH) -> int:
    """Carry out what processes do when the requester has not answered in time. Returns how many actions."""
    due = Ticket.objects.filter(silence_due_at__lte=timezone.now()).order_by("silence_due_at")
    return _each(due.values_list("pk", flat=True), _end_silence, limit)


@transaction.atomic
def _end_silence(pk: int) -> bool:
    ticket = locked(Ticket(pk=pk))
    if ticket.silence_due_at is None or ticket.silence_due_at > timezone.now():
        return False
    return pass_silence(ticket) is not None


def _each(tickets: Iterable[int], act: Callable[[int], int], limit: int) -> int:
    """A ticket that cannot be dealt with keeps no other from its turn, however many there are of its kind."""
    count, until = 0, monotonic() + SECONDS
    for pk in tickets:
        if count >= limit or monotonic() >= until:
            break
        try:
            count += act(pk)
        except Exception:
            logger.exception("ticket %s: %s failed", pk, act.__name__)
    return count


def forget_expired_tokens() -> int:
    """Delete the links that have been useless for a month. Returns how many."""
    return delete_in_batches(expired_tokens())


def expired_tokens() -> "QuerySet[GuestToken]":
    return GuestToken.objects.filter(expires_at__lt=timezone.now() - timedelta(days=30))
