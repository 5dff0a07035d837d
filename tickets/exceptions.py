"""What can go wrong with a verb. Every message is fit to be shown to the person who acted."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from content.errors import DeskError


class NotAllowed(DeskError):
    """This person may not do this to this ticket."""

    default = _("No tienes permiso para hacer eso en este ticket.")


class ActionUnavailable(DeskError):
    """The ticket's present stage does not offer the action."""

    default = _("Esa acción no está disponible en la etapa actual del ticket.")


class GuardFailed(DeskError):
    """A condition that the process sets is not met. `guard` is its name in the registry."""

    def __init__(self, message: str | Promise, *, guard: str = "") -> None:
        self.guard = guard
        super().__init__(message)


class InvalidToken(DeskError):
    """A guest's link is unknown, expired, revoked or meant for something else; which, is nobody's business."""

    default = _("Este enlace ya no sirve. Pide uno nuevo desde la página del ticket.")
