"""The state of each mail about a ticket's events."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..enums import DeliveryProblem, DeliveryState
from ..vocabulary import templates
from .event import TicketEvent


class Delivery(models.Model):
    """One mail about one event to one person, and its state. `tickets.record.deliveries` writes it, called by the app
    that sends the mail."""

    event = models.ForeignKey(TicketEvent, on_delete=models.CASCADE, related_name="deliveries")
    template = models.CharField(_("correo"), max_length=24, choices=templates)
    to_requester = models.BooleanField(default=False)
    email = models.EmailField(_("destinatario"))
    state = models.CharField(_("estado"), max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    problem = models.CharField(_("problema"), max_length=12, choices=DeliveryProblem, blank=True)
    detail = models.CharField(_("detalle"), max_length=300, blank=True)
    at = models.DateTimeField(_("desde"), default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-to_requester", "id"]
        verbose_name = _("entrega de correo")
        verbose_name_plural = _("entregas de correo")

    def __str__(self) -> str:
        return f"{self.event_id} {self.template} {self.state}"

    @property
    def can_retry(self) -> bool:
        return self.state in (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.BOUNCED)
