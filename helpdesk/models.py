"""The table of heartbeats, which /readyz reads, and that of what browsers refused."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """The last time at which a process that must keep running reported."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%F %T}"


class CspReport(models.Model):
    """One kind of violation of the content security policy, and how often browsers reported it."""

    directive = models.CharField(_("regla"), max_length=40)
    blocked = models.CharField(_("bloqueado"), max_length=270)
    page = models.CharField(_("página"), max_length=100)
    times = models.PositiveIntegerField(_("veces"), default=1)
    first_seen = models.DateTimeField(_("primera vez"), default=timezone.now)
    last_seen = models.DateTimeField(_("última vez"), default=timezone.now)

    class Meta:
        verbose_name = _("informe de la política de contenido")
        verbose_name_plural = _("informes de la política de contenido")
        constraints = (
            models.UniqueConstraint(fields=["directive", "blocked", "page"], name="one_row_per_violation"),
        )

    def __str__(self) -> str:
        return f"{self.directive}: {self.blocked} ({self.page})"
