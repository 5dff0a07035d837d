"""Delete what a process no longer keeps: closed tickets, their files, what is known about their mails, their history.

Off unless a process file has `[retention]`. The days count from the last change after the end, and the current version
of the process decides for all its tickets, whatever version they were filed under: what must be deleted does not depend
on when a ticket was filed. A new version deletes nothing on its first day, so that a wrong number can be mended.

Never deleted: open tickets; tickets that another ticket names as its duplicate's survivor or its predecessor; tickets
on which somebody still waits for something (a reply after the end, a call, the review of a nonconformity, a mail).
"""

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import groupby
from time import monotonic

from django.db import models, transaction
from django.dispatch import Signal
from django.utils import timezone

from .. import attachments
from ..actors import SYSTEM
from ..definitions.definition import Retention
from ..enums import END_KINDS, DeliveryState, EventKind
from ..models import (
    Attachment,
    Delivery,
    IncomingEmail,
    MailOriginal,
    Message,
    Process,
    RetentionMark,
    Ticket,
    TicketEvent,
)
from ..record.days import days_of, freeze
from ..record.events import write_event
from ..record.locking import locked, save_changes

logger = logging.getLogger(__name__)

GRACE = timedelta(days=1)
EXAMINED_AT_ONCE = 500
CHANGED_AT_MOST = 200
SECONDS = 20.0
MARK = "retention"
ROWS: dict[str, type[models.Model]] = {"files": Attachment, "mails": Delivery, "events": TicketEvent}
PARTS = ("tickets", *ROWS)

mails_expired = Signal()
"""Sent with `ticket=`, inside the transaction, when what is known about the ticket's mails is deleted: the app that
sends mail must delete its rows too."""


@dataclass(frozen=True)
class Deleted:
    """How much a sweep has deleted: whole tickets, and parts of tickets that are kept. `failed` tickets are left for
    the next round."""

    tickets: int = 0
    files: int = 0
    mails: int = 0
    events: int = 0
    failed: int = 0

    def __add__(self, other: "Deleted") -> "Deleted":
        return Deleted(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) for f in fields(self))

    def __str__(self) -> str:
        return ", ".join(f"{f.name} {getattr(self, f.name)}" for f in fields(self))


@dataclass(frozen=True)
class Expired:
    """A ticket of which the parts in `parts` have reached their end."""

    pk: int
    folio: str
    process: int
    parts: frozenset[str]


# --- What has expired -------------------------------------------------------------------------------------


def policies(*, now: datetime) -> dict[int, Retention]:
    """Return the retention of each process that deletes something, by the process's id."""
    processes = Process.objects.filter(current__created_at__lte=now - GRACE).select_related("current")
    return {
        process.pk: process.definition.retention
        for process in processes
        if process.definition.retention.shortest
    }


def expired(kept: dict[int, Retention], *, after: int, now: datetime) -> Iterator[tuple[int, list[Expired]]]:
    """Yield the closed tickets behind `after` in the order of their ids, a chunk at a time: the last id looked at, and
    those of which something has expired and is still there."""
    while True:
        rows = list(
            Ticket.objects.filter(pk__gt=after)
            .order_by("pk")
            .values_list("pk", "folio", "process_version__process", "stage_kind", "closed_at", "updated_at")[
                :EXAMINED_AT_ONCE
            ]
        )
        if not rows:
            return
        after = rows[-1][0]
        ended = {
            pk: (folio, process, since)
            for pk, folio, process, kind, closed_at, updated_at in rows
            if kind in END_KINDS
            and closed_at is not None
            and process in kept
            and expired_parts(kept[process], since=(since := max(closed_at, updated_at)), now=now)
        }
        written = _last_written(ended)
        found = [
            Expired(pk, folio, process, parts)
            for pk, (folio, process, since) in ended.items()
            if (parts := expired_parts(kept[process], since=max(since, written.get(pk, since)), now=now))
        ]
        yield after, _with_something_left(found)


def expired_parts(retention: Retention, *, since: datetime, now: datetime) -> frozenset[str]:
    """Return which parts of a ticket that has not changed `since` are no longer kept: all, if the ticket is not."""
    gone = {
        part for part in PARTS if (days := getattr(retention, part)) and since < now - timedelta(days=days)
    }
    return frozenset(PARTS if "tickets" in gone else gone)


def _last_written(tickets: Collection[int]) -> dict[int, datetime]:
    """Return when somebody last wrote or did something on these tickets, by ticket. Internal notes and calls leave
    `Ticket.updated_at` as it is, because the requester does not see them."""
    last: dict[int, datetime] = {}
    events = TicketEvent.objects.exclude(kind=EventKind.FILES_EXPIRED)
    for rows, column in ((events, "at"), (Message.objects.all(), "created_at")):
        theirs = rows.filter(ticket__in=tickets).order_by().values_list("ticket")
        for ticket, at in theirs.annotate(last=models.Max(column)) if tickets else ():
            last[ticket] = max(at, last.get(ticket, at))
    return last


def _with_something_left(found: list[Expired]) -> list[Expired]:
    """Leave out the parts that an earlier sweep has deleted, and tickets of which nothing is left to delete."""
    ids = [ticket.pk for ticket in found]
    left = {"tickets": set(ids)} | {part: _having(part, ids) for part in ROWS}
    narrowed = [
        replace(ticket, parts=frozenset(part for part in ticket.parts if ticket.pk in left[part]))
        for ticket in found
    ]
    return [ticket for ticket in narrowed if ticket.parts]


