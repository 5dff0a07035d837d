"""Clocks: what was promised to the requester, from when, and the pauses that do not count (DESIGN §4)."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ..calendars import Calendar as Counting
from ..calendars import Target
from ..enums import ClockKind, TargetUnit
from ..sla import Interval, has_run_out
from .calendar import CalendarVersion
from .policy import PolicyVersion
from .ticket import Ticket

UNRECORDED_BREACH = (
    Q(breached_at__isnull=True)
    & (Q(stopped_at__isnull=True) | Q(stopped_at__gte=F("due_at")))
    & (Q(paused_at__isnull=True) | Q(paused_at__gte=F("due_at")))
)
"""Clocks that a sweep must check: not yet marked as breached, and either running or, by `sla.has_run_out`, paused or
stopped too late."""
NOTICE_AHEAD = Q(warn_at__isnull=False) & Q(stopped_at__isnull=True) & Q(paused_at__isnull=True)
"""Running clocks that will ask for a warning or for a message about the progress."""


class Clock(models.Model):
    """Store one promise about one ticket. `due_at` was computed by `sla.due_at` from the other columns and the pauses
    when the clock last changed, so it does not move while a pause lasts.

    The clocks for the next reply and for progress begin again in the same row. Breaches of earlier turns are events.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="clocks")
    kind = models.CharField(_("reloj"), max_length=16, choices=ClockKind)
    target = models.DurationField(_("plazo"))
    unit = models.CharField(
        _("cómo se cuenta"),
        max_length=16,
        choices=TargetUnit,
        default=TargetUnit.ELAPSED,
        db_default=TargetUnit.ELAPSED,
    )
    calendar_version = models.ForeignKey(
        CalendarVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("calendario"),
    )
    """The version under which the due date was computed. None for elapsed time."""
    policy_version = models.ForeignKey(
        PolicyVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("plazos de la mesa"),
    )
    """The version from which the target was taken. None for the targets of the process file."""
    is_agreed = models.BooleanField(
        _("fecha acordada"),
        default=False,
        help_text=_("Una persona fijó la fecha; la severidad ya no la mueve."),
    )
    started_at = models.DateTimeField(_("empezó"))
    due_at = models.DateTimeField(_("vence"))
    paused_at = models.DateTimeField(_("en pausa desde"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("terminó"), null=True, blank=True)
    breached_at = models.DateTimeField(_("venció"), null=True, blank=True)
    warn_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When a sweep has to look at the running clock: to warn, or to write about the progress. The sweep computes the
    moment again before it acts, so a pause, which only makes it later, need not change this."""
    warned = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    """How many of the warnings were given; of the clock for progress, how many automatic messages were sent since a
    person wrote."""

    class Meta:
        verbose_name = _("reloj")
        verbose_name_plural = _("relojes")
        constraints = [models.UniqueConstraint(fields=["ticket", "kind"], name="clock_once_per_kind")]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=UNRECORDED_BREACH,
                name="clock_unseen_due",
            ),
            models.Index(  # the clocks that a change of their calendar moves
                fields=["ticket"],
                condition=Q(stopped_at__isnull=True, calendar_version__isnull=False),
                name="clock_by_calendar",
            ),
            models.Index(
                fields=["kind", "breached_at"],
                condition=Q(breached_at__isnull=False),
                name="clock_breached",
            ),
            models.Index(fields=["warn_at"], condition=NOTICE_AHEAD, name="clock_notice_ahead"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind}"

    def intervals(self) -> list[Interval]:
        """Return the finished pauses, then the open one (without an end) if the clock is paused."""
        closed = [Interval(pause.started_at, pause.ended_at) for pause in self.pauses.all()]
        return closed + ([Interval(self.paused_at, None)] if self.paused_at else [])

    @property
    def promised(self) -> Target:
        return Target(self.target, TargetUnit(self.unit))

    @property
    def counting(self) -> Counting:
        """The calendar that counts this clock's time."""
        return CalendarVersion.objects.counting(self.calendar_version_id, self.unit)

    def has_run_out(self, now: datetime) -> bool:
        return has_run_out(self.due_at, now=now, paused_at=self.paused_at, stopped_at=self.stopped_at)


class Pause(models.Model):
    """A finished pause of a clock: this time does not count. `stage` is the stage that the ticket was in."""

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="pauses")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    stage = models.CharField(max_length=40)

    class Meta:
        ordering = ["started_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__gte=models.F("started_at")), name="pause_ends_after_start"
            )
        ]

    def __str__(self) -> str:
        return f"{self.clock_id} {self.started_at:%F %T}"
