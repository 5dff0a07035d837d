"""Take a second factor away from somebody who lost it. For the last administrator; others ask one of them."""

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import second_factor
from accounts.models import User, UserManager

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Delete the second factor of the person with this address, and end their sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=UserManager.normalize_email(email)).first()
        if user is None:
            raise CommandError(f"Nobody has the address {email}.")
        if not second_factor.has_one(user):
            raise CommandError(f"{user.email} has no second factor.")
        second_factor.reset(user)
        logger.warning("second factor of user %s reset from the command line", user.pk)
        self.stdout.write(f"Deleted the second factor of {user.email}; their sessions have ended.")
