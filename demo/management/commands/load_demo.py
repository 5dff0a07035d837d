from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.replay.loading import load, load_desk


class Command(BaseCommand):
    help = (
        "Loads an invented organisation: people with a known password, and some weeks of support work. "
        "Where there are tickets already, nothing is filed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--without-tickets", action="store_true", help="only people, departments, processes"
        )

        parser.add_argument("--with-history", action="store_true", help="also a quarter of ended tickets")

    def handle(self, *args: Any, without_tickets: bool, with_history: bool, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Accounts whose password everybody knows have no place in production.")
        if without_tickets:
            load_desk()
        else:
            self.stdout.write(f"{load(with_history=with_history)} tickets")
