"""Recognise browsers and networks from which a person has signed in, so that strangers who guess wrong do not lock the
person out there.

A signed cookie holds a random mark for each person who has signed in with this browser. It gives no access: it only
gives the browser a count of wrong guesses of its own (`web.guessing`). See OWASP, «Slow Down Online Guessing Attacks
with Device Cookies».
"""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from accounts import known_networks
from accounts.models import User

from .client_ip import UNKNOWN, client_network

SALT = "web.known_browsers"
SECONDS = 365 * 24 * 3600
KEPT = 10  # people per browser; the oldest is dropped for a new one


def own_count(request: HttpRequest, user: User | None) -> str:
    """Return the key to count this visitor by, alone, if they are probably `user`: signed in, or with a browser or from
    a network that `user` has signed in with. Otherwise return an empty text: a stranger."""
    if user is None:
        return ""
    if request.user.is_authenticated and request.user.pk == user.pk:
        return f"user {user.pk}"
    if mark := _marks(request).get(str(user.pk)):
        return f"browser {mark}"
    network = client_network(request)
    if network != UNKNOWN and known_networks.is_known(user, network):
        return f"network {network} of {user.pk}"
    return ""


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Remember the person's browser, in a cookie that `response` sets, and their network."""
    network = client_network(request)
    if network != UNKNOWN:
        known_networks.remember(user, network)
    marks = _marks(request)
    own = marks.pop(str(user.pk), "") or secrets.token_urlsafe(12)
    newest = dict([*marks.items(), (str(user.pk), own)][-KEPT:])
    response.set_cookie(
        settings.DESK_BROWSER_COOKIE_NAME,
        signing.dumps(newest, salt=SALT, compress=True),
        max_age=SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _marks(request: HttpRequest) -> dict[str, str]:
    """Return the marks by the ids of the people, oldest first."""
    try:
        marks = signing.loads(
            request.COOKIES.get(settings.DESK_BROWSER_COOKIE_NAME, ""), salt=SALT, max_age=SECONDS
        )
    except signing.BadSignature:
        return {}
    return dict(marks)
