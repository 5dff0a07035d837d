"""Store the solutions that are offered before a report is filed, and the reports that were not needed (S3.20)."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models import Ticket

from ..enums import DeflectionOutcome, ProposalOutcome
from .article import TITLE, Article

PATTERN_TEXT = 600


class SolutionPattern(models.Model):
    """How several customers' cases of one category were solved, in words that none of them has alone (decision 49).

    Written by `suggestions.patterns.refresh`, never from one ticket. `stems` has the stems by which it is found, each
    with the share of the cases that have it. `digest` stands for process, category and text, so that a pattern keeps
    its row, and stays hidden, from one refresh to the next.
    """

    digest = models.CharField(max_length=64, unique=True, editable=False)
    process = models.SlugField(_("proceso"), max_length=60, db_index=False)
    category = models.SlugField(_("categoría"), max_length=60, blank=True, db_index=False)
    needs_account = models.BooleanField(default=False)
    title = models.CharField(_("título"), max_length=TITLE)
    text = models.CharField(_("cómo se resolvió"), max_length=PATTERN_TEXT)
    stems: Any = models.JSONField(default=dict)
    cases = models.PositiveIntegerField(_("casos"))
    customers = models.PositiveIntegerField(_("clientes"))
    is_hidden = models.BooleanField(_("oculta"), default=False)
    refreshed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-cases", "pk"]
        verbose_name = _("solución que se repite")
        verbose_name_plural = _("soluciones que se repiten")
        indexes = [
            models.Index(
                fields=["-cases"], condition=models.Q(is_hidden=False), name="solution_pattern_offered"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.cases})"


class Deflection(models.Model):
    """Somebody said «Esto lo resolvió» instead of filing. Counts once they have filed nothing in the category for
    `deflections.DAYS` days.

    `user`, `visitor` (the hash of the browser's cookie) and `draft` say who it was until that is decided, and are then
    erased: what is counted is about nobody.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    visitor = models.CharField(max_length=64, blank=True, editable=False)
    draft = models.UUIDField(null=True, blank=True, editable=False)
    process = models.SlugField(_("proceso"), max_length=60, db_index=False)
    category = models.SlugField(_("categoría"), max_length=60, blank=True, db_index=False)
    article = models.ForeignKey(
        Article, on_delete=models.SET_NULL, null=True, blank=True, related_name="deflections"
    )
    pattern = models.ForeignKey(
        SolutionPattern, on_delete=models.SET_NULL, null=True, blank=True, related_name="deflections"
    )
    outcome = models.CharField(
        _("resultado"), max_length=10, choices=DeflectionOutcome, default=DeflectionOutcome.PENDING
    )
    at = models.DateTimeField(_("cuándo"), default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name = _("ticket evitado")
        verbose_name_plural = _("tickets evitados")
        indexes = [
            models.Index(fields=["outcome", "at"], name="deflection_outcome"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "process", "category"],
                condition=models.Q(outcome="pending"),
                name="deflection_of_user_once",
            ),
            models.UniqueConstraint(
                fields=["visitor", "process", "category"],
                condition=models.Q(outcome="pending") & ~models.Q(visitor=""),
                name="deflection_of_visitor_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.process}.{self.category} {self.outcome}"

    @property
    def suggestion_key(self) -> str:
        """The key by which `suggestions.find` finds what helped; "" if it is gone."""
        if self.article_id:
            return f"articulo-{self.article_id}"
        return f"solucion-{self.pattern_id}" if self.pattern_id else ""


class ProposalUse(models.Model):
    """What the team did with the proposal beside a ticket: somebody took a part of it, or set all of it aside.

    A ticket has one row: who sets a proposal aside after a part was taken says that it was wrong.
    """

    ticket = models.OneToOneField(
        Ticket, on_delete=models.CASCADE, related_name="+", verbose_name=_("ticket")
    )
    outcome = models.CharField(_("resultado"), max_length=10, choices=ProposalOutcome)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(_("cuándo"), default=timezone.now)

    class Meta:
        verbose_name = _("uso de una propuesta")
        verbose_name_plural = _("usos de propuestas")
        indexes = [models.Index(fields=["outcome", "at"], name="proposal_use_outcome")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.outcome}"

    @property
    def is_set_aside(self) -> bool:
        return self.outcome == ProposalOutcome.SET_ASIDE


class ModelUse(models.Model):
    """How much a language model was used on one day, for the daily cap."""

    day = models.DateField(unique=True)
    calls = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day}: {self.tokens}"
