"""Read the signed links of the organisation's apps, and find or make the account of the person they name (S0.5).

A link holds a JSON Web Token (RFC 7519) in compact form, signed with HMAC-SHA256 (`HS256`). docs/app-links.md describes
its claims for developers of apps, decision 47 gives the reasons for these rules.

The app vouches for its own people. So it may open the account that it has made, or that its owner has linked to it, and
no other: not an account with the same address, and never one of staff.
"""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from content.batches import delete_in_batches
from content.errors import DeskError
from content.sealing import resealed
from content.text import clean_line

from .connected_apps import readable
from .models import AppPerson, AppSecret, ConnectedApp, CustomerKind, UsedAppLink, User, UserManager
from .validators import MAX_ADDRESS, validate_address

logger = logging.getLogger(__name__)

LONGEST = 4000
"""Characters of a token. Longer ones are refused before any work."""
LIFETIME = timedelta(minutes=5)
SKEW = timedelta(seconds=60)
"""How far the clock of the app's server may be from ours."""
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
KEY = re.compile(r"[\w-]{1,40}", re.ASCII)
VERSION_LENGTH = 40
EARLIEST, LATEST = (
    0,
    4_102_444_800,
)  # 1970 to 2100: other times are mistakes, and `datetime` has no year 60000


class RefusedLink(DeskError):
    """The link opens nothing. The message tells the person why; `detail` tells the app's developer what to mend.

    `app` is the app that the link names, if there is one: the way back.
    """

    reason = "refused"

    def __init__(self, message: str, *, detail: str = "", app: ConnectedApp | None = None) -> None:
        self.detail, self.app = detail, app
        super().__init__(message)


class UnreadableLink(RefusedLink):
    """Damaged, of an unknown app, or signed with another secret: nothing in it can be believed."""

    reason = "unreadable"


class ExpiredLink(RefusedLink):
    """Its time is over, it was used, or the clock of the app's server is wrong."""

    reason = "expired"


class NotTheirAccount(RefusedLink):
    """The account exists and may not be entered in this way: it is one of staff, or deactivated."""

    reason = "account"


@dataclass(frozen=True)
class AppLink:
    """What a link with a right signature says."""

    app: ConnectedApp
    secret: AppSecret
    subject: str
    email: str
    name: str
    kind: str
    language: str
    version: str
    digest: str
    expires_at: datetime


@dataclass(frozen=True)
class Entry:
    """Whose account the link opens. With `needs_proof`, its owner has to prove it first: see `link_account`."""

    user: User
    needs_proof: bool = False


# --- Reading ----------------------------------------------------------------------------------------------


