"""What readers answer to «¿Te sirvió este artículo?»."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..enums import Missing
from .article import Article, ArticleVersion

COMMENT = 300


class ArticleFeedback(models.Model):
    """One person's answer about one version. `voter` is a hash that stands for the person or browser: the row does not
    say who answered."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="feedback")
    version = models.ForeignKey(ArticleVersion, on_delete=models.CASCADE, related_name="feedback")
    voter = models.CharField(max_length=64, editable=False)
    is_useful = models.BooleanField(_("sirvió"))
    missing = models.CharField(_("qué faltó"), max_length=12, choices=Missing, blank=True)
    comment = models.CharField(_("en una frase"), max_length=COMMENT, blank=True)
    at = models.DateTimeField(_("cuándo"), default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("opinión de un artículo")
        verbose_name_plural = _("opiniones de artículos")
        constraints = [models.UniqueConstraint(fields=["version", "voter"], name="article_feedback_once")]
        indexes = [models.Index(fields=["article", "-at"], name="article_feedback_recent")]

    def __str__(self) -> str:
        return f"{self.article_id} {'+' if self.is_useful else '-'}"
