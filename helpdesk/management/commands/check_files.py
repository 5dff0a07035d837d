from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from content.stores import StoreUnavailable
from helpdesk.files_stay import why_files_stay
from tickets import stored_files
from tickets.models import Attachment
from tickets.stored_files import Comparison

MOST_HOURS = 24 * 365 * 10


def hours(text: str) -> int:
    """Raises ValueError for a negative number too: it would take files that are being written for needless."""
    if not 0 <= (number := int(text)) <= MOST_HOURS:
        raise ValueError(text)
    return number


class Command(BaseCommand):
    help = "Lists rows whose file the store has not, and files that no row names. Ends with status 1 if a file is lost."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="delete the files that no row names")
        parser.add_argument(
            "--hours",
            type=hours,
            default=24,
            help="leave out what is younger than this (24): a backup may just be coming back",
        )

    def handle(self, *args: Any, delete: bool, hours: int, **options: Any) -> None:
        if delete and (reason := why_files_stay()):
            raise CommandError(reason)
        lost = unneeded = deleted = unknown = 0
        try:
            for found in stored_files.compare(older_than=timedelta(hours=hours)):
                self.show(found)
                lost += len(found.lost)
                unneeded += len(found.unneeded)
                unknown += len(found.unknown)
                if delete:
                    deleted += stored_files.delete(found.unneeded)
        except StoreUnavailable as problem:
            raise CommandError(f"The store cannot be read: {problem}") from problem
        self.stdout.write(
            f"Rows without file: {lost}. Files without row: {unneeded}, deleted {deleted}. "
            f"Files with names of others: {unknown}."
        )
        if lost:
            raise CommandError("Files are lost. The last backup of the store may have them.")

    def show(self, found: Comparison) -> None:
        for row in found.lost:
            self.stdout.write(f"row without file: {self.place(row)} {row.uuid} {row.name!r}")
        for file in found.unneeded:
            self.stdout.write(f"file without row: {file.name} {file.modified:%Y-%m-%d %H:%M}")
        for name in found.unknown:
            self.stdout.write(f"file with a name of others: {name!r}")

    @staticmethod
    def place(row: Attachment) -> str:
        return row.ticket.folio if row.ticket else "(unsent)"
