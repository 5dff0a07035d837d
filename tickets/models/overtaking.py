"""Tickets that a later one was answered before, where a process works in order of arrival (S2.35)."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .ticket import Ticket


class Overtaking(models.Model):
    """One ticket was passed over: `by_ticket`, which arrived later in the same department, was answered first.

    `decided_by` is who answered it. Written once, when that happens, and never changed.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="overtaken")
    by_ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="overtook")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("decidió")
    )
    at = models.DateTimeField(_("cuándo"), default=timezone.now)

    class Meta:
        verbose_name = _("ticket adelantado")
        verbose_name_plural = _("tickets adelantados")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "by_ticket"], name="overtaken_once"),
            models.CheckConstraint(
                condition=~models.Q(ticket=models.F("by_ticket")), name="overtaken_by_another"
            ),
        ]
        indexes = [models.Index(fields=["-at", "-id"], name="overtaking_newest")]

    def __str__(self) -> str:
        return f"{self.ticket_id} < {self.by_ticket_id}"
