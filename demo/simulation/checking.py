"""Compare what a simulation has left with what must be true."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count

from notifications.enums import MailState
from notifications.models import OutgoingEmail
from tickets.calendars import ELAPSED
from tickets.enums import TargetUnit
from tickets.facts import verifying
from tickets.facts.verifying import Finding
from tickets.models import Clock, Ticket
from tickets.sla import FAR_FUTURE

from .mailing import CountingServer

MINUTE = timedelta(minutes=1)


def findings() -> Iterator[Finding]:
    """Check each ticket's stage and events, each clock, each mail, and the stays and daily counts."""
    yield from _tickets()
    yield from _clocks()
    yield from _mails()
    yield from verifying.verify()


def _tickets() -> Iterator[Finding]:
    for ticket in Ticket.objects.prefetch_related("events").iterator(chunk_size=200):
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


def _clocks() -> Iterator[Finding]:
    clocks = Clock.objects.select_related("ticket").prefetch_related("pauses")
    for clock in clocks.iterator(chunk_size=200):
        is_right = abs(clock.due_at - oracle(clock)) <= MINUTE
        late = clock.stopped_at is not None and clock.stopped_at >= clock.due_at
        if late and clock.paused_at is None:
            is_right = is_right and clock.breached_at is not None
        yield Finding(f"clock {clock.kind} of {clock.ticket.folio}", is_right)


def oracle(clock: Clock) -> datetime:
    """Return when the clock is due, by taking time away bit by bit. Elapsed time is summed; opening hours are walked
    minute by minute."""
    pauses = sorted(
        (max(pause.started_at, clock.started_at), pause.ended_at)
        for pause in clock.pauses.all()
        if pause.ended_at > clock.started_at
    )
    if clock.paused_at is not None:
        pauses.append((clock.paused_at, FAR_FUTURE))
    if clock.unit == TargetUnit.ELAPSED:
        return _without_hours(clock.started_at, clock.target, pauses)
    return _minute_by_minute(clock, pauses)


def _without_hours(start: datetime, target: timedelta, pauses: list[tuple[datetime, datetime]]) -> datetime:
    moment, left = start, target
    for begin, end in pauses:
        if begin - moment >= left:
            break
        left -= max(begin - moment, timedelta())
        if end == FAR_FUTURE:
            return begin + left
        moment = max(moment, end)
    return moment + left


def _minute_by_minute(clock: Clock, pauses: list[tuple[datetime, datetime]]) -> datetime:
    calendar = clock.counting
    if calendar is ELAPSED:
        return _without_hours(clock.started_at, clock.target, pauses)
    moment, left = clock.started_at, clock.target
    while left > timedelta():
        is_paused = any(begin <= moment < end for begin, end in pauses)
        if not is_paused:
            left -= calendar.between(moment, moment + MINUTE)
        moment += MINUTE
    return moment


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
