"""Back up the database and the files."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpdesk.backup import making
from helpdesk.backup.manifest import BadBackup
from helpdesk.command_line import with_notes


class Command(BaseCommand):
    help = (
        "Writes a backup of the database and the files into a new folder of TARGET, while the desk runs. "
        "Prints the address of the backup last."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", help="a folder, or s3://bucket/path")

    def handle(self, *args: Any, target: str, **options: Any) -> None:
        try:
            address, manifest = making.make(target, say=self.stdout.write)
        except BadBackup as error:
            raise CommandError(with_notes(str(error), error)) from error
        self.stdout.write(address)
        if manifest.missing:
            shown = ", ".join(manifest.missing[:5])
            raise CommandError(
                f"The backup has all that the desk has, but {len(manifest.missing)} files that rows name are not in "
                f"the store: {shown}"
            )
