"""Calendars of the desk and their versions, which never change. `tickets.calendars` counts with them."""

from collections.abc import Collection

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import LocalisedName

from ..calendars import ELAPSED, CalendarRules
from ..calendars import Calendar as Counting
from ..enums import TargetUnit
from .frozen import Frozen


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
    answers_phone = models.BooleanField(
        _("horario de teléfono y WhatsApp"),
        default=False,
        db_default=False,
        help_text=_("El portal dice con este horario si el teléfono está disponible."),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("calendario")
        verbose_name_plural = _("calendarios")
        constraints = [
            models.UniqueConstraint(
                fields=["answers_phone"], condition=Q(answers_phone=True), name="one_calendar_answers_phone"
            )
        ]


class CalendarVersionManager(models.Manager["CalendarVersion"]):
    """Reads versions, and keeps in memory what each counts: it never changes, and every row of a list needs it."""

    def __init__(self) -> None:
        super().__init__()
        self._counting: dict[tuple[int, str], Counting] = {}
        self._rules: dict[int, CalendarRules] = {}

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

    def rules(self, pks: Collection[int]) -> dict[int, CalendarRules]:
        """Return the rules of these versions. Takes a query for those that are not in memory yet."""
        if missing := [pk for pk in pks if pk not in self._rules]:
            self._rules |= {version.pk: version.as_rules for version in self.filter(pk__in=missing)}
        return {pk: self._rules[pk] for pk in pks}

    def forget(self, pk: int) -> None:
        """Drop what is kept under this id, which another row had before (after a rollback on SQLite)."""
        for unit in TargetUnit.values:
            self._counting.pop((pk, unit), None)
        self._rules.pop(pk, None)


class CalendarVersion(Frozen):
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

    @property
    def as_rules(self) -> CalendarRules:
        return CalendarRules.read(self.rules)
