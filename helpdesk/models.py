"""The tables of heartbeats and of periodic tasks, which /readyz and «Salud» read, and that of what browsers refused."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """The last time at which a process that must keep running reported."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%F %T}"


class TaskRun(models.Model):
    """The last run of one periodic task, and the last one that failed. `problem` names the kind of error and no more:
    its text may hold what people wrote."""

    task = models.CharField(max_length=80, unique=True)
    ran_at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField(default=0.0)
    has_failed = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=80, blank=True)

    def __str__(self) -> str:
        return f"{self.task} {self.ran_at:%F %T}"


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
