"""Sections of the help centre."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import LocalisedName


class Section(LocalisedName):
    """A group of articles in the help centre, such as «Cuenta y acceso»."""

    slug = models.SlugField(_("dirección"), unique=True, max_length=60)
    description = models.CharField(_("descripción"), max_length=200, blank=True)
    description_en = models.CharField(_("descripción en inglés"), max_length=200, blank=True)
    icon = models.CharField(_("icono"), max_length=40, default="journal-text")
    position = models.PositiveSmallIntegerField(_("orden"), default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("sección")
        verbose_name_plural = _("secciones")

    @property
    def localised_description(self) -> str:
        return self.description_en if self.description_en and get_language() == "en" else self.description
