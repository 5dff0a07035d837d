"""Remember which guests' links a browser has opened, in one signed cookie with the ids of their tokens.

A link is opened with GET. This changes nothing in the database: the response sets the cookie and redirects to a URL
without the token, so a mail scanner that follows the link does no harm and the person needs no extra button. The token
stays out of the browser's history, screenshots and referrers. The cookie alone gives no access: every request checks
the tokens again with `guests.find_valid`.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from tickets.models import GuestToken

from .cookies import FORMER_GUEST_COOKIE

SALT = "web.grants.2"
FORMER_SALT = "web.grants"
SECONDS = 7 * 24 * 3600
KEPT = 20  # links per browser; the oldest is dropped for a new one


def granted(request: HttpRequest) -> list[int]:
    """Return the ids of the tokens that this browser has opened, oldest first."""
    return _signed(request, settings.DESK_GUEST_COOKIE_NAME, SALT) or _signed(
        request, FORMER_GUEST_COOKIE, FORMER_SALT
    )


def _signed(request: HttpRequest, cookie: str, salt: str) -> list[int]:
    try:
        tokens = signing.loads(request.COOKIES.get(cookie, ""), salt=salt, max_age=SECONDS)
    except signing.BadSignature:
        return []
    return [token for token in tokens if isinstance(token, int)]


def grant(request: HttpRequest, response: HttpResponseBase, token: GuestToken) -> None:
    """Add `token` to the cookie that `response` sets."""
    tokens = [*(pk for pk in granted(request) if pk != token.pk), token.pk][-KEPT:]
    name = settings.DESK_GUEST_COOKIE_NAME
    if name != FORMER_GUEST_COOKIE:
        _delete(FORMER_GUEST_COOKIE, request, response)
    response.set_cookie(
        name,
        signing.dumps(tokens, salt=SALT, compress=True),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def forget(request: HttpRequest, response: HttpResponseBase) -> None:
    """Delete the cookie, under both its names."""
    for name in {settings.DESK_GUEST_COOKIE_NAME, FORMER_GUEST_COOKIE}:
        _delete(name, request, response)


def _delete(name: str, request: HttpRequest, response: HttpResponseBase) -> None:
    if name in request.COOKIES:
        response.delete_cookie(name, samesite="Lax")
