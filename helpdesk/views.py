"""The pages of last resort: what a person reads when no other view could answer."""

from contextlib import suppress

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from content.files.streams import MB

CHUNK = 64 * 1024
TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What cannot be read. The page says so, and how much fits, when there was simply too much of it."""
    if isinstance(exception, BadRequest):
        request.encoding = "utf-8"  # the page reads the form once more, for its token
    return _bad_request(request, exception)


@requires_csrf_token
def _bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    too_much = isinstance(exception, TOO_MUCH)
    if too_much:
        _let_it_finish(request)
    context = {"too_much": too_much, "max_request_mb": settings.DESK_MAX_REQUEST_MB}
    return render(request, "400.html", context, status=413 if too_much else 400)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form older than its session, most of the time: the page offers to send it again."""
    return render(request, "403_csrf.html", {"again": _typed_here(request)}, status=403)


def _typed_here(request: HttpRequest) -> list[tuple[str, str]]:
    """The form, when its browser says that a page of ours sent it: a stranger's page gets no button that acts. What a
    page must not repeat or cannot (passwords, files) is typed once more."""
    ours = request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
    if not ours or request.FILES or any("password" in name for name in request.POST):
        return []
    fields = request.POST.lists()
    return [(name, value) for name, values in fields if name != "csrfmiddlewaretoken" for value in values]


def _let_it_finish(request: HttpRequest) -> None:
    """A browser reads no answer before it has sent everything: a connection closed on it shows as a broken one. What
    is left of the form is read and dropped, up to as much again as a form may have."""
    left = settings.DESK_MAX_REQUEST_MB * MB
    with suppress(OSError):
        while left > 0 and (dropped := request.read(CHUNK)):
            left -= len(dropped)
