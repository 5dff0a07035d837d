"""The errors that verbs raise. Their messages can be shown to the person who acted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from content.errors import DeskError

from .enums import PlaceKind


class NotAllowed(DeskError):
    """The actor has no permission to do this on this ticket."""

    default = _("No tienes permiso para hacer eso en este ticket.")


class ActionUnavailable(DeskError):
    """The action cannot be performed in the ticket's present stage."""

    default = _("Esa acción no está disponible en la etapa actual del ticket.")


@dataclass(frozen=True)
class Place:
    """Where in the back office staff can do what a guard requires. `name` says which one, if the kind has several."""

    kind: PlaceKind
    name: str = ""


class GuardFailed(DeskError):
    """A requirement for the change is not met.

    `guard` names the guard that failed; it is empty if the requirement has no guard. `asks` are the fields whose
    answers satisfy it, which the action's form then asks for. `place` is where else staff can do what is missing.
    """

    def __init__(
        self, message: str | Promise, *, guard: str = "", asks: Sequence[str] = (), place: Place | None = None
    ) -> None:
        self.guard = guard
        self.asks = asks
        self.place = place
        super().__init__(message)


class AccountMissing(GuardFailed):
    """The requester has no account. The page that selects or creates one is the place to go (S2.26, S2.27)."""

    def __init__(self) -> None:
        super().__init__(
            _("El solicitante no tiene cuenta. Selecciona o crea su cuenta antes de seguir."),
            place=Place(PlaceKind.ACCOUNT),
        )


class InvalidToken(DeskError):
    """A guest's link is unknown, expired, revoked or for another purpose. The message does not say which, so that
    strangers learn nothing from it."""

    default = _("Este enlace ya no sirve. Pide uno nuevo desde la página del ticket.")


class EndedLink(InvalidToken):
    """A guest's link was right, but was revoked or has expired. `token` is its row. It was mailed to the person who is
    the requester today, so they may read what ended it and get a new one."""

    def __init__(self, token: Any) -> None:
        self.token = token
        super().__init__()