def _having(part: str, ids: Collection[int]) -> set[int]:
    column = "event__ticket" if part == "mails" else "ticket"
    tables = [(ROWS[part]._default_manager.all(), column)]
    if part == "mails":
        tables += [
            (IncomingEmail.objects.filter(message=None), "ticket"),
            (MailOriginal.objects.all(), "mail__ticket"),
        ]
    found: set[int] = set()
    for rows, name in tables if ids else ():
        found.update(rows.filter(**{f"{name}__in": ids}).order_by().values_list(name, flat=True).distinct())
    return found


def is_needed(ticket: Ticket) -> bool:
    """Whether something forbids to delete this ticket or a part of it: it is open, another ticket names it, or somebody
    waits for something on it."""
    return (
        ticket.is_open
        or ticket.late_reply_at is not None
        or ticket.call_due_since is not None
        or ticket.nonconformities.filter(reviewed_at=None).exists()
        or Delivery.objects.filter(event__ticket=ticket, state=DeliveryState.WAITING).exists()
        or ticket.duplicates.exists()
        or ticket.followed_by.exists()
    )


# --- Deleting ---------------------------------------------------------------------------------------------


def sweep(*, limit: int = CHANGED_AT_MOST, seconds: float = SECONDS) -> Deleted:
    """Delete what has expired, of at most `limit` tickets. Stops after `seconds`, and goes on there in the next run.

    A ticket that fails is logged and left for the next round.
    """
    now, until = timezone.now(), monotonic() + seconds
    kept = policies(now=now)
    total, changed = Deleted(), 0
    if not kept:
        return total
    mark, _created = RetentionMark.objects.get_or_create(name=MARK)
    last = 0
    for last_looked_at, found in expired(kept, after=mark.ticket_id, now=now):
        last = last_looked_at
        for ticket in found:
            if changed >= limit or monotonic() >= until:
                last = ticket.pk - 1
                break
            deleted = _delete_safely(ticket, kept[ticket.process], now=now)
            changed += bool(deleted)
            total += deleted
        if changed >= limit or monotonic() >= until:
            break
    else:
        last = 0
    RetentionMark.objects.filter(name=MARK).update(ticket_id=last)
    if total:
        logger.warning("retention: deleted %s", total)
    return total


def sweep_all() -> Deleted:
    """Delete all that has expired now, however long it takes."""
    RetentionMark.objects.filter(name=MARK).update(ticket_id=0)
    total = sweep()
    while RetentionMark.objects.filter(name=MARK, ticket_id__gt=0).exists():
        total += sweep()
    return total


def _delete_safely(ticket: Expired, retention: Retention, *, now: datetime) -> Deleted:
    try:
        return _delete(ticket, retention, now=now)
    except Exception:
        logger.exception("retention: ticket %s cannot be deleted", ticket.folio)
        return Deleted(failed=1)


def _delete(found: Expired, retention: Retention, *, now: datetime) -> Deleted:
    """Delete what has expired of one ticket; its files leave the store after the commit. Checks everything again under
    the lock: somebody may have reopened the ticket, or written in it."""
    with transaction.atomic():
        ticket = locked(Ticket(pk=found.pk))
        if is_needed(ticket) or ticket.closed_at is None:
            return Deleted()
        since = max(ticket.closed_at, ticket.updated_at, *_last_written([ticket.pk]).values())
        parts = expired_parts(retention, since=since, now=now) & found.parts
        files: Iterable[Attachment] = []
        counts = {}
        if "files" in parts:
            files = list(ticket.attachments.all())
            counts["files"] = len(files)
            ticket.attachments.all().delete()
            if "events" not in parts:
                _tell_that_files_are_gone(ticket, files=len(files), days=retention.files)
        if "mails" in parts:
            counts["mails"] = (
                Delivery.objects.filter(event__ticket=ticket).delete()[1].get("tickets.Delivery", 0)
            )
            MailOriginal.objects.filter(mail__ticket=ticket).delete()
            IncomingEmail.objects.filter(ticket=ticket, message=None).delete()
            mails_expired.send(sender=Ticket, ticket=ticket)
        if "events" in parts:
            counts["events"] = ticket.events.all().delete()[1].get("tickets.TicketEvent", 0)
        if "tickets" in parts:
            freeze(days_of(ticket))
            ticket.delete()
            counts["tickets"] = 1
        deleted = Deleted(**counts)
        attachments.delete_files_on_commit(files)
    logger.info("retention: %s, closed %s: deleted %s", found.folio, f"{ticket.closed_at:%F}", deleted)
    return deleted


def _tell_that_files_are_gone(ticket: Ticket, *, files: int, days: int) -> None:
    """Write it into the history, for the messages name files that nobody finds. This is no news, so it does not make
    the ticket appear as changed."""
    ticket.version += 1
    ticket.public_version += 1
    save_changes(ticket)
    data = {"files": files, "days": days}
    write_event(ticket, EventKind.FILES_EXPIRED, public=True, actor=SYSTEM, data=data)


# --- Telling beforehand -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forecast:
    """What has expired of one process and may be deleted now, by part, in tickets."""

    process: Process
    tickets_of: dict[str, int]


def forecast() -> list[Forecast]:
    """Return what the sweeps will delete, for each process that deletes something. Reads all tickets: for a person who
    asks on the command line."""
    now = timezone.now()
    kept = policies(now=now + GRACE)  # also of a version that is still in its first day
    counts = {process: dict.fromkeys(PARTS, 0) for process in kept}
    for _last, found in expired(kept, after=0, now=now):
        tickets = Ticket.objects.in_bulk([ticket.pk for ticket in found])
        for process, group in groupby(
            sorted(found, key=lambda row: row.process), key=lambda row: row.process
        ):
            for ticket in group:
                if not is_needed(tickets[ticket.pk]):
                    for part in ticket.parts:
                        counts[process][part] += 1
    processes = Process.objects.select_related("current").in_bulk(counts)
    return [Forecast(processes[process], counted) for process, counted in counts.items()]
