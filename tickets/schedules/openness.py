"""Whether the desk is open, for the people who want to reach it: phone hours and extraordinary closures (S3.25)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max

from accounts.models import User

from ..calendars import CalendarRules
from ..calendars.rules import Closure
from ..enums import ClockKind
from ..models import Calendar, CalendarVersion, Clock, Ticket

AHEAD = timedelta(days=7)


@dataclass(frozen=True)
class Opening:
    """Whether a calendar is open at a moment, and until when that lasts; None if it always does."""

    is_open: bool
    until: datetime | None


@dataclass(frozen=True)
class ClosureAhead:
    """A closure that is in force or begins within a week. `reopens` is the first moment at which the desk is open
    again; `is_open_before` says whether it is open on that day until the closure begins. `versions` are the ids of the
    calendar versions in force that have it."""

    closure: Closure
    start: datetime
    reopens: datetime
    is_open_before: bool
    versions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Openness:
    """The hours of the phone, if a calendar was chosen for it, and the closures of all calendars."""

    phone: CalendarRules | None
    closures: tuple[ClosureAhead, ...]


def openness(now: datetime) -> Openness:
    """Return the desk's openness at `now`. Takes one query; the rules of each version stay in memory."""
    rows = list(Calendar.objects.filter(current__isnull=False).values_list("current_id", "answers_phone"))
    rules = CalendarVersion.objects.rules([pk for pk, _phone in rows if pk])
    phone = next((rules[pk] for pk, answers_phone in rows if pk and answers_phone), None)
    found: dict[Closure, ClosureAhead] = {}
    for pk, own in rules.items():
        for each in closures_ahead(own, now=now):
            known = found.setdefault(each.closure, each)
            found[each.closure] = replace(known, versions=(*known.versions, pk))
    return Openness(phone, tuple(sorted(found.values(), key=lambda each: each.start)))


def counted_for(requester: User, closures: Collection[ClosureAhead]) -> set[Closure]:
    """Return those of the closures that the dates of the requester's open tickets count: a date that runs out after the
    closure begins, by a calendar that has it. Takes one query, without closures none."""
    if not closures:
        return set()
    running = Clock.objects.filter(
        ticket__in=Ticket.objects.requested_by(requester).open(),
        kind__in=[ClockKind.FIRST_RESPONSE, ClockKind.RESOLUTION],
        stopped_at__isnull=True,
        calendar_version__in={pk for each in closures for pk in each.versions},
    )
    last = dict(running.values_list("calendar_version").annotate(last=Max("due_at")))
    return {
        each.closure for each in closures if any(pk in last and last[pk] > each.start for pk in each.versions)
    }


def opening(rules: CalendarRules, *, now: datetime) -> Opening:
    """Return whether the calendar is open at `now`."""
    if rules.always:
        return Opening(is_open=True, until=None)
    hours = rules.working_hours()
    if not hours.is_open(now):
        return Opening(is_open=False, until=hours.next_open(now))
    part = next(iter(hours.parts(now, now + timedelta(days=8))))
    return Opening(is_open=True, until=part.end if part.end < now + timedelta(days=8) else None)


def closures_ahead(rules: CalendarRules, *, now: datetime) -> Iterator[ClosureAhead]:
    if rules.always:
        return
    zone, hours = ZoneInfo(rules.zone), None
    wall = now.astimezone(zone).replace(tzinfo=None)
    for closure in rules.closures:
        if not wall - timedelta(days=366) < closure.start < wall + AHEAD:
            continue
        hours = hours or rules.working_hours()
        start = closure.start.replace(tzinfo=zone)
        reopens = hours.next_open(start)
        if now < reopens:
            midnight = datetime.combine(closure.start.date(), datetime.min.time(), zone)
            is_open_before = hours.between(midnight, start) > timedelta()
            yield ClosureAhead(closure, start, reopens, is_open_before)
