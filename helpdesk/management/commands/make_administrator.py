"""Make the first administrator, or another one when nobody can sign in any more."""

import logging
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpdesk import administrators

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Make the person with this address an administrator. Prints a link to choose a password; sends no mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="of a new person; the part before the @ if left out")

    def handle(self, *args: Any, email: str, name: str, **options: Any) -> None:
        try:
            user, link = administrators.make(email, name=name)
        except ValidationError as error:
            raise CommandError(f"{email} is no address.") from error
        logger.warning("user %s made an administrator from the command line", user.pk)
        self.stdout.write(f"{user.email} is an administrator. To choose a password, once, within three days:")
        self.stdout.write(f"  {link}")
