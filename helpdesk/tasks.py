"""Celery tasks of periodic work: they call the domain, store the heartbeat and delete expired rows. Their schedule is
in `helpdesk.celery_schedule`.

They do not use Celery's retries. All work is stored in the database, so the next scheduled run is the retry, and a
task that runs twice or not at all does no harm.
"""

import logging

from celery import shared_task
from django.apps import apps
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import app_links
from agents import exports
from content.batches import delete_in_batches
from knowledge import deflections
from knowledge import files as article_files
from knowledge.suggestions import patterns
from notifications.outgoing import outbox
from tickets import attachments, chats, drafts, stored_files
from tickets.facts import counting
from tickets.lists import presence
from tickets.requesters import guests
from tickets.schedules import job, proposing
from tickets.search import indexing
from tickets.workflow import mails, retention, sweeps

from . import csp_reports, mailed_reports
from .files_stay import why_files_stay
from .models import Heartbeat

logger = logging.getLogger(__name__)

SWEEP_SOFT_LIMIT = 50
SWEEP_HARD_LIMIT = 60
EXPORT_SOFT_LIMIT = 1500
EXPORT_HARD_LIMIT = 1560
CLEAN_UP_SOFT_LIMIT = 240
CLEAN_UP_HARD_LIMIT = 270

DRAW_THUMBNAILS = "helpdesk.tasks.draw_thumbnails"
MAIL_LINKS = "helpdesk.tasks.mail_links"


class CleanUpFailed(Exception):
    """Steps of the clean-up failed, which the message names."""


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def sweep_clocks() -> None:
    sweeps.breach_overdue()
    sweeps.give_notice()


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def sweep_silence() -> None:
    sweeps.act_on_silence()


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def recompute_clocks() -> None:
    """Go on with changes of calendars: count what drafts would do, and recompute the clocks of confirmed ones."""
    job.go_on_with_all()


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def count_days() -> None:
    """Count the days whose tickets have changed, for reports."""
    counting.count_dirty()


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def index_texts() -> None:
    """Write the words of the tickets whose texts have changed, so that a search finds them."""
    indexing.index_changed()


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def mail_links() -> None:
    """Mail the new links to their tickets that guests have asked for."""
    guests.send_asked()


@shared_task(soft_time_limit=EXPORT_SOFT_LIMIT, time_limit=EXPORT_HARD_LIMIT)
def write_exports() -> None:
    """Write the files that people have asked for."""
    exports.write_waiting()


@shared_task(soft_time_limit=CLEAN_UP_SOFT_LIMIT, time_limit=CLEAN_UP_HARD_LIMIT)
def mail_reports() -> None:
    """Mail the reports that are due."""
    mailed_reports.send_due()


@shared_task
def heartbeat() -> None:
    """Store the current time for /readyz. It proves that scheduler, broker and worker are alive."""
    Heartbeat.objects.update_or_create(name="scheduler", defaults={"at": timezone.now()})


@shared_task
def draw_thumbnails() -> None:
    """Draw missing thumbnails. A worker does it, not a web server, because it takes seconds."""
    attachments.draw_missing_thumbnails()


@shared_task(soft_time_limit=SWEEP_SOFT_LIMIT, time_limit=SWEEP_HARD_LIMIT)
def scan_held_files() -> None:
    attachments.scan_held()
    article_files.scan_held()


@shared_task(soft_time_limit=CLEAN_UP_SOFT_LIMIT, time_limit=CLEAN_UP_HARD_LIMIT)
def refresh_suggestions() -> None:
    """Decide which tickets an answer has made unnecessary, and find the solutions that repeat."""
    deflections.settle()
    patterns.refresh()


@shared_task(soft_time_limit=CLEAN_UP_SOFT_LIMIT, time_limit=CLEAN_UP_HARD_LIMIT)
def clean_up() -> None:
    """Delete expired rows and files. If a step fails, the others still run; then this raises `CleanUpFailed`."""
    failed = []
    for step in (
        sweeps.forget_expired_tokens,
        discard_old_files,
        delete_expired_tickets,
        drafts.forget_old_drafts,
        chats.forget_old_chats,
        presence.forget_absent,
        app_links.forget_used,
        proposing.forget_old_drafts,
        outbox.forget_old_mail,
        mails.forget_old,
        deflections.forget_old,
        csp_reports.forget_old,
        exports.forget_old,
        delete_old_demo_mail,
        delete_expired_sessions,
        delete_files_without_rows,  # the last one: it asks the store, which may be slow
    ):
        try:
            step()
        except Exception:
            logger.exception("clean-up: %s failed", step.__name__)
            failed.append(step.__name__)
    if failed:
        raise CleanUpFailed(", ".join(failed))


def discard_old_files() -> None:
    """Delete files that were never sent."""
    if not why_files_stay():
        attachments.discard_old_drafts()
        article_files.discard_unfinished()


def delete_expired_tickets() -> None:
    """Delete what the processes no longer keep."""
    if not why_files_stay() and (failed := retention.sweep().failed):
        raise CleanUpFailed(f"{failed} tickets cannot be deleted")


def delete_files_without_rows() -> None:
    if not why_files_stay():
        stored_files.sweep()


def delete_old_demo_mail() -> None:
    if apps.is_installed("demo"):  # not in production
        apps.get_model("demo", "DemoMail").objects.delete_all_but_newest()


def delete_expired_sessions() -> None:
    delete_in_batches(Session.objects.filter(expire_date__lt=timezone.now()))
