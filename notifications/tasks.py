"""Every Celery task, each a few lines over a function that does the work. When they run by the clock is in
`helpdesk.celery_schedule`; nudges after a commit start them sooner.

None retries through Celery: what there is to do stands in the database, so the next tick is the retry, and a task
that runs twice or not at all does no harm.
"""

import logging
from datetime import timedelta

from celery import shared_task
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from tickets import attachments
from tickets.lists import presence
from tickets.workflow import sweeps

from . import delivery
from .models import DemoMail, Heartbeat, OutgoingEmail
from .nudge import nudge

logger = logging.getLogger(__name__)

DRAIN_SOFT_LIMIT = 40
DRAIN_HARD_LIMIT = 50  # seconds; below delivery.LEASE
SWEEP_SOFT_LIMIT = 50
SWEEP_HARD_LIMIT = 60
CLEAN_UP_SOFT_LIMIT = 240
CLEAN_UP_HARD_LIMIT = 270

THUMBNAILS_AT_ONCE = 20
THUMBNAIL_FOR = timedelta(days=1)
"""How long an image without a thumbnail is tried again: one that cannot be drawn is let go after a day."""
MAIL_KEPT_FOR = timedelta(days=180)
"""What became of a mail stays on its ticket; the outbox forgets it."""
DEMO_MAILS_KEPT = 2000


@shared_task(soft_time_limit=DRAIN_SOFT_LIMIT, time_limit=DRAIN_HARD_LIMIT)
def drain_outbox() -> None:
    delivery.drain()


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def sweep_outbox() -> None:
    """Mails of workers that died."""
    if count := delivery.sweep():
        logger.warning("took back %d mails of a worker that has gone", count)
        nudge("drain_outbox")


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def sweep_clocks() -> None:
    sweeps.breach_overdue()


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def sweep_silence() -> None:
    sweeps.act_on_silence()


@shared_task
def heartbeat() -> None:
    """Proof that scheduler, broker and worker are alive, for /readyz."""
    Heartbeat.objects.update_or_create(name="scheduler", defaults={"at": timezone.now()})


@shared_task
def draw_thumbnails() -> None:
    """The small pictures of images that arrived lately. A worker's memory limit bounds what a picture can cost."""
    recent = attachments.without_thumbnail().filter(created_at__gte=timezone.now() - THUMBNAIL_FOR)
    for attachment in recent.order_by("-pk")[:THUMBNAILS_AT_ONCE]:
        try:
            attachments.draw_thumbnail(attachment)
        except Exception:  # whatever a store raises: the others have their turn
            logger.exception("no small picture of attachment %s", attachment.pk)


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def scan_held_files() -> None:
    attachments.scan_held()


@shared_task(soft_time_limit=CLEAN_UP_SOFT_LIMIT, time_limit=CLEAN_UP_HARD_LIMIT)
def clean_up() -> None:
    """Delete what has expired. Each step stands alone: one that fails must not keep the others from their turn."""
    for step in (
        sweeps.forget_expired_tokens,
        attachments.discard_old_drafts,
        presence.forget_absent,
        forget_old_mail,
        forget_old_demo_mail,
        forget_expired_sessions,
    ):
        try:
            step()
        except Exception:
            logger.exception("clean-up: %s failed", step.__name__)


def forget_old_mail() -> None:
    sweeps.forget(old_mail())


def old_mail() -> "QuerySet[OutgoingEmail]":
    return OutgoingEmail.objects.settled().filter(created_at__lt=timezone.now() - MAIL_KEPT_FOR)


def forget_old_demo_mail() -> None:
    kept = DemoMail.objects.values_list("pk", flat=True)[DEMO_MAILS_KEPT : DEMO_MAILS_KEPT + 1]
    if oldest := list(kept):
        DemoMail.objects.filter(pk__lte=oldest[0]).delete()


def forget_expired_sessions() -> None:
    sweeps.forget(Session.objects.filter(expire_date__lt=timezone.now()))
