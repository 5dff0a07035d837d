"""The table of the demo's mailbox. The app, and so this table, is not installed in production."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DemoMail(models.Model):
    """One mail that the demo «sent», including its links. Only the demo's mail backend writes this table."""

    sender = models.CharField(_("de"), max_length=320)
    recipient = models.CharField(_("para"), max_length=320)
    subject = models.CharField(_("asunto"), max_length=255, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    headers: Any = models.JSONField(default=dict)
    at = models.DateTimeField(_("enviado"), default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("correo de la demo")
        verbose_name_plural = _("correos de la demo")

    def __str__(self) -> str:
        return f"{self.subject} → {self.recipient}"
