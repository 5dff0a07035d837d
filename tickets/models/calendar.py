"""Calendars of the desk and their versions, which never change. `tickets.calendars` counts with them."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import LocalisedName

from ..calendars import ELAPSED, CalendarRules
from ..calendars import Calendar as Counting
from ..enums import TargetUnit


class Calendar(LocalisedName):
    """Opening hours that processes name. Publishing a process creates those that its file describes and the desk does
    not have yet; afterwards they are the desk's."""

    key = models.SlugField(_("clave"), unique=True, max_length=40)
    current = models.ForeignKey(
        "CalendarVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("versión vigente"),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("calendario")
        verbose_name_plural = _("calendarios")


class CalendarVersionManager(models.Manager["CalendarVersion"]):
    """Reads versions, and keeps in memory what each counts: it never changes, and every row of a list needs it."""

    def __init__(self) -> None:
        super().__init__()
        self._counting: dict[tuple[int, str], Counting] = {}

    def counting(self, pk: int | None, unit: str) -> Counting:
        """Return what counts the time of a target in this `TargetUnit`, under the version with this id. Takes a query
        once for each process of the server, and none for elapsed time."""
        if pk is None or unit == TargetUnit.ELAPSED:
            return ELAPSED
        counting = self._counting.get((pk, unit))
        if counting is None:
            [version] = self.filter(pk=pk)
            counting = self._counting[pk, unit] = version.as_rules.counting(unit)
        return counting

    def forget(self, pk: int) -> None:
        """Drop what is kept under this id, which another row had before (after a rollback on SQLite)."""
        for unit in TargetUnit.values:
            self._counting.pop((pk, unit), None)


class CalendarVersion(models.Model):
    """The rules of a calendar from a moment on, as `CalendarRules.as_json` writes them. Never changed once saved:
    clocks say under which version their due date was computed."""

    calendar = models.ForeignKey(
        Calendar, on_delete=models.PROTECT, related_name="versions", verbose_name=_("calendario")
    )
    number = models.PositiveIntegerField(_("número"))
    rules = models.JSONField(_("reglas"))
    created_at = models.DateTimeField(_("vigente desde"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("autor"),
    )

    objects = CalendarVersionManager()

    class Meta:
        ordering = ["calendar", "-number"]
        verbose_name = _("versión de calendario")
        verbose_name_plural = _("versiones de calendario")
        constraints = [models.UniqueConstraint(fields=["calendar", "number"], name="calendar_version_number")]

    def __str__(self) -> str:
        return f"{self.calendar_id} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("a calendar version never changes; save a new one")
        super().save(*args, **kwargs)
        CalendarVersion.objects.forget(self.pk)

    @property
    def as_rules(self) -> CalendarRules:
        return CalendarRules.read(self.rules)
