"""Limit how often a secret of an account may be guessed: password, or code of the second factor.

Who has been here before is counted alone: a signed-in person, a browser that the person has signed in with, and a
network that they have signed in from. Strangers share the other counts. So a stranger who guesses wrong holds up
strangers only, and the person still gets in.
"""

from types import TracebackType
from typing import Self

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User, UserManager

from .client_ip import client_network
from .known_browsers import own_count
from .ratelimit import Limit

OWN = (Limit(10, 600),)
STRANGER_WITH_ACCOUNT = (Limit(5, 300), Limit(20, 3600))  # one network guessing at one account
STRANGERS_WITH_ACCOUNT = (Limit(30, 3600),)  # all networks together
STRANGER = (Limit(10, 60), Limit(100, 3600))  # one network guessing at any accounts


class Guess:
    """One attempt at an account's secret, `what` («password», «code»): take it before checking, give it back if it was
    right.

    Taking before checking limits attempts that arrive at the same time, too. Used as a context manager, the attempt is
    given back if the block raises nothing.
    """

    def __init__(self, request: HttpRequest, what: str, *, email: str) -> None:
        self.what = what
        self._taken: list[tuple[Limit, str]] = []
        self._counts = list(_counts(request, UserManager.normalize_email(email)))

    def take(self) -> None:
        """Count the attempt. Raises `ValidationError` with the reason and the waiting time if there were too many."""
        for limits, who, reason in self._counts:
            for limit in limits:
                key = f"guess {self.what} {who}"
                if not limit.take(key):
                    raise ValidationError(_refusal(self.what, reason, limit.minutes_left()), code="too_many")
                self._taken.append((limit, key))

    def give_back(self) -> None:
        for limit, key in self._taken:
            limit.give_back(key)
        self._taken.clear()

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.give_back()


def _counts(request: HttpRequest, email: str) -> list[tuple[tuple[Limit, ...], str, str]]:
    """Return limits, who is counted, and the reason to give, for each count of this attempt."""
    if own := own_count(request, User.objects.filter(email=email).first()):
        return [(OWN, own, "account")]
    network = client_network(request)
    return [
        (STRANGER, network, "network"),
        (STRANGER_WITH_ACCOUNT, f"{network} at {email}", "account"),
        (STRANGERS_WITH_ACCOUNT, f"strangers at {email}", "account"),
    ]


def _refusal(what: str, reason: str, minutes: int) -> str:
    if reason == "network":
        why = _("Hubo demasiados intentos fallidos desde tu red.")
    elif what == "password":
        why = _("Hubo demasiados intentos fallidos con este correo.")
    else:
        why = _("Hubo demasiados códigos equivocados.")
    if what == "password":
        way_out = ngettext(
            "Espera {n} minuto, o entra con un código que te enviamos por correo.",
            "Espera {n} minutos, o entra con un código que te enviamos por correo.",
            minutes,
        )
    else:
        way_out = ngettext(
            "Espera {n} minuto y escribe uno nuevo.", "Espera {n} minutos y escribe uno nuevo.", minutes
        )
    return f"{why} {way_out.format(n=minutes)}"
