"""Hold all mail after a restore, and release it (docs/decisions/0028-a-backup-is-a-folder.md).

`OutgoingEmailQuerySet.due` honours the hold: every worker takes its mails from there.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from tickets.enums import DeliveryProblem, DeliveryState
from tickets.record import deliveries

from ..enums import MailState
from ..models import MailHold, OutgoingEmail
from ..nudge import nudge_on_commit
from .outbox import DRAIN

logger = logging.getLogger(__name__)

COUNTED = 10_000
"""`held_mail` counts no further. More is «many», and counting must cost little."""
DISCARDED_AT_ONCE = 500


@dataclass(frozen=True)
class HeldMail:
    """The mails that a hold keeps back: `waiting` in all, of which `old` waited already when the backup was made. If
    the original desk went on after the backup, it has sent these, and their recipients would get them twice."""

    since: datetime
    backup_at: datetime
    waiting: int
    old: int


def held_mail() -> HeldMail | None:
    """Return what the hold keeps back, or None while mail leaves as usual."""
    hold = MailHold.objects.order_by("-backup_at").first()
    if hold is None:
        return None
    waiting = OutgoingEmail.objects.queued()
    return HeldMail(
        since=hold.since,
        backup_at=hold.backup_at,
        waiting=waiting.values("pk")[:COUNTED].count(),
        old=waiting.filter(created_at__lte=hold.backup_at).values("pk")[:COUNTED].count(),
    )


def hold(*, backup_at: datetime) -> None:
    """Hold all mail from now on. `backup_at` is the time at which the restored backup was made."""
    MailHold.objects.create(since=timezone.now(), backup_at=backup_at)


def release(*, discard_old: bool, by: str) -> int:
    """Let mail leave again. With `discard_old`, the mails that waited when the backup was made are not sent; they are
    marked so on their tickets. Returns how many were discarded. `by` names the person in the log."""
    held = held_mail()
    if held is None:
        return 0
    discarded = 0
    if discard_old:
        while count := _discard_some(held.backup_at):
            discarded += count
    with transaction.atomic():
        MailHold.objects.all().delete()
        nudge_on_commit(DRAIN)
    logger.warning("mail released by %s: %d waited, %d were discarded", by, held.waiting, discarded)
    return discarded


@transaction.atomic
def _discard_some(backup_at: datetime) -> int:
    """Mark up to `DISCARDED_AT_ONCE` of the old mails as not sent. Returns how many."""
    old = OutgoingEmail.objects.waiting().filter(created_at__lte=backup_at).select_for_update()
    rows = dict(old.order_by("pk").values_list("pk", "delivery_id")[:DISCARDED_AT_ONCE])
    OutgoingEmail.objects.filter(pk__in=rows).update(
        state=MailState.SUPPRESSED, claim=None, lease_until=None, **OutgoingEmail.SECRETS
    )
    for delivery in filter(None, rows.values()):
        deliveries.report(delivery, DeliveryState.WITHHELD, problem=DeliveryProblem.OUTDATED)
    return len(rows)
