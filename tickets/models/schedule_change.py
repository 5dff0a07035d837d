"""Changes of calendars and targets that supervisors propose, look at and apply, and the due dates that each moves."""

import re
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..enums import ChangeState, ClosureReason
from .calendar import Calendar, CalendarVersion
from .clock import Clock
from .policy import PolicyVersion
from .process import Process
from .ticket import Ticket

BACK_TO_VERSION = re.compile(r"(?:Volver a la versión|Go back to version) (\d{1,6})")


class ScheduleChange(models.Model):
    """New rules for a calendar, or new targets for a process. While it is a draft, `tickets.schedules` counts what they
    would do to the clocks that have not stopped; once it is confirmed, they become the next version of the calendar or
    of the process's policy, and the clocks are recomputed.

    `tally` and `cursor` say how far that has come: tickets are taken in the order of their keys.
    """

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, null=True, related_name="changes")
    process = models.ForeignKey(Process, on_delete=models.CASCADE, null=True, related_name="changes")
    """Exactly one of `calendar` and `process` is set: it is what changes."""
    base = models.ForeignKey(CalendarVersion, on_delete=models.CASCADE, null=True, related_name="+")
    base_policy = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, null=True, related_name="+")
    """The version that the person changed. Of a process both are null as long as the file's targets are in force."""
    version = models.OneToOneField(
        CalendarVersion, on_delete=models.CASCADE, null=True, related_name="change", editable=False
    )
    policy = models.OneToOneField(
        PolicyVersion, on_delete=models.CASCADE, null=True, related_name="change", editable=False
    )
    """The version that the change became."""
    rules = models.JSONField(_("reglas"))
    """As `CalendarRules.as_json` or `definitions.targets.as_json` writes them."""
    reason = models.CharField(_("motivo"), max_length=160, blank=True)
    is_closure = models.BooleanField(_("cierre extraordinario"), default=False, db_default=False)
    undoes = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="undone_by"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    state = models.CharField(_("estado"), max_length=12, choices=ChangeState, default=ChangeState.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    """When the last clock had been counted or, after it was applied, recomputed. None while that goes on."""
    cursor = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    """How many clocks there are to count or recompute. None until the job has looked."""
    tally = models.JSONField(default=dict)
    """How many clocks have been taken (`done`), how many of those fall under each outcome, and how many tickets become
    or cease to be elevated: see `tickets.schedules.counting`."""

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("cambio de horario")
        verbose_name_plural = _("cambios de horario")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=[ChangeState.APPLYING, ChangeState.APPLIED])
                | (Q(applied_at__isnull=False) & (Q(version__isnull=False) | Q(policy__isnull=False))),
                name="schedule_change_has_version",
            ),
            models.CheckConstraint(
                condition=Q(calendar__isnull=False, process__isnull=True)
                | Q(calendar__isnull=True, process__isnull=False),
                name="schedule_change_has_one_subject",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(finished_at__isnull=True, state__in=[ChangeState.DRAFT, ChangeState.APPLYING]),
                name="schedule_change_at_work",
            )
        ]

    def __str__(self) -> str:
        return f"{self.calendar_id or self.process_id} {self.state} {self.pk}"

    @property
    def told_reason(self) -> str:
        """The reason in the reader's language where the desk composed it: of an undo, a return to an earlier version,
        and a closure for one of the reasons that the form offers. What a person typed is returned as typed.

        Reads `undoes`, which lists should select.
        """
        if self.undoes is not None:
            reason = self.undoes.told_reason
            return gettext("Deshacer: %(reason)s") % {"reason": reason} if reason else gettext("Deshacer")
        if found := BACK_TO_VERSION.fullmatch(self.reason):
            return gettext("Volver a la versión %(number)d") % {"number": int(found[1])}
        if self.is_closure:
            offered = (each for each in ClosureReason if self.reason in map(each.named_in, ("es", "en")))
            return next((str(each.label) for each in offered if each != ClosureReason.OTHER), self.reason)
        return self.reason

    @property
    def is_at_work(self) -> bool:
        return self.finished_at is None and self.state in (ChangeState.DRAFT, ChangeState.APPLYING)

    @property
    def percent(self) -> int:
        """How far the counting has come, from 0 to 100."""
        if not self.is_at_work:
            return 100
        return min(99, 100 * self.tally.get("done", 0) // self.total) if self.total else 0


class DueChange(models.Model):
    """The due date of one clock before and after a change: what it would do while the change is a draft, what it did
    afterwards. Dates that stay have no row."""

    change = models.ForeignKey(ScheduleChange, on_delete=models.CASCADE, related_name="dues")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="due_changes")
    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="due_changes")
    before = models.DateTimeField(_("vencía"))
    after = models.DateTimeField(_("vence"))
    is_later = models.BooleanField()
    is_breached = models.BooleanField(default=False)
    """The date had not passed before, and has passed now."""
    is_cleared = models.BooleanField(default=False)
    """A breach was recorded, and the date now lies ahead. The record keeps the breach."""
    is_applied = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["change", "id"]
        verbose_name = _("vencimiento movido")
        verbose_name_plural = _("vencimientos movidos")
        constraints = [models.UniqueConstraint(fields=["change", "clock"], name="due_change_once_per_clock")]

    def __str__(self) -> str:
        return f"{self.clock_id} {self.before:%F %T} → {self.after:%F %T}"
