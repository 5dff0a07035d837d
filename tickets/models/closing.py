"""Rows that belong to the closing of a ticket: checklist, contact log, nonconformities and the survey."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..enums import ContactKind, ContactOutcome
from .ticket import Ticket


class ChecklistEntry(models.Model):
    """One ticked item of the process's closing checklist (S2.44–S2.46)."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="checklist_entries")
    item = models.CharField(max_length=40)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "item"], name="checklist_item_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.item}"


class ContactEntry(models.Model):
    """A logged call or WhatsApp conversation with the requester, and its outcome (S2.22, S2.45, S2.46)."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="contacts")
    kind = models.CharField(_("medio"), max_length=10, choices=ContactKind)
    outcome = models.CharField(_("resultado"), max_length=10, choices=ContactOutcome)
    url = models.URLField(_("enlace de la conversación"), blank=True)
    note = models.CharField(_("detalle"), max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at"]
        verbose_name = _("contacto")
        verbose_name_plural = _("contactos")

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind} {self.outcome}"


class Nonconformity(models.Model):
    """«Reporte de inconformidad»: a solution was sent for a case that was not solved (S2.30)."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="nonconformities")
    responsible = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="nonconformities",
        verbose_name=_("responsable"),
    )
    reason = models.TextField(_("motivo"))
    opened_at = models.DateTimeField(_("abierto"), default=timezone.now)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("revisado por"),
    )
    reviewed_at = models.DateTimeField(_("revisado"), null=True, blank=True)
    review = models.TextField(_("conclusión"), blank=True)

    class Meta:
        ordering = ["-opened_at"]
        verbose_name = _("reporte de inconformidad")
        verbose_name_plural = _("reportes de inconformidad")
        indexes = [
            models.Index(
                fields=["-opened_at"], condition=Q(reviewed_at__isnull=True), name="nonconformity_to_review"
            ),
            models.Index(fields=["opened_at"], name="nonconformity_opened"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.opened_at:%F}"


class Survey(models.Model):
    """The requester's answer to the satisfaction survey, given once after closing (S0.25)."""

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="survey")
    score = models.PositiveSmallIntegerField(
        _("calificación"), validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    comment = models.TextField(_("comentario"), blank=True)
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("encuesta de satisfacción")
        verbose_name_plural = _("encuestas de satisfacción")
        constraints = [models.CheckConstraint(condition=Q(score__range=(1, 5)), name="survey_score_1_to_5")]
        indexes = [models.Index(fields=["answered_at"], name="survey_answered")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.score}"
