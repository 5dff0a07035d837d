"""The stays of tickets in their stages: what reports about a process and its times are made from."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Department

from ..enums import WaitedFor
from .calendar import CalendarVersion
from .process import ProcessVersion
from .ticket import Ticket


class StageVisit(models.Model):
    """Store a finished stay of a ticket in a stage. `workflow.perform` writes it when the ticket leaves; the stay that
    lasts is in the ticket itself (`stage`, `stage_since`).

    `assignee` and `department` are those of the stay, before the action that ended it changed them. `working_seconds`
    are opening hours, counted with `calendar_version`; without one every hour counts.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="visits")
    process_version = models.ForeignKey(
        ProcessVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    stage = models.CharField(max_length=40)
    number = models.PositiveSmallIntegerField()
    """Which of the ticket's visits to this stage it was, from 1."""
    waited_for = models.CharField(max_length=12, choices=WaitedFor)
    is_counted = models.BooleanField()
    """Whether the ticket's clocks ran in this stage."""
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField()
    action = models.CharField(max_length=40)
    next_stage = models.CharField(max_length=40)
    left_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """The user who ended it; None for guests and for the system."""
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    calendar_version = models.ForeignKey(
        CalendarVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    working_seconds = models.PositiveIntegerField()
    elapsed_seconds = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("estancia en una etapa")
        verbose_name_plural = _("estancias en etapas")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "stage", "number"], name="stage_visit_once"),
            models.CheckConstraint(condition=Q(left_at__gte=F("entered_at")), name="stage_visit_ends_later"),
        ]
        indexes = [
            models.Index(fields=["left_at"], name="stage_visit_left"),
            models.Index(fields=["process_version", "stage", "left_at"], name="stage_visit_of_stage"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.stage} {self.number}"
