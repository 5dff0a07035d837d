"""Let the mail of a restored copy leave."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.outgoing import holding

CHOICES = "Say what becomes of them: --send-all or --discard-old."


class Command(BaseCommand):
    help = (
        "Lets mail leave again after a restore. Without an option it only says how many mails wait and how many of "
        "them may have been sent by the original desk."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--send-all", action="store_true", help="send every mail that waits")
        choice.add_argument(
            "--discard-old", action="store_true", help="do not send the mails that waited in the backup"
        )

    def handle(self, *args: Any, send_all: bool, discard_old: bool, **options: Any) -> None:
        held = holding.held_mail()
        if held is None:
            self.stdout.write("Mail is not held: it leaves as usual.")
            return
        self.stdout.write(
            f"Mail is held since {held.since:%F %H:%M} UTC. {held.waiting} mails wait. {held.old} of them waited "
            f"already when the backup was made ({held.backup_at:%F %H:%M} UTC): if the original desk went on after "
            "that, it has sent them, and their recipients would get them twice."
        )
        if not (send_all or discard_old):
            raise CommandError(CHOICES)
        discarded = holding.release(discard_old=discard_old, by="the command line")
        self.stdout.write(f"Mail leaves again. {discarded} mails were discarded.")
