"""Limit the account mails that somebody can cause: to one recipient, and from one network.

Codes, new passwords and sign-ups share the counts. As in `web.guessing`, who has been here before is counted alone, so
that a stranger cannot use up the codes with which a person gets in.
"""

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User, UserManager

from .client_ip import client_network
from .known_browsers import own_count
from .ratelimit import Limit, mailbox

OWN = Limit(8, 3600)
STRANGER_TO_RECIPIENT = Limit(4, 3600)
STRANGERS_TO_RECIPIENT = Limit(12, 3600)
STRANGER = Limit(40, 3600)


def take(request: HttpRequest, email: str) -> None:
    """Count one mail to `email`. Raises `ValidationError` with the reason and the waiting time if there were too many.

    The counts do not depend on whether the address has an account.
    """
    for limit, who, is_recipient in _counts(request, UserManager.normalize_email(email)):
        if not limit.take(f"account-mail {who}"):
            raise ValidationError(_refusal(is_recipient, limit.minutes_left()), code="too_many")


def _counts(request: HttpRequest, email: str) -> list[tuple[Limit, str, bool]]:
    """Return the limit, who is counted, and whether that is the recipient, for each count of this mail."""
    network, box = client_network(request), mailbox(email)
    if request.user.is_authenticated:  # a person may add any address to their account
        return [(OWN, f"user {request.user.pk}", False), (STRANGERS_TO_RECIPIENT, f"to {box}", True)]
    if own := own_count(request, User.objects.filter(email=email).first()):
        return [(OWN, own, True)]
    return [
        (STRANGER, f"from {network}", False),
        (STRANGER_TO_RECIPIENT, f"from {network} to {box}", True),
        (STRANGERS_TO_RECIPIENT, f"to {box}", True),
    ]


def _refusal(is_recipient: bool, minutes: int) -> str:
    if is_recipient:
        why = _("Ya enviamos varios correos a esta dirección: búscalos también entre el correo no deseado.")
    else:
        why = _("Pediste demasiados correos desde tu red.")
    wait = ngettext("Vuelve a intentar en {n} minuto.", "Vuelve a intentar en {n} minutos.", minutes).format(
        n=minutes
    )
    return f"{why} {wait}"
