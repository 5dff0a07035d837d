"""Goes on with changes in batches: counts what drafts would do, and recomputes clocks for those that were confirmed.

The page that asks for it does the first batch, and the scheduler the rest, so that a small desk need not wait.
"""

from datetime import datetime, timedelta
from time import monotonic

from django.db import connection, transaction
from django.utils import timezone

from ..enums import ChangeState
from ..models import ScheduleChange
from ..models.schedule_change import DueChange
from .applying import apply_next
from .counting import clocks_of, moved, plans_of, read_tickets, recounts, tally_of, tickets_of

RELATED = ("calendar", "process", "base", "base_policy", "version", "policy", "author")
COUNTED_AT_ONCE = 200
APPLIED_AT_ONCE = 40
SECONDS = 20
STRAGGLERS = timedelta(minutes=15)
"""How long after a change is applied the job looks for tickets that were being filed under the hours before."""


def go_on(change: ScheduleChange, *, seconds: float = 0) -> ScheduleChange:
    """Do one batch of the change, and further ones while there is time. Returns the change as it is then."""
    until = monotonic() + seconds
    while _batch(change.pk) and monotonic() < until:
        pass
    return ScheduleChange.objects.select_related(*RELATED).get(pk=change.pk)


def go_on_with_all() -> int:
    """Go on with every change that is at work, the earliest first, for `SECONDS`. Returns how many there were."""
    until, count = monotonic() + SECONDS, 0
    at_work = ScheduleChange.objects.filter(
        finished_at__isnull=True, state__in=[ChangeState.DRAFT, ChangeState.APPLYING]
    )
    for change in at_work.order_by("id")[:50]:
        go_on(change, seconds=max(0.0, until - monotonic()))
        count += 1
    for change in ScheduleChange.objects.filter(
        state=ChangeState.APPLIED, finished_at__gt=timezone.now() - STRAGGLERS
    ).select_related("version", "policy"):
        if clocks_of(change).exists():
            ScheduleChange.objects.filter(pk=change.pk).update(
                state=ChangeState.APPLYING, finished_at=None, cursor=0
            )
            go_on(change, seconds=max(0.0, until - monotonic()))
    return count


@transaction.atomic
def _batch(pk: int) -> bool:
    """Do one batch under the lock of the change's row. Returns whether there is more to do; also False if another
    process holds the lock."""
    rows = ScheduleChange.objects.select_for_update(
        of=("self",), skip_locked=connection.features.has_select_for_update_skip_locked
    )
    change = rows.select_related("version", "policy").filter(pk=pk).first()
    if change is None or not change.is_at_work:
        return False
    is_draft, now = change.state == ChangeState.DRAFT, timezone.now()
    limit = COUNTED_AT_ONCE if is_draft else APPLIED_AT_ONCE
    tickets = tickets_of(change, limit)
    if change.total is None and len(tickets) == limit:
        change.total = clocks_of(change).count()
    tally = _count(change, tickets, now=now) if is_draft else apply_next(change, tickets, now=now)
    change.tally = {key: change.tally.get(key, 0) + value for key, value in tally.items()}
    change.cursor = tickets[-1] if tickets else 0
    if len(tickets) < limit:
        _finish(change)
    change.save(update_fields=["tally", "cursor", "total", "finished_at", "state"])
    return change.is_at_work and bool(tickets)


def _count(change: ScheduleChange, tickets: list[int], *, now: datetime) -> dict[str, int]:
    found = recounts(read_tickets(tickets), plans_of(change), now)
    DueChange.objects.bulk_create([each.as_row(change, is_applied=False) for each in moved(found)])
    return tally_of(found)


def _finish(change: ScheduleChange) -> None:
    """End the counting or, if no clock is left under earlier hours, the recomputing. Tickets that somebody was changing
    are taken in another round."""
    change.cursor = 0
    if change.state == ChangeState.APPLYING:
        if clocks_of(change).exists():
            return
        change.dues.filter(is_applied=False).delete()  # clocks that stopped between counting and saving
        change.state = ChangeState.APPLIED
    change.total = change.tally.get("done", 0)
    change.finished_at = timezone.now()