def read(token: str, *, now: datetime | None = None) -> AppLink:
    """Check signature and claims, and return what the link says. Changes nothing. Raises `RefusedLink`.

    The algorithm is always HS256: what the header asks for instead is refused, never done.
    """
    header, claims, signed, signature = _parts(token)
    app = _app(claims.get("iss"))
    secret = _signer(app, header, signed, signature)
    _check_times(claims, app, now or timezone.now())
    return AppLink(
        app=app,
        secret=secret,
        subject=_exact(claims, "sub", app),
        email=_email(claims, app),
        name=_claim(claims, "name", app, longest=120, needed=False),
        kind=_claim(claims, "kind", app, longest=50, needed=False),
        language=_language(_claim(claims, "locale", app, longest=35, needed=False)),
        version=_claim(claims, "app_version", app, longest=VERSION_LENGTH, needed=False),
        digest=hashlib.sha256(_exact(claims, "jti", app).encode()).hexdigest(),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC) + SKEW,
    )


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Return header, claims, the signed bytes and the signature."""
    damaged = _("El enlace llegó incompleto o dañado.")
    if len(token) > LONGEST or not TOKEN.fullmatch(token):
        raise UnreadableLink(damaged, detail="The token is not a compact JWT of at most 4000 characters.")
    head, body, signature = token.split(".")
    try:
        header, claims = json.loads(_decoded(head)), json.loads(_decoded(body))
        raw = _decoded(signature)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise UnreadableLink(damaged, detail="Header and claims must be base64url of JSON.") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise UnreadableLink(damaged, detail="Header and claims must be JSON objects.")
    if header.get("alg") != "HS256" or "crit" in header:
        raise UnreadableLink(damaged, detail="The header must say alg HS256, and no crit.")
    return header, claims, f"{head}.{body}".encode(), raw


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _app(key: Any) -> ConnectedApp:
    known = isinstance(key, str) and KEY.fullmatch(key)
    app = ConnectedApp.objects.filter(key=key, is_active=True).first() if known else None
    if app is None:
        raise UnreadableLink(
            _("No conocemos la aplicación que envió este enlace, o ya no está conectada."),
            detail="The claim iss must be the key of a connected app.",
        )
    return app


def _signer(app: ConnectedApp, header: dict[str, Any], signed: bytes, signature: bytes) -> AppSecret:
    """Return the working secret that signed the link. Few work at once, so all are tried if the header names none."""
    working = app.secrets.filter(revoked_at=None).select_related("app")
    named = header.get("kid")
    for secret in working:
        raw = readable(secret) if named in (None, secret.key_id) else ""
        # An empty secret would accept a signature that anybody can make.
        if raw and hmac.compare_digest(hmac.digest(raw.encode(), signed, "sha256"), signature):
            return secret
    logger.info("app %s: a link with a wrong signature", app.key)
    raise UnreadableLink(
        _("No pudimos comprobar que este enlace venga de %(app)s.") % {"app": app},
        detail="The signature does not match a working secret of the app; kid, if given, must name one.",
        app=app,
    )


def _check_times(claims: dict[str, Any], app: ConnectedApp, now: datetime) -> None:
    begins, ends = (_time(claims, name, app) for name in ("iat", "exp"))
    if not timedelta(0) < ends - begins <= LIFETIME:
        raise UnreadableLink(
            _("El enlace llegó incompleto o dañado."),
            detail="exp must come after iat, by 5 minutes at most.",
            app=app,
        )
    if begins > now + SKEW:
        raise ExpiredLink(
            _("El reloj de %(app)s va adelantado, y su enlace todavía no vale.") % {"app": app},
            detail=f"iat is {math.ceil((begins - now).total_seconds())} s ahead of our clock.",
            app=app,
        )
    if ends + SKEW < now:
        raise ExpiredLink(
            _("El enlace venció: vale cinco minutos."),
            detail=f"exp was {math.ceil((now - ends).total_seconds())} s ago.",
            app=app,
        )


def _time(claims: dict[str, Any], name: str, app: ConnectedApp) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not EARLIEST <= value <= LATEST:
        raise _missing(name, app)
    return datetime.fromtimestamp(value, UTC)


def _claim(claims: dict[str, Any], name: str, app: ConnectedApp, *, longest: int, needed: bool = True) -> str:
    """Return a text of the claims in one line. A number counts as text, because some apps have numbers as ids."""
    value = claims.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text = clean_line(value, max_length=LONGEST) if isinstance(value, str) else ""
    if needed and not 0 < len(text) <= longest:
        raise _missing(name, app)
    return text if needed else text[:longest]


def _exact(claims: dict[str, Any], name: str, app: ConnectedApp) -> str:
    """Return an identifier. One with invisible characters or doubled spaces is refused and not cleaned: cleaned, it
    could be somebody else's."""
    text = _claim(claims, name, app, longest=200)
    if text != str(claims[name]):
        raise _missing(name, app)
    return text


def _email(claims: dict[str, Any], app: ConnectedApp) -> str:
    email = UserManager.normalize_email(_claim(claims, "email", app, longest=MAX_ADDRESS))
    try:
        validate_email(email)
        validate_address(email)
    except ValidationError as error:
        raise _missing("email", app) from error
    return email


def _missing(name: str, app: ConnectedApp) -> UnreadableLink:
    return UnreadableLink(
        _("El enlace llegó incompleto o dañado."), detail=f"The claim {name} is missing or wrong.", app=app
    )


