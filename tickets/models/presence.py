"""Which staff have a ticket's page open now."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from .ticket import Ticket


class Presence(models.Model):
    """One staff member who has a ticket's page open. Ignored once `seen_at` is more than `PRESENCE_SECONDS` old. Only
    shown to colleagues: no rule depends on it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="presences")
    is_writing = models.BooleanField(default=False)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "ticket"], name="presence_once_per_ticket")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.ticket_id}"
