"""The files that people ask for from the history."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..enums import ExportFormat, ExportState
from .views import LONGEST_QUERY


def export_path(export: "Export", name: str) -> str:
    """Return the path of the file in storage, which nobody can guess."""
    return f"exports/{export.uuid.hex}"


class Export(models.Model):
    """A list of the history that is being written into a file, or has been. The file has what `query` lists for its
    owner when it is written, in their language and zone. It is deleted after a day."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports")
    name = models.CharField(_("nombre"), max_length=60)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    format = models.CharField(_("formato"), max_length=4, choices=ExportFormat)
    language = models.CharField(max_length=5)
    zone = models.CharField(max_length=60)
    state = models.CharField(_("estado"), max_length=10, choices=ExportState, default=ExportState.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    """How many rows there are to write. None until the job has counted."""
    file = models.FileField(upload_to=export_path, max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    beat_at = models.DateTimeField(default=timezone.now)
    """When the job last said that it goes on: one that is silent for long was killed, and begins anew."""

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("exportación")
        verbose_name_plural = _("exportaciones")
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state__in=[ExportState.WAITING, ExportState.RUNNING]),
                name="export_at_work",
            ),
            models.Index(fields=["created_at"], name="export_created"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"

    @property
    def is_at_work(self) -> bool:
        return self.state in (ExportState.WAITING, ExportState.RUNNING)

    @property
    def percent(self) -> int:
        """How far the writing has come, from 0 to 100."""
        return min(100, 100 * self.done // self.total) if self.total else 0

    @property
    def file_name(self) -> str:
        return f"{self.name}.{self.format}"
