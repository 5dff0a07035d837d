from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from .enums import WAITING_STATES, MailState

if TYPE_CHECKING:
    from .models import OutgoingEmail  # noqa: F401  (named below, in quotes)


# The model is named here because mypy, with a warm cache, otherwise loses the type of the manager.
class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def due(self) -> "OutgoingEmailQuerySet":
        """Return the queued mails whose next attempt is due, in sending order. Urgent mails (sign-in codes that
        somebody is waiting for) go first."""
        return self.filter(state=MailState.QUEUED, next_attempt_at__lte=timezone.now()).order_by(
            "-is_urgent", "next_attempt_at", "id"
        )

    def abandoned(self) -> "OutgoingEmailQuerySet":
        """Return the claimed mails whose lease has expired: their worker died."""
        return self.filter(
            state__in=[MailState.SENDING, MailState.STARTED], lease_until__lt=timezone.now()
        ).order_by("lease_until")

    def settled(self) -> "OutgoingEmailQuerySet":
        """Return the mails that no worker will touch again: sent, failed, uncertain or suppressed."""
        return self.exclude(state__in=WAITING_STATES)

    def oldest_waiting(self) -> datetime | None:
        """Return the time since which the oldest overdue mail has been waiting, or None. A postponed mail counts from
        the time of its next attempt."""
        waiting = self.filter(Q(state__in=WAITING_STATES), next_attempt_at__lte=timezone.now())
        oldest: datetime | None = waiting.aggregate(oldest=models.Min("next_attempt_at"))["oldest"]
        return oldest
