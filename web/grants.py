"""Which guests' links a browser has opened: one signed cookie with the numbers of their tokens.

A link is exchanged on GET. Nothing in the desk changes by that: the answer sets a cookie and goes on to an address
without the secret, so a mail scanner that follows the link gets a cookie it throws away, and the person is spared a
button. The secret stays out of the history, of screenshots and of referrers. The cookie opens nothing by itself: every
request asks `guests.still_valid` again.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from tickets.models import GuestToken

COOKIE = "desk_guest"
SALT = "web.grants"
SECONDS = 7 * 24 * 3600
KEPT = 20  # links one browser may have open; the oldest makes room


def granted(request: HttpRequest) -> list[int]:
    """The tokens this browser has redeemed, oldest first."""
    try:
        tokens = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return []
    return [token for token in tokens if isinstance(token, int)]


def grant(request: HttpRequest, response: HttpResponseBase, token: GuestToken) -> None:
    tokens = [*(pk for pk in granted(request) if pk != token.pk), token.pk][-KEPT:]
    response.set_cookie(
        COOKIE,
        signing.dumps(tokens, salt=SALT, compress=True),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
