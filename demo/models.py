"""The table of the demo's mailbox. The app, and so this table, is not installed in production."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

KEPT = 2000


class DemoMailQuerySet(models.QuerySet["DemoMail"]):
    def delete_all_but_newest(self, kept: int = KEPT) -> None:
        newest_too_many = self.order_by("-id").values_list("pk", flat=True)[kept : kept + 1]
        if found := list(newest_too_many):
            self.filter(pk__lte=found[0]).delete()


class DemoMail(models.Model):
    """One mail that the demo «sent», including its links. Only the demo's mail backend writes this table."""

    sender = models.CharField(_("de"), max_length=320)
    recipient = models.CharField(_("para"), max_length=320)
    subject = models.CharField(_("asunto"), max_length=255, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    headers: Any = models.JSONField(default=dict)
    at = models.DateTimeField(_("enviado"), default=timezone.now)

    objects = DemoMailQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("correo de la demo")
        verbose_name_plural = _("correos de la demo")

    def __str__(self) -> str:
        return f"{self.subject} → {self.recipient}"
