from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand

from helpdesk.variables import refuse_unnamed_size


class Command(BaseCommand):
    help = (
        "Prepares the database, and the bucket if files are stored in S3. Run it before the other processes."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unnamed_size()
        call_command("migrate", interactive=False)
        if settings.S3_BUCKET:
            self.create_bucket()

    def create_bucket(self) -> None:
        client = default_storage.connection.meta.client  # type: ignore[attr-defined]  # django-storages' S3
        if settings.S3_BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=settings.S3_BUCKET)
            self.stdout.write(f"Created the bucket {settings.S3_BUCKET}")
