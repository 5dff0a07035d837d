"""Connect the organisation's apps to the desk: make, replace and revoke the secrets that sign their links (S0.5)."""

import logging
import secrets

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from content.errors import DeskError
from content.sealing import CannotUnseal, seal, unseal

from .models import AppSecret, ConnectedApp, User

logger = logging.getLogger(__name__)
WORKING_AT_ONCE = 2
"""How many secrets of an app work: the old one until all its servers have the new one."""


class TooManySecrets(DeskError):
    """The app has as many secrets as may work at once."""


@transaction.atomic
def make_secret(app: ConnectedApp, *, by: User) -> tuple[AppSecret, str]:
    """Make a secret for `app`. Returns its row, and the secret itself, which nobody is shown again.

    Raises `TooManySecrets`.
    """
    app = ConnectedApp.objects.select_for_update().get(pk=app.pk)
    if app.secrets.filter(revoked_at=None).count() >= WORKING_AT_ONCE:
        raise TooManySecrets(_("Ya hay dos secretos en uso. Revoca el que nadie use antes de crear otro."))
    raw = secrets.token_urlsafe(32)
    row = AppSecret.objects.create(app=app, key_id=secrets.token_hex(4), sealed=seal(raw), created_by=by)
    logger.info("app %s: user %s made secret %s", app.key, by.pk, row.key_id)
    return row, raw


def revoke_secret(secret: AppSecret, *, by: User) -> None:
    """End a secret at once. Links signed with it are refused; people who have entered stay."""
    AppSecret.objects.filter(pk=secret.pk, revoked_at=None).update(revoked_at=timezone.now())
    logger.info("app %s: user %s revoked secret %s", secret.app.key, by.pk, secret.key_id)


def readable(secret: AppSecret) -> str:
    """Return the secret itself; empty if this installation cannot read it, because its SECRET_KEY is another one."""
    try:
        return unseal(secret.sealed)
    except CannotUnseal:
        logger.exception(
            "secret %s of app %s was sealed with another SECRET_KEY", secret.key_id, secret.app.key
        )
        return ""
