"""The fixed lists that describe a person: role, standing and theme."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A person's role. The order is the rank: each staff role may do all that the staff roles before it may do."""

    CUSTOMER = "customer", _("Cliente")
    AGENT = "agent", _("Agente")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMINISTRATOR = "administrator", _("Administrador")

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class Standing(models.TextChoices):
    """«Estatus administrativo» of a customer. Some processes require staff to check it before any answer (S2.9)."""

    ACTIVE = "active", _("Activo")
    INACTIVE = "inactive", _("Inactivo")


class Theme(models.TextChoices):
    AUTO = "auto", _("Como mi equipo")
    LIGHT = "light", _("Claro")
    DARK = "dark", _("Oscuro")
