"""Signs of life of the processes that must keep running, for /readyz."""

from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """When something that must keep running was last heard of."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%F %T}"
