"""Mark the days whose counts a change of a ticket makes old, so that a job counts them again."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from ..models import Breach, DailyCounts, DirtyDay, Nonconformity, StageVisit, Survey, Ticket

MOMENTS = ("created_at", "first_response_at", "closed_at", "due_at", "first_response_due_at")
"""The columns of a ticket that say on which days it is counted. A promise breaks on the day when it is due."""
TOLD_APART = frozenset(
    {
        *("assignee_id", "department_id", "category_id", "severity", "requester_id"),
        *("is_test", "duplicate_of_id"),
    }
)
"""The columns that say among which tickets it is counted, and whether it is."""


def day_of(moment: datetime) -> date:
    """Return the day on which the moment falls where the desk is."""
    return moment.astimezone(ZoneInfo(settings.DESK_TIME_ZONE)).date()


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the two midnights, where the desk is, between which the day lies."""
    zone = ZoneInfo(settings.DESK_TIME_ZONE)
    following = day + timedelta(days=1)
    return datetime.combine(day, time(), zone), datetime.combine(following, time(), zone)


def mark_changed(ticket: Ticket, *, before: Mapping[str, Any] | None) -> None:
    """Mark today and the days on which the ticket counts and, by its columns `before` the change, has counted.

    If it is told apart by something else now, also the days of its surveys, nonconformities, stays and breaches. Two
    queries at most.
    """
    moments = {timezone.now(), *_moments(vars(ticket)), *_moments(before or {})}
    if before is not None and any(before[name] != getattr(ticket, name) for name in TOLD_APART):
        moments.update(_of_its_rows([ticket.pk]))
    mark(moments)


def mark_tickets(tickets: Collection[Ticket]) -> None:
    """Mark all days on which the tickets count. Two queries."""
    columns = {moment for ticket in tickets for moment in _moments(vars(ticket))}
    mark(columns | _of_its_rows([ticket.pk for ticket in tickets]))


def mark(moments: Iterable[datetime]) -> None:
    """Mark the days of these moments that are not ahead. One query."""
    today = day_of(timezone.now())
    days = sorted({day for moment in moments if (day := day_of(moment)) <= today})
    DirtyDay.objects.bulk_create([DirtyDay(day=day) for day in days])


def days_of(ticket: Ticket) -> set[date]:
    """Return the days on which the ticket counts. One query."""
    return {day_of(moment) for moment in {*_moments(vars(ticket)), *_of_its_rows([ticket.pk])}}


def freeze(days: Collection[date]) -> None:
    """Keep the stored counts of these days as they are, because retention deletes what they were counted from."""
    DailyCounts.objects.filter(day__in=days).update(is_frozen=True)


def _moments(columns: Mapping[str, Any]) -> set[datetime]:
    return {columns[name] for name in MOMENTS if columns.get(name) is not None}


def _of_its_rows(tickets: Collection[int]) -> set[datetime]:
    left = StageVisit.objects.filter(ticket__in=tickets).order_by().values_list("left_at", flat=True)
    return set(
        left.union(
            Nonconformity.objects.filter(ticket__in=tickets).order_by().values_list("opened_at", flat=True),
            Survey.objects.filter(ticket__in=tickets).order_by().values_list("answered_at", flat=True),
            Breach.objects.filter(ticket__in=tickets).order_by().values_list("due_at", flat=True),
        )
    )
