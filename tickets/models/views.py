"""The views of the history that people save."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

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
