"""Restore a backup."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpdesk.backup import places, restoring
from helpdesk.backup.manifest import BadBackup
from helpdesk.command_line import with_notes


class Command(BaseCommand):
    help = (
        "Restores the backup at ADDRESS into this installation, which must have no data and whose processes must be "
        "stopped. No mail leaves the restored desk until «manage.py release_mail»."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="a folder, or s3://bucket/path, as «manage.py backup» printed it")
        parser.add_argument("--check", action="store_true", help="only compare the backup with its manifest")
        parser.add_argument(
            "--replace-existing-data", action="store_true", help="drop every table of the database first"
        )

    def handle(self, *args: Any, address: str, **options: Any) -> None:
        say = self.stdout.write
        try:
            if options["check"]:
                source, manifest = restoring.open_backup(address)
                with places.scratch() as folder:
                    restoring.check(source, manifest, folder, say=say)
            else:
                restoring.restore(address, replace=options["replace_existing_data"], say=say)
        except BadBackup as error:
            raise CommandError(with_notes(str(error), error)) from error
