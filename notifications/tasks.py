"""Celery tasks of mail. Their schedule is in `helpdesk.celery_schedule`.

They do not use Celery's retries. All work is stored in the outbox, so the next scheduled run is the retry, and a task
that runs twice or not at all does no harm.
"""

import logging

from celery import shared_task

from .incoming import mailboxes
from .models import OutgoingEmail
from .nudge import nudge
from .outgoing import delivery, outcomes
from .outgoing.outbox import DRAIN
from .senders import share

logger = logging.getLogger(__name__)

DRAIN_SOFT_LIMIT = 40
DRAIN_HARD_LIMIT = 50  # seconds; below outcomes.LEASE
COLLECT_SOFT_LIMIT = 50
COLLECT_HARD_LIMIT = 60
SWEEP_SOFT_LIMIT = 50
SWEEP_HARD_LIMIT = 60


@shared_task(soft_time_limit=DRAIN_SOFT_LIMIT, time_limit=DRAIN_HARD_LIMIT)
def drain_outbox() -> None:
    """Send the due mails, unless as many processes of this worker send already as may: they send these too."""
    with share.slot() as may_send:
        sent = delivery.drain() if may_send else 0
    if sent and OutgoingEmail.objects.due().exists():
        # The time was up, or a mail came just as the last one left: its own call found the slot taken.
        nudge(DRAIN)


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def sweep_outbox() -> None:
    """Queue again or settle the mails that workers had claimed when they died, and wake a worker. Delete codes that
    have expired."""
    outcomes.forget_expired_secrets()
    if count := outcomes.sweep():
        logger.warning("took back %d mails of a worker that has gone", count)
        nudge(DRAIN)


@shared_task(soft_time_limit=COLLECT_SOFT_LIMIT, time_limit=COLLECT_HARD_LIMIT)
def collect_mail() -> None:
    """Receive the new mails of the mailboxes, unless `manage.py receive_mail` does. If it stops because the time is
    over, the next run goes on."""
    mailboxes.collect_all()
