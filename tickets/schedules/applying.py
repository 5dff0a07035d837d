"""Put a change into force: the calendar's next version, and the clocks counted again under it.

Tickets are taken a few at a time, and those that somebody is changing are left for later, so that no writer waits. What
is written touches neither the version nor `updated_at` of a ticket and sends no mail: nothing happened to it.
`DueChange` keeps what moved.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import User
from content.errors import DeskError

from .. import clocks
from ..calendars import CalendarRules
from ..enums import ChangeState
from ..models import Calendar, CalendarVersion, Clock, ScheduleChange, Ticket
from ..models.schedule_change import DueChange
from ..record.locking import locked, locked_if_free
from ..workflow.perform import record_breaches
from .counting import TicketRecount, clocks_of, counting_of, moved, recounts, tally_of
from .proposing import StaleCalendar, require_supervisor


class StillAtWork(DeskError):
    """An earlier change of the calendar has not been applied to all clocks yet."""

    default = gettext_lazy(
        "Todavía recalculamos el cambio anterior de este calendario. Espera a que termine."
    )


@transaction.atomic
def confirm(change: ScheduleChange, *, actor: User) -> ScheduleChange:
    """Make the draft the calendar's next version. From now on tickets are promised under it; `apply_next` moves the
    clocks that run. A change confirmed twice becomes one version.

    Raises `NotAllowed`, `StaleCalendar` or `StillAtWork`.
    """
    require_supervisor(actor)
    calendar = Calendar.objects.select_for_update().get(pk=change.calendar_id)
    change = ScheduleChange.objects.select_for_update().get(pk=change.pk)
    if change.state in (ChangeState.APPLYING, ChangeState.APPLIED):
        return change
    if change.state != ChangeState.DRAFT or calendar.current_id != change.base_id:
        raise StaleCalendar
    if calendar.changes.filter(state=ChangeState.APPLYING).exists():
        raise StillAtWork
    number = max(calendar.versions.values_list("number", flat=True)) + 1
    calendar.current = change.version = CalendarVersion.objects.create(
        calendar=calendar, number=number, rules=change.rules, created_by=actor
    )
    calendar.save(update_fields=["current"])
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
    versions = set(clocks_of(change).filter(ticket__in=free).values_list("calendar_version", flat=True))
    counting = counting_of(CalendarRules.read(change.rules))
    found = recounts(free, {pk for pk in versions if pk}, counting, now)
    _write(change, found)
    return tally_of(found)


def _late_and_unrecorded(tickets: dict[int, Ticket], *, now: datetime) -> list[int]:
    late = Clock.objects.filter(
        ticket__in=tickets, breached_at__isnull=True, stopped_at__isnull=True, due_at__lte=now
    )
    return [clock.ticket_id for clock in late if clock.has_run_out(now)]


def _write(change: ScheduleChange, found: list[TicketRecount]) -> None:
    version = change.version
    change.dues.filter(ticket__in=[each.ticket for each in found]).delete()  # what the draft had counted
    DueChange.objects.bulk_create([each.as_row(change, is_applied=True) for each in moved(found)])
    for of_ticket in found:
        for each in of_ticket.recounts:
            clock = each.clock
            clock.calendar_version, clock.target, clock.due_at = version, each.target, each.due_at
            if each.is_cleared:
                clock.breached_at = None
            elif each.is_breached:
                clock.breached_at = each.due_at
        ticket = of_ticket.ticket
        clocks.copy_due_dates(ticket, of_ticket.clocks)
        ticket.is_escalated = (ticket.is_escalated and not of_ticket.is_released) or of_ticket.is_raised
    changed = [each.clock for of_ticket in found for each in of_ticket.recounts]
    Clock.objects.bulk_update(changed, ["calendar_version", "target", "due_at", "breached_at"])
    Ticket.objects.bulk_update(
        [each.ticket for each in found if any(one.is_moved for one in each.recounts)],
        ["due_at", "first_response_due_at", "due_order", "is_escalated"],
    )
