"""Put a change into force: the next version of the calendar or policy, and the clocks counted again under it.

Tickets are taken a few at a time, and those that somebody is changing are left for later, so that no writer waits. What
is written touches neither the version nor `updated_at` of a ticket and sends no mail: nothing happened to it.
`DueChange` keeps what moved.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import User
from content.errors import DeskError

from .. import clocks, notices
from ..enums import ChangeState
from ..models import Calendar, Clock, ScheduleChange, Ticket
from ..models.schedule_change import DueChange
from ..record import breaches
from ..record.days import mark
from ..record.locking import locked, locked_if_free
from ..workflow.perform import record_breaches
from .counting import Recount, TicketRecount, moved, plans_of, recounts, tally_of
from .proposing import StaleSchedule, require_supervisor
from .versions import is_stale, locked_subject, save_calendar_version, save_policy_version


class StillAtWork(DeskError):
    """An earlier change of the calendar has not been applied to all clocks yet."""

    default = gettext_lazy(
        "Todavía recalculamos el cambio anterior de este calendario. Espera a que termine."
    )


@transaction.atomic
def confirm(change: ScheduleChange, *, actor: User) -> ScheduleChange:
    """Make the draft the next version of its calendar, or of its process's policy. From now on tickets are promised
    under it; `apply_next` moves the clocks that run. A change confirmed twice becomes one version.

    Raises `NotAllowed`, `StaleSchedule` or `StillAtWork`.
    """
    require_supervisor(actor)
    subject = locked_subject(change)
    change = ScheduleChange.objects.select_for_update().get(pk=change.pk)
    if change.state in (ChangeState.APPLYING, ChangeState.APPLIED):
        return change
    if change.state != ChangeState.DRAFT or is_stale(change, subject):
        raise StaleSchedule
    if subject.changes.filter(state=ChangeState.APPLYING).exists():
        raise StillAtWork
    if isinstance(subject, Calendar):
        change.version = save_calendar_version(subject, change.rules, author=actor)
    else:
        change.policy = save_policy_version(subject, change.rules, author=actor)
    change.author = actor
    change.state, change.applied_at, change.finished_at = ChangeState.APPLYING, timezone.now(), None
    change.cursor, change.total, change.tally = 0, None, {}
    change.save()
    return change


def apply_next(change: ScheduleChange, tickets: list[int], *, now: datetime) -> dict[str, int]:
    """Recompute the clocks of those tickets that nobody else has locked, and return their figures. Runs inside the
    transaction that locked `change`."""
    free = locked_if_free(tickets)
    for pk in _late_and_unrecorded(free, now=now):  # what happened before the change stays on record
        record_breaches(locked(Ticket(pk=pk)), now=now)
        free |= locked_if_free([pk])
    found = recounts(free, plans_of(change), now)
    _write(change, found, now=now)
    return tally_of(found)


def _late_and_unrecorded(tickets: dict[int, Ticket], *, now: datetime) -> list[int]:
    late = Clock.objects.filter(
        ticket__in=tickets, breached_at__isnull=True, stopped_at__isnull=True, due_at__lte=now
    )
    return [clock.ticket_id for clock in late if clock.has_run_out(now)]


def _write(change: ScheduleChange, found: list[TicketRecount], *, now: datetime) -> None:
    change.dues.filter(ticket__in=[each.ticket for each in found]).delete()  # what the draft had counted
    DueChange.objects.bulk_create([each.as_row(change, is_applied=True) for each in moved(found)])
    breaches.clear([each.broken_before for each in _all(found) if each.is_cleared], now=now)
    breaches.keep_all([each.broken_now for each in _all(found) if each.is_breached])
    for of_ticket in found:
        for each in of_ticket.recounts:
            clock = each.clock
            clock.target, clock.unit, clock.due_at = each.target, each.plan.target.unit, each.due_at
            clock.calendar_version_id = each.plan.version_id
            if change.policy_id:
                clock.policy_version_id = change.policy_id
            if each.is_cleared:
                clock.breached_at = None
            elif each.is_breached:
                clock.breached_at = each.due_at
            if each.is_moved:
                notices.arm(clock, of_ticket.ticket, clock.intervals(), now=now, anew=True)
        ticket = of_ticket.ticket
        clocks.copy_due_dates(ticket, of_ticket.clocks)
        ticket.is_escalated = (ticket.is_escalated and not of_ticket.is_released) or of_ticket.is_raised
    judged = [each for each in _all(found) if each.is_cleared or each.is_breached]
    mark({each.before for each in judged} | {each.due_at for each in judged})
    changed = [each.clock for each in _all(found)]
    Clock.objects.bulk_update(
        changed,
        [
            *("calendar_version", "policy_version", "target", "unit"),
            *("due_at", "breached_at", "warn_at", "warned"),
        ],
    )
    Ticket.objects.bulk_update(
        [each.ticket for each in found if any(one.is_moved for one in each.recounts)],
        ["due_at", "first_response_due_at", "due_order", "is_escalated"],
    )


def _all(found: Iterable[TicketRecount]) -> Iterator[Recount]:
    return (each for of_ticket in found for each in of_ticket.recounts)
