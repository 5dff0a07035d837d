"""The closed lists of articles: who reads them, how they stand, what was done to them and why one did not help."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Audience(models.TextChoices):
    """Who may read a published article. The order is the reach: each audience may also read those before it."""

    PUBLIC = "public", _("Todas las personas")
    CUSTOMERS = "customers", _("Clientes con cuenta")
    INTERNAL = "internal", _("Procedimiento interno")

    @property
    def reach(self) -> int:
        """The place in the order, which search stores beside each word: 0 for public articles."""
        return list(Audience).index(self)


class ArticleState(models.TextChoices):
    DRAFT = "draft", _("Borrador")
    PUBLISHED = "published", _("Publicado")
    ARCHIVED = "archived", _("Archivado")


class ChangeKind(models.TextChoices):
    """What was done to an article, beside the versions of its texts."""

    CREATED = "created", _("Creado")
    PUBLISHED = "published", _("Publicado")
    ARCHIVED = "archived", _("Archivado")
    RESTORED = "restored", _("Vuelto a borrador")
    RENAMED = "renamed", _("Dirección cambiada")
    EDITED = "edited", _("Ficha cambiada")
    REVIEWED = "reviewed", _("Revisado")


class Missing(models.TextChoices):
    """What was missing in an article that did not help."""

    OTHER_CASE = "other_case", _("No es mi caso")
    UNCLEAR = "unclear", _("No entendí un paso")
    OUTDATED = "outdated", _("Está desactualizado")
    STILL_FAILS = "still_fails", _("Lo hice y sigue igual")


class DeflectionOutcome(models.TextChoices):
    """What became of a report that somebody did not send because an answer helped."""

    PENDING = "pending", _("Por confirmar")
    COUNTED = "counted", _("Evitó un ticket")
    FILED = "filed", _("Abrió un ticket después")


class ProposalOutcome(models.TextChoices):
    """What the team did with what solved tickets propose for a ticket."""

    TAKEN = "taken", _("Tomada")
    SET_ASIDE = "set_aside", _("No se parece")
