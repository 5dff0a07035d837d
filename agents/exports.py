"""Write lists of the history into files: a job does it, row by row, so that no list is too long (S1.18).

A file has what its owner sees at that time, in their language and zone. Nothing depends on the job's process: one that
is killed leaves a row that falls silent, and the next run begins it anew.
"""

import csv
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import IO, Any

import openpyxl
from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from accounts.models import User
from content.errors import DeskError
from tickets.enums import ExportFormat, ExportState
from tickets.models import Export, Ticket
from tickets.models.views import LONGEST_QUERY

from .forms.history import HistoryFilter
from .pages.columns import Column, for_columns

logger = logging.getLogger(__name__)

AT_ONCE = 500
MOST_AT_WORK = 3
SILENT = timedelta(minutes=2)
KEPT = timedelta(days=1)
AFTER_A_SEPARATOR = re.compile(r"([;\t,|\r\n]\s*)(?=[=+\-@])")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
WIDTHS = {"asunto": 48, "folio": 14}
USUAL_WIDTH = 20
Row = list[Any]


class TooManyExports(DeskError):
    """The person has several exports at work already."""

    default = gettext_lazy("Ya se preparan varios archivos tuyos. Espera a que terminen, o cancela uno.")


class QueryTooLong(DeskError):
    """The filters do not fit where they are kept."""

    default = gettext_lazy("Son demasiados filtros para guardarlos. Quita algunos.")


class NoLongerValid(Exception):
    """A filter of the list means nothing any more: without it the file would have other tickets."""


class Cancelled(Exception):
    """The owner has cancelled the export, or it was taken from this process."""


def ask(owner: User, filters: HistoryFilter, *, name: str, kind: ExportFormat) -> Export:
    """Put an export in line and return it. Raises `TooManyExports` and `QueryTooLong`."""
    if len(filters.query) > LONGEST_QUERY:
        raise QueryTooLong
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)  # two clicks at once
        at_work = Export.objects.filter(owner=owner, state__in=[ExportState.WAITING, ExportState.RUNNING])
        if at_work.count() >= MOST_AT_WORK:
            raise TooManyExports
        return Export.objects.create(
            owner=owner,
            name=name[:60],
            query=filters.query,
            format=kind,
            language=translation.get_language() or "es",
            zone=timezone.get_current_timezone_name(),
        )


def write_now(owner: User, *, query: str, name: str) -> Export | None:
    """Write a list as CSV and return it, None if that failed. For jobs: it may take minutes."""
    export = Export.objects.create(
        owner=owner,
        name=name[:60],
        query=query,
        format=ExportFormat.CSV,
        language=owner.language,
        zone=str(owner.zone),
        state=ExportState.RUNNING,
    )
    try:
        _write(export)
    except Cancelled:
        return None
    except Exception:
        logger.exception("export %s failed", export.pk)
        Export.objects.filter(pk=export.pk, state=ExportState.RUNNING).update(state=ExportState.FAILED)
        return None
    export.refresh_from_db()
    return export if export.state == ExportState.DONE else None


def cancel(export: Export) -> None:
    """Stop an export, which its job notices before the next rows, or delete one that has ended, with its file."""
    at_work = Export.objects.filter(pk=export.pk, state__in=[ExportState.WAITING, ExportState.RUNNING])
    if not at_work.update(state=ExportState.CANCELLED):
        _delete(export)


def write_waiting() -> int:
    """Write the exports that wait, one after another. Returns how many were written."""
    count = 0
    while export := _take():
        try:
            _write(export)
            count += 1
        except Cancelled:
            logger.info("export %s was cancelled", export.pk)
        except Exception:
            logger.exception("export %s failed", export.pk)
            Export.objects.filter(pk=export.pk, state=ExportState.RUNNING).update(state=ExportState.FAILED)
    return count


def forget_old() -> None:
    """Delete exports after a day, with their files."""
    for export in Export.objects.filter(created_at__lt=timezone.now() - KEPT)[:200]:
        _delete(export)


def _delete(export: Export) -> None:
    if export.file:
        export.file.delete(save=False)
    export.delete()


