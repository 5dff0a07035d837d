"""The closed lists that describe a person."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person does at the desk. The order is the rank: each staff role may what the ones before it may."""

    CUSTOMER = "customer", _("Cliente")
    AGENT = "agent", _("Agente")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMINISTRATOR = "administrator", _("Administrador")

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class Standing(models.TextChoices):
    """«Estatus administrativo»: gates every answer where the process says so (S2.9)."""

    ACTIVE = "active", _("Activo")
    INACTIVE = "inactive", _("Inactivo")


class Theme(models.TextChoices):
    AUTO = "auto", _("Como mi equipo")
    LIGHT = "light", _("Claro")
    DARK = "dark", _("Oscuro")
