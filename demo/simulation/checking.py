"""Compare what a simulation has left with what must be true."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count

from notifications.enums import MailState
from notifications.models import OutgoingEmail
from tickets.enums import TargetUnit
from tickets.facts import verifying
from tickets.facts.verifying import Finding
from tickets.models import CalendarVersion, Clock, Ticket

from .mailing import CountingServer

MINUTE = timedelta(minutes=1)
LAST_SECOND = time(23, 59, 59)


def findings() -> Iterator[Finding]:
    """Check each ticket's stage and events, each clock, each mail, and the stays and daily counts."""
    yield from _tickets()
    yield from _clocks()
    yield from _mails()
    yield from verifying.verify()


def _tickets() -> Iterator[Finding]:
    for ticket in Ticket.objects.prefetch_related("events", "breaches").iterator(chunk_size=200):
        stage = ticket.definition.find_stage(ticket.stage)
        versions = sorted(event.version for event in ticket.events.all())
        is_legal = (
            stage is not None
            and ticket.stage_kind == stage.kind
            and ticket.public_state == stage.kind.meta.public_state
            and (ticket.closed_at is not None) is stage.is_end
            and versions == list(range(1, ticket.version + 1))
        )
        yield Finding(f"stage of {ticket.folio}", is_legal)
        told = {(event.data["clock"], event.at) for event in ticket.events.all() if event.kind == "breached"}
        kept = {(breach.kind, breach.due_at) for breach in ticket.breaches.all()}
        yield Finding(f"breaches of {ticket.folio}", told <= kept)


def _clocks() -> Iterator[Finding]:
    _offices.clear()
    clocks = Clock.objects.select_related("ticket", "calendar_version").prefetch_related("pauses")
    for clock in clocks.iterator(chunk_size=200):
        is_right = abs(clock.due_at - oracle(clock)) <= MINUTE
        late = clock.stopped_at is not None and clock.stopped_at >= clock.due_at
        if late and clock.paused_at is None:
            is_right = is_right and clock.breached_at is not None
        yield Finding(f"clock {clock.kind} of {clock.ticket.folio}", is_right)


def oracle(clock: Clock) -> datetime:
    """Return when the clock is due, by taking time away bit by bit: minute by minute in opening hours, day by day in
    days. It reads the rules of the clock's calendar itself, and uses nothing of `tickets.calendars`. A pause that has
    not ended postpones nothing yet."""
    pauses = sorted(
        (max(pause.started_at, clock.started_at), pause.ended_at)
        for pause in clock.pauses.all()
        if pause.ended_at > clock.started_at
    )
    if clock.unit == TargetUnit.ELAPSED or clock.calendar_version is None:
        return _day_and_night(clock, pauses)
    office = _office(clock.calendar_version)
    if clock.unit == TargetUnit.WORKING:
        return _minute_by_minute(clock, pauses, office)
    return _day_by_day(clock, pauses, office)


class _Office:
    """Answers from the rules of a calendar, as they are stored, when it is open."""

    def __init__(self, rules: dict[str, Any]) -> None:
        self.zone = ZoneInfo(rules["zone"])
        self.week = [
            rules["week"].get(name, []) for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        ]
        self.days = {day["date"]: day["hours"] for day in rules["days"]}
        self.closures = [(closure["from"], closure["until"]) for closure in rules["closures"]]
        self.known: dict[datetime, bool] = {}

    def is_open(self, moment: datetime) -> bool:
        minute = moment.replace(second=0, microsecond=0)
        if minute not in self.known:
            local = minute.astimezone(self.zone)
            wall, time = f"{local:%Y-%m-%dT%H:%M}", f"{local:%H:%M}"
            is_closed = any(begin <= wall < end for begin, end in self.closures)
            is_within = any(begin <= time < end for begin, end in self.hours(local.date()))
            self.known[minute] = is_within and not is_closed
        return self.known[minute]

    def hours(self, day: date) -> list[list[str]]:
        found: list[list[str]] = self.days.get(day.isoformat(), self.week[day.weekday()])
        return found


_offices: dict[int, _Office] = {}


def _office(version: CalendarVersion) -> _Office:
    return _offices.setdefault(version.pk, _Office(version.rules))


def _day_and_night(clock: Clock, pauses: list[tuple[datetime, datetime]]) -> datetime:
    moment, left = clock.started_at, clock.target
    for begin, end in pauses:
        if begin - moment >= left:
            break
        left -= max(begin - moment, timedelta())
        moment = max(moment, end)
    return moment + left


def _minute_by_minute(clock: Clock, pauses: list[tuple[datetime, datetime]], office: _Office) -> datetime:
    moment, left = clock.started_at, clock.target
    while left > timedelta():
        if until := max((end for begin, end in pauses if begin <= moment < end), default=None):
            moment = until
            continue
        minute = moment.replace(second=0, microsecond=0) + MINUTE
        edge = min([minute, *(begin for begin, _end in pauses if begin > moment)])
        if office.is_open(moment):
            if edge - moment >= left:
                return moment + left
            left -= edge - moment
        moment = edge
    return moment


def _day_by_day(clock: Clock, pauses: list[tuple[datetime, datetime]], office: _Office) -> datetime:
    day, left = clock.started_at.astimezone(office.zone).date(), clock.target.days
    while True:
        day += timedelta(days=1)
        end = datetime.combine(day, LAST_SECOND, office.zone)
        works = bool(office.hours(day))
        if clock.unit != TargetUnit.WORKING_DAYS or works:
            left -= not any(begin <= end < until for begin, until in pauses)
        if left <= 0 and (works or clock.unit != TargetUnit.ROLLED_DAYS):
            return end


def _mails() -> Iterator[Finding]:
    sent = OutgoingEmail.objects.filter(state=MailState.SENT).values_list("message_id", flat=True)
    for message_id in sent.iterator():
        yield Finding(f"mail {message_id} once", CountingServer.got[message_id] == 1)
    waiting = OutgoingEmail.objects.filter(state=MailState.QUEUED).count()
    yield Finding(f"{waiting} mails are left", waiting == 0)
    twice = OutgoingEmail.objects.values("event", "recipient", "template").annotate(n=Count("*"))
    yield Finding("no mail is written twice", not twice.filter(n__gt=1, event__isnull=False).exists())
    unknown = set(CountingServer.got) - set(sent)
    yield Finding(f"{len(unknown)} mails were sent and are not on record", not unknown)