def _take() -> Export | None:
    """Return an export that waits, or whose job was killed, and make it this process's."""
    now = timezone.now()
    free = Q(state=ExportState.WAITING) | Q(state=ExportState.RUNNING, beat_at__lt=now - SILENT)
    for export in Export.objects.filter(free).select_related("owner").order_by("id")[:10]:
        mine = Export.objects.filter(free, pk=export.pk, beat_at=export.beat_at)
        if mine.update(state=ExportState.RUNNING, beat_at=now, done=0, total=None):
            return export
    return None


def _write(export: Export) -> None:
    with _as_its_reader(export), TemporaryFile() as file:
        filters = HistoryFilter(QueryDict(export.query), user=export.owner)
        if filters.problems:
            raise NoLongerValid(filters.problems)
        tickets = filters.apply(Ticket.objects.visible_to(export.owner))
        _say(export, total=tickets.count())
        rows = _rows(
            export,
            for_columns(tickets, filters.shown_columns).order_by(*filters.order),
            filters.shown_columns,
        )
        WRITERS[ExportFormat(export.format)](file, filters.shown_columns, rows)
        file.seek(0)
        export.file.save("", File(file), save=False)
        if not _say(export, state=ExportState.DONE, file=export.file.name):
            export.file.delete(save=False)


@contextmanager
def _as_its_reader(export: Export) -> Iterator[None]:
    with translation.override(export.language), timezone.override(export.zone):
        yield


def _say(export: Export, **columns: Any) -> bool:
    """Store how far the export is. Returns whether it still is this process's: not cancelled, not taken by another."""
    mine = Export.objects.filter(pk=export.pk, state=ExportState.RUNNING)
    return bool(mine.update(beat_at=timezone.now(), **columns))


def _rows(export: Export, tickets: Any, columns: list[Column]) -> Iterator[Row]:
    for number, ticket in enumerate(tickets.iterator(chunk_size=AT_ONCE), start=1):
        yield [_plain(column.value(ticket)) for column in columns]
        if number % AT_ONCE == 0 and not _say(export, done=number):
            raise Cancelled


def _plain(value: Any) -> Any:
    """Return a value that a spreadsheet shows and never carries out: a text that it would read as a formula gets an
    apostrophe. Moments are in the reader's zone, without its name."""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, str):
        text = ILLEGAL_CHARACTERS_RE.sub("", value)  # a workbook cannot hold them
        return f"'{text}" if text.startswith(DANGEROUS) else text
    return value


def _apart(value: Any) -> Any:
    """Return a value for a CSV file. Spreadsheets of some languages also part cells at other signs, so a text must be
    harmless after each of them."""
    return AFTER_A_SEPARATOR.sub(r"\1'", value) if isinstance(value, str) else value


def _headings(columns: list[Column]) -> Row:
    return [_plain(str(column.label)) for column in columns]


def _write_csv(file: IO[bytes], columns: list[Column], rows: Iterator[Row]) -> None:
    """Write UTF-8 with its mark, by which spreadsheets know it."""
    out = csv.writer(_Encoded(file))
    file.write(b"\xef\xbb\xbf")
    out.writerow(_headings(columns))
    out.writerows([_apart(value) for value in row] for row in rows)


class _Encoded:
    """Lets `csv` write text into a file of bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, text: str) -> int:
        return self.file.write(text.encode())


def _write_xlsx(file: IO[bytes], columns: list[Column], rows: Iterator[Row]) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(_("Histórico"))
    sheet.freeze_panes = "A2"
    for number, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = WIDTHS.get(column.key, USUAL_WIDTH)
    headings = [openpyxl.cell.WriteOnlyCell(sheet, text) for text in _headings(columns)]
    for heading in headings:
        heading.font = Font(bold=True)
    sheet.append(headings)
    for row in rows:
        sheet.append(row)
    book.save(file)


WRITERS: dict[ExportFormat, Callable[[IO[bytes], list[Column], Iterator[Row]], None]] = {
    ExportFormat.CSV: _write_csv,
    ExportFormat.XLSX: _write_xlsx,
}
