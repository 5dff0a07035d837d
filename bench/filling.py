"""Fill the bench's database with a number of tickets.

On PostgreSQL the indexes are dropped before and made again after, and each processor has a process that writes with
COPY. An interrupted filling is made anew: the floor's table, made last, tells that the data are complete.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import pairwise

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, models
from django.utils import timezone

from bench import articles, copying, floor, people
from bench.database import ROOT
from bench.desk import CHILDREN, Desk, Line, Story
from bench.stories import tell
from notifications.models import OutgoingEmail
from tickets.definitions.loading import library
from tickets.facts.counting import count_all
from tickets.models import (
    Attachment,
    Breach,
    Clock,
    Delivery,
    FieldValue,
    FolioCounter,
    Message,
    Pause,
    StageVisit,
    Survey,
    Ticket,
    TicketEvent,
    TicketWords,
    Turn,
)
from tickets.search.indexing import words_of
from tickets.workflow.publishing import publish

BATCH = 1000
WEIGHTS = {"soporte-con-aprobacion": 45, "incidencia-tecnica": 35, "solicitud-guiada": 12}
FILLED: tuple[type[models.Model], ...] = (
    Ticket, Message, Attachment, TicketEvent, Delivery, OutgoingEmail, Clock, Pause, Survey, Turn, StageVisit,
    FieldValue, Breach,
)  # fmt: skip


def be_filled(size: int, *, anew: bool = False, say: Callable[[str], None] = print) -> None:
    """Fill the database, if it is not filled yet or if `anew`. Deletes what was in it."""
    if anew or not floor.is_made():
        floor.drop()
        call_command("flush", interactive=False, verbosity=0)
        fill(size, say=say)


def fill(size: int, *, say: Callable[[str], None] = print, counts_days: bool = True) -> None:
    """Make `size` tickets in an empty database, count their days for reports, and then make the floor's table."""
    started, now = time.monotonic(), timezone.now()
    desk_of(size, now)  # before the processes that share it
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        with copying.without_indexes(
            [*(model._meta.db_table for model in FILLED), TicketWords._meta.db_table]
        ):
            _fill_side_by_side(size, now)
            say(f"{size} tickets written in {time.monotonic() - started:.0f} s")
    else:
        write(range(size), desk_of(size, now))
    copying.continue_ids(FILLED)
    articles.fill(size)
    counted = {"last": settings.DESK_FOLIO_START + size}
    FolioCounter.objects.update_or_create(name=settings.DESK_FOLIO_PREFIX, defaults=counted)
    if counts_days:
        for _day in count_all():
            pass
    floor.make()
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        # On a real site autovacuum would have done this by now. It cannot run inside a test's transaction.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    say(f"{size} tickets ready in {time.monotonic() - started:.0f} s")


def _fill_side_by_side(size: int, now: datetime) -> None:
    count = min(os.cpu_count() or 1, 8)
    bounds = [size * part // count for part in range(count + 1)]
    command = [sys.executable, "-m", "bench.prepare", str(size)]
    writers = [
        subprocess.Popen([*command, "--part", str(first), str(last), now.isoformat()], cwd=ROOT)
        for first, last in pairwise(bounds)
    ]
    codes = [writer.wait() for writer in writers]
    if any(codes):
        raise SystemExit("Filling the database failed.")


def write_part(size: int, first: int, last: int, now: datetime) -> None:
    """Write some of the tickets. Run in a process of its own by `fill`."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        # Do not look up what rows refer to: it is written, too. Only superusers may say so; else it takes longer.
        cursor.execute("SET session_replication_role = replica")
    write(range(first, last), desk_of(size, now))


def write(numbers: range, desk: Desk) -> None:
    for first in numbers[::BATCH]:
        stories = [tell(number, desk) for number in range(first, min(first + BATCH, numbers.stop))]
        for story in stories:
            story.ticket.folio = folio_of(story.ticket.pk)
        copying.write(_in_order(stories))


def _in_order(stories: list[Story]) -> Iterator[models.Model]:
    """Yield the rows of all stories, table by table."""
    yield from (story.ticket for story in stories)
    for name in CHILDREN:
        for story in stories:
            yield from getattr(story, name)
    for story in stories:
        bodies = [f"{message.body}\n{message.steps}" for message in story.messages]
        yield TicketWords(ticket=story.ticket, words=words_of(story.ticket, bodies))


def folio_of(pk: int) -> str:
    return f"{settings.DESK_FOLIO_PREFIX}-{settings.DESK_FOLIO_START + pk}"


def desk_of(size: int, now: datetime) -> Desk:
    """Return the desk's processes and people. Makes those that do not exist."""
    versions = [publish(source).process.current for source in library().values()]  # makes departments, too
    places = people.departments()
    lines = [
        Line(version, version.definition, categories, WEIGHTS.get(version.process.key, 4))
        for version in versions
        if version is not None and (categories := list(version.process.categories.all()))
    ]
    return Desk(lines, people.customers(size), people.staff(places), places[-1], now, size)