def _language(locale: str) -> str:
    """Return the language of ours that «es-CO» or «en_US» names; empty if it names none."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in dict(settings.LANGUAGES) else ""


# --- Entering ---------------------------------------------------------------------------------------------


def find_user(link: AppLink) -> User | None:
    """Return the account that the link would open or ask to be proved, to tell its owner from somebody else."""
    known = AppPerson.objects.filter(app=link.app, subject=link.subject).select_related("user").first()
    return known.user if known else User.objects.filter(email=link.email).first()


@transaction.atomic
def enter(link: AppLink) -> Entry:
    """Use the link, once, and return whose account it opens; make one for a person who has none.

    Raises `ExpiredLink` if it was used before, `NotTheirAccount` for staff and for deactivated accounts.
    """
    _use(link)
    known = AppPerson.objects.filter(app=link.app, subject=link.subject).select_related("user").first()
    if known is not None:
        _refuse_closed(known.user, link)
        _update(known.user, link)
        return Entry(known.user)
    user = User.objects.filter(email=link.email).first()
    if user is None:
        try:
            with transaction.atomic():
                return Entry(_make(link))
        except IntegrityError:  # another link of the same person came first
            known = (
                AppPerson.objects.filter(app=link.app, subject=link.subject).select_related("user").first()
            )
            if known is not None:
                return Entry(known.user)
            user = User.objects.get(email=link.email)
    _refuse_closed(user, link)
    return Entry(user, needs_proof=True)


def link_account(app_id: int, subject: str, user: User) -> bool:
    """Let the app open the account from now on, after its owner has proved it in the browser that the app sent.

    Returns whether it may: not for staff, nor an app that is no longer connected or has linked the subject to another
    account.
    """
    app = ConnectedApp.objects.filter(pk=app_id, is_active=True).first()
    if app is None or user.is_desk_staff:
        return False
    row, _made = AppPerson.objects.get_or_create(app=app, subject=subject, defaults={"user": user})
    return row.user_id == user.pk


def forget_used() -> None:
    """Delete the marks of used links that have expired: they are refused for that."""
    delete_in_batches(UsedAppLink.objects.filter(expires_at__lt=timezone.now()))


def _use(link: AppLink) -> None:
    try:
        with transaction.atomic():
            UsedAppLink.objects.create(app=link.app, digest=link.digest, expires_at=link.expires_at)
    except IntegrityError as error:
        raise ExpiredLink(
            _("Este enlace ya se usó: sirve una sola vez."),
            detail="A link with this jti was used before.",
            app=link.app,
        ) from error
    secret = AppSecret.objects.filter(pk=link.secret.pk)
    secret.update(used_at=timezone.now(), sealed=resealed(link.secret.sealed))


def _refuse_closed(user: User, link: AppLink) -> None:
    if user.is_desk_staff:
        raise NotTheirAccount(
            _("Las cuentas del equipo no entran desde otra aplicación. Entra con tu contraseña."),
            detail="The address belongs to staff of the desk.",
            app=link.app,
        )
    if not user.is_active:
        raise NotTheirAccount(
            _("Esta cuenta está desactivada. Escríbenos y lo revisamos."),
            detail="The account is deactivated.",
            app=link.app,
        )


def _make(link: AppLink) -> User:
    """Make the account. Nobody has proved the address yet, so it does not get what others filed under it."""
    language = {"language": link.language} if link.language else {}
    user = User.objects.create_user(
        link.email,
        name=link.name or link.email.partition("@")[0],
        kind=_kind(link),
        external_account=link.subject[:120],
        **language,
    )
    AppPerson.objects.create(app=link.app, subject=link.subject, user=user)
    return user


def _update(user: User, link: AppLink) -> None:
    """Take over the kind of customer, which the organisation knows best. Name and address stay as the person has
    them."""
    kind = _kind(link)
    if kind is not None and user.kind_id != kind.pk:
        user.kind = kind
        user.save(update_fields=["kind"])


def _kind(link: AppLink) -> CustomerKind | None:
    """Return the kind of customer that the link names. An unknown one is no reason to keep somebody from help."""
    kind = CustomerKind.objects.filter(key=link.kind).first() if link.kind else None
    if link.kind and kind is None:
        logger.warning("app %s: no customer kind %r", link.app.key, link.kind)
    return kind
