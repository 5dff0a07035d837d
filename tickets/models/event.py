"""The record of what happened to each ticket."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..vocabulary import event_kinds
from .ticket import Ticket


class TicketEvent(models.Model):
    """One change to a ticket, written once and never edited. History, notifications, live updates and reports read it.

    `data` holds the keys and values that describe the change, never text that people wrote: that stays on `message`.
    `notify` lists who gets a mail about the event, each with the mail's template.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(_("qué pasó"), max_length=20, choices=event_kinds)
    action = models.CharField(_("acción"), max_length=40, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor_name = models.CharField(_("quién"), max_length=120, blank=True)
    is_public = models.BooleanField(default=False)
    data: Any = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    notify: Any = models.JSONField(default=list)
    message = models.OneToOneField(
        "Message", on_delete=models.PROTECT, null=True, blank=True, related_name="event"
    )
    version = models.PositiveIntegerField()
    at = models.DateTimeField(_("cuándo"), default=timezone.now)
    idempotency_key = models.CharField(max_length=80, null=True, unique=True, editable=False)

    class Meta:
        ordering: ClassVar = ["ticket", "version"]
        verbose_name = _("suceso")
        verbose_name_plural = _("sucesos")
        constraints = [models.UniqueConstraint(fields=["ticket", "version"], name="event_version_per_ticket")]

    def __str__(self) -> str:
        return f"{self.ticket_id} #{self.version} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("events are written once")
        super().save(*args, **kwargs)
