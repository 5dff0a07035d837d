"""Notices of running clocks: a warning to the desk before a promise runs out, and news to the requester (S0.21)."""

from datetime import datetime

from django.utils.translation import override

from .. import clocks, notices
from ..actors import System
from ..enums import ClockKind, EventKind, MessageKind, Template
from ..models import Clock, Ticket
from ..models.clock import NOTICE_AHEAD
from ..record.events import record
from ..record.messages import write_message
from . import progress
from .perform import record_earlier_breaches


def give_notices(ticket: Ticket, *, now: datetime) -> int:
    """Give the notices that the clocks of the locked ticket ask for. Returns how many were sent.

    Each clock is asked again first: a pause may have moved the moment, and then the clock waits for the new one.
    """
    record_earlier_breaches(ticket, now=now)
    due = ticket.clocks.filter(NOTICE_AHEAD, warn_at__lte=now).prefetch_related("pauses")
    return sum(_give(clock, ticket, now=now) for clock in due)


def _give(clock: Clock, ticket: Ticket, *, now: datetime) -> bool:
    notices.arm(clock, ticket, clock.intervals(), now=now)
    if clock.warn_at is None or clock.warn_at > now:
        clock.save(update_fields=["warn_at"])
        return False
    if clock.kind == ClockKind.PROGRESS:
        return _tell_requester(clock, ticket, now=now)
    return _warn(clock, ticket, now=now)


def _warn(clock: Clock, ticket: Ticket, *, now: datetime) -> bool:
    """Warn the assignee at the first threshold and those in charge of the department at the second, each once. Of two
    that passed together, both are told at once. A promise that has run out gets no warning: its breach is told."""
    addressees: list[str] = []
    while clock.warn_at is not None and clock.warn_at <= now:
        clock.warned += 1
        if notices.thresholds(ticket)[clock.warned - 1]:
            addressees.append("assignee" if clock.warned == 1 else "managers")
        clock.warn_at = notices.next_notice(clock, ticket, clock.intervals(), now=now)
    if clock.has_run_out(now):
        clock.warn_at = None
        addressees = []
    clock.save(update_fields=["warn_at", "warned"])
    if not addressees:
        return False
    record(
        ticket,
        EventKind.WARNED,
        actor=System("deadline_near"),
        public=False,
        data={"clock": clock.kind, "due_at": clock.due_at, "percent": _percent(clock, now=now)},
        notify=[(who, Template.WARNED) for who in addressees],
    )
    return True


def _percent(clock: Clock, *, now: datetime) -> int:
    return 100 - clocks.status(clock, now=now).percent


def _tell_requester(clock: Clock, ticket: Ticket, *, now: datetime) -> bool:
    """Write how the case stands, as news but not as an answer (S0.21). Returns whether it was written.

    Tests and duplicates get no such message. A ticket whose requester was asked for something waits another span.
    """
    if not ticket.is_open or ticket.is_test or ticket.duplicate_of_id is not None:
        clock.warn_at = None
    elif ticket.awaits_contribution or ticket.awaits_requester:
        clock.warn_at = notices.talking_time(clock, clock.counting.add(now, clock.target))
    else:
        with override(ticket.requester_language):
            body = progress.news(ticket, now=now)
        message = write_message(
            ticket, MessageKind.FOLLOW_UP, author=System("progress"), body=body, at=now, answers=False
        )
        clocks.desk_was_reported(ticket, now=now)
        record(
            ticket,
            EventKind.MESSAGE,
            actor=System("progress"),
            public=True,
            data={"automatic": True},
            message=message,
            notify=[("requester", Template.STATUS_UPDATE)],
            at=now,
        )
        return True
    clock.save(update_fields=["warn_at"])
    return False
