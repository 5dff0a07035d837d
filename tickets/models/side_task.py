"""Side tasks: what other departments are asked to do for a ticket while it stays where it is (S0.20)."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class SideTaskQuerySet(models.QuerySet["SideTask"]):
    def open(self) -> "SideTaskQuerySet":
        return self.filter(ended_at__isnull=True)

    def for_person(self, user: "User") -> "SideTaskQuerySet":
        """Return the tasks that this staff member may do: those of their departments, and those that they have taken;
        for supervisors, all."""
        if user.is_supervisor:
            return self
        return self.filter(Q(department__in=user.department_ids) | Q(assignee=user))


class SideTask(models.Model):
    """Work that a department does for a ticket: reading logs, a test, a patch. Several may be open at once.

    While it is open, the members of the department and who took it see the ticket (`record.turns`). It ends when they
    write what they found, or without a result when it is withdrawn or the ticket is closed.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="side_tasks")
    department = models.ForeignKey(
        "accounts.Department", on_delete=models.PROTECT, related_name="+", verbose_name=_("departamento")
    )
    title = models.CharField(_("qué hay que hacer"), max_length=120)
    details = models.TextField(_("detalles"), blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("pedida"), default=timezone.now)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="side_tasks",
        verbose_name=_("responsable"),
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(_("terminada"), null=True, blank=True)
    result = models.TextField(_("resultado"), blank=True)
    """What the department did. Empty while the task is open, and for one that was withdrawn."""

    objects = SideTaskQuerySet.as_manager()

    class Meta:
        ordering = ["asked_at", "id"]
        verbose_name = _("tarea de otro equipo")
        verbose_name_plural = _("tareas de otros equipos")
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False) | Q(result=""), name="side_task_result_only_when_ended"
            )
        ]
        indexes = [
            models.Index(
                fields=["department", "ticket"], condition=Q(ended_at__isnull=True), name="side_task_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.title}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def is_withdrawn(self) -> bool:
        return self.ended_at is not None and not self.result
