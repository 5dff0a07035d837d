"""Error pages for requests that no other view can answer."""

from contextlib import suppress

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from content.files.streams import MB
from web.expired import expired_form

CHUNK = 64 * 1024
TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 to a request that cannot be read, or 413 with the size limit if it is too large."""
    if isinstance(exception, BadRequest):
        request.encoding = "utf-8"  # the page reads the form again for its CSRF token
    return _bad_request(request, exception)


@requires_csrf_token
def _bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    too_much = isinstance(exception, TOO_MUCH)
    if too_much:
        _drain_body(request)
    context = {"too_much": too_much, "max_request_mb": settings.DESK_MAX_REQUEST_MB}
    return render(request, "400.html", context, status=413 if too_much else 400)


def too_large(request: HttpRequest) -> HttpResponse:
    """Answer 413, for nginx: it refuses a body above DESK_MAX_REQUEST_MB without sending it here, and shows this page
    instead of its own, which would be in English and without the limit."""
    return _bad_request(request, RequestDataTooBig())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 and offer to send the form again.

    A browser without any cookie most likely blocks them: every page with a form sets one. Otherwise the page is older
    than the last sign-in, or the cookie has expired. The header says which to the page's scripts.
    """
    is_blocked = reason == REASON_NO_CSRF_COOKIE and not request.COOKIES
    response = expired_form(request, blocked=is_blocked)
    if is_blocked:
        response["Desk-Cookies-Blocked"] = "1"
    return response


def _drain_body(request: HttpRequest) -> None:
    """Read and drop the rest of the body, up to DESK_MAX_REQUEST_MB. A browser shows no response before it has sent
    everything; if the connection closes earlier, it shows a connection error."""
    left = settings.DESK_MAX_REQUEST_MB * MB
    with suppress(OSError):
        while left > 0 and (dropped := request.read(CHUNK)):
            left -= len(dropped)
