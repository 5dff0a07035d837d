import sys
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse
from django.utils import translation

from helpdesk import administrators, installation
from helpdesk.variables import refuse_unnamed_size
from tickets.models import Process


class Command(BaseCommand):
    help = (
        "Prepares the database, the bucket if files are stored in S3, and at the first start an administrator and the "
        "processes that the desk brings. Run it before the other processes, at the first start and after every update."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--administrator", metavar="ADDRESS", help="of the first administrator; asked for on a terminal"
        )

    def handle(self, *args: Any, administrator: str | None, **options: Any) -> None:
        refuse_unnamed_size()
        call_command("migrate", interactive=False, stdout=self.stdout)
        if settings.S3_BUCKET:
            self.create_bucket()
        if not Process.objects.exists():  # later, the desk decides which of the library's processes it has
            call_command("processes", "install-library", stdout=self.stdout)
        if not administrators.exist():
            self.first_administrator(administrator)
        self.say_what_is_missing()

    def create_bucket(self) -> None:
        client = default_storage.connection.meta.client  # type: ignore[attr-defined]  # django-storages' S3
        if settings.S3_BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=settings.S3_BUCKET)
            self.stdout.write(f"Created the bucket {settings.S3_BUCKET}")

    def first_administrator(self, address: str | None) -> None:
        if not address and sys.stdin.isatty():
            address = input("Address of the first administrator (empty: later): ").strip()
        if address:
            call_command("make_administrator", address, stdout=self.stdout)

    def say_what_is_missing(self) -> None:
        """Print the next steps. A first start is not finished when this command is: people and mail are missing."""
        with translation.override("en"):
            missing = installation.missing()
            if missing:
                self.stdout.write("Still missing:")
            for step in missing:
                self.stdout.write(f"  {step.title}: {step.text}")
        self.stdout.write(
            f"Next: start web, worker and beat, then open {settings.DESK_BASE_URL}{reverse('setup')}"
        )
