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

COOKIE = "desk_guest"
SALT = "web.grants"
SECONDS = 7 * 24 * 3600
KEPT = 20  # links per browser; the oldest is dropped for a new one


def granted(request: HttpRequest) -> list[int]:
    """Return the ids of the tokens that this browser has opened, oldest first."""
    try:
        tokens = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return []
    return [token for token in tokens if isinstance(token, int)]


def grant(request: HttpRequest, response: HttpResponseBase, token: GuestToken) -> None:
    """Add `token` to the cookie that `response` sets."""
    tokens = [*(pk for pk in granted(request) if pk != token.pk), token.pk][-KEPT:]
    response.set_cookie(
        COOKIE,
        signing.dumps(tokens, salt=SALT, compress=True),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
