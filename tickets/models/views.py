"""The views of the history that people save, and the reports that they get by mail."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Department

from ..enums import ReportInterval

LONGEST_QUERY = 2000


class SavedView(models.Model):
    """Filters, an order and columns of the history under a name. A shared one is everybody's to open: each person sees
    those of its tickets that they may see."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(_("nombre"), max_length=60)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    """The query string of the history's address."""
    is_shared = models.BooleanField(_("compartida"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "id"]
        verbose_name = _("vista guardada")
        verbose_name_plural = _("vistas guardadas")
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_view_once")]
        indexes = [
            models.Index(fields=["name"], condition=models.Q(is_shared=True), name="saved_view_shared")
        ]

    def __str__(self) -> str:
        return self.name


class MailedReport(models.Model):
    """A report that its owner gets by mail: the panel of a department or of the desk, or a saved view of the history.

    `weekday` (1 is Monday) counts for weekly ones, `hour` is in the owner's zone. Monthly ones come on the first day.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mailed_reports"
    )
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    """None for the panel."""
    department = models.ForeignKey(
        Department, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    """The department whose panel it is; None for the whole desk."""
    every = models.CharField(_("cada"), max_length=5, choices=ReportInterval, default=ReportInterval.WEEK)
    weekday = models.PositiveSmallIntegerField(_("día de la semana"), default=1)
    hour = models.PositiveSmallIntegerField(_("hora"), default=7)
    with_csv = models.BooleanField(_("adjuntar la lista en CSV"), default=False)
    next_at = models.DateTimeField(_("sale"))
    last_at = models.DateTimeField(_("salió"), null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name = _("informe por correo")
        verbose_name_plural = _("informes por correo")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weekday__range=(1, 7), hour__range=(0, 23)),
                name="mailed_report_has_a_time",
            )
        ]
        indexes = [models.Index(fields=["next_at"], name="mailed_report_next")]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.every}"
