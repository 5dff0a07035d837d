from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from .enums import WAITING_STATES, MailState

if TYPE_CHECKING:
    from .models import OutgoingEmail  # noqa: F401  (named below, in quotes)


# Naming the model ties the two modules together for mypy, which otherwise loses the manager with a warm cache.
class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def due(self) -> "OutgoingEmailQuerySet":
        """What may leave now, in the order in which it should: codes that somebody waits for go first."""
        return self.filter(state=MailState.QUEUED, next_attempt_at__lte=timezone.now()).order_by(
            "-is_urgent", "next_attempt_at", "id"
        )

    def abandoned(self) -> "OutgoingEmailQuerySet":
        """In the hands of a worker that has not been heard of for longer than it may take."""
        return self.filter(
            state__in=[MailState.SENDING, MailState.STARTED], lease_until__lt=timezone.now()
        ).order_by("lease_until")

    def settled(self) -> "OutgoingEmailQuerySet":
        return self.exclude(state__in=WAITING_STATES)

    def oldest_waiting(self) -> datetime | None:
        """Since when the oldest mail that should have left is waiting. One that was put off for a later attempt
        waits since that attempt is due."""
        waiting = self.filter(Q(state__in=WAITING_STATES), next_attempt_at__lte=timezone.now())
        oldest: datetime | None = waiting.aggregate(oldest=models.Min("next_attempt_at"))["oldest"]
        return oldest
