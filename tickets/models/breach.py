"""The promises that were broken: what «soporte elevado» counts (S2.32)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..enums import ClockKind
from .ticket import Ticket


class Breach(models.Model):
    """A promise of a ticket that ran out on its due date. Answering late, another severity or another date do not take
    it back; `cleared_at` says when corrected hours or targets showed that it had not run out."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="breaches", db_index=False)
    kind = models.CharField(_("plazo"), max_length=20, choices=ClockKind)
    due_at = models.DateTimeField(_("venció"))
    cleared_at = models.DateTimeField(_("corregido"), null=True, blank=True)

    class Meta:
        verbose_name = _("vencimiento")
        verbose_name_plural = _("vencimientos")
        constraints = [models.UniqueConstraint(fields=["ticket", "kind", "due_at"], name="breach_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(cleared_at__isnull=True), name="breach_standing")
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind} {self.due_at:%F %T}"
