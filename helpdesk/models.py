"""The table of heartbeats, which /readyz reads."""

from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """The last time at which a process that must keep running reported."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%F %T}"
