"""Recognise a browser, signed in or not, by a cookie with a random text. Unfinished reports belong to it.

The cookie is set when the guide of a report is drawn, before anything is posted, so that requests sent at once all
carry the same one. The database holds only its hash. Signing out deletes the cookie (`helpdesk.middleware`).
"""

import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

SECONDS = 14 * 24 * 3600
SALT = "web.visitors"
NEW = "desk.new_visitor"


def visitor_of(request: HttpRequest) -> str:
    """Return the hash of the browser's cookie; empty if it has none."""
    token = request.COOKIES.get(settings.DESK_VISITOR_COOKIE_NAME, "")
    if not re.fullmatch(r"[\w-]{22,64}", token, re.ASCII):
        return ""
    return salted_hmac(SALT, token, algorithm="sha256").hexdigest()


def is_known(request: HttpRequest) -> bool:
    """Whether the browser has sent a cookie, valid or not."""
    return settings.DESK_VISITOR_COOKIE_NAME in request.COOKIES


def recognised(request: HttpRequest) -> str:
    """Return the hash of the browser's cookie. A browser without one gets it with the response."""
    if not visitor_of(request):
        token = request.COOKIES[settings.DESK_VISITOR_COOKIE_NAME] = secrets.token_urlsafe(32)
        request.META[NEW] = token
    return visitor_of(request)


def set_cookie(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set the cookie that `recognised` made in this request, if it made one."""
    if token := request.META.get(NEW):
        response.set_cookie(
            settings.DESK_VISITOR_COOKIE_NAME,
            token,
            max_age=SECONDS,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def forget(response: HttpResponseBase) -> None:
    """Delete the cookie."""
    response.delete_cookie(settings.DESK_VISITOR_COOKIE_NAME, samesite="Lax")
