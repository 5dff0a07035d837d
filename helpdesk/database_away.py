"""Answer 503 while the database is away, instead of 500 after a long wait: a page in the person's language, with what
they typed.

Once a connection could not be had, all requests of this process are answered at once for `PAUSE_SECONDS`: each would
hold a thread while it waits, and static files, /healthz and other people need them.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error

from helpdesk.database_errors import is_away, is_no_connection
from web.expired import repeatable_fields, typed_texts

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0
RETRY_AFTER = "15"  # seconds
_away_until = 0.0  # shared by all threads of the process; a lost update only means one more attempt


def server_error_page(request: HttpRequest) -> HttpResponse:
    """Django's handler500: 503 if the database is away, else the usual page."""
    error = sys.exc_info()[1]
    if error is None or not is_away(error):
        return server_error(request)
    if is_no_connection(error):
        _pause()
    return away_page(request)


def _pause() -> None:
    global _away_until  # noqa: PLW0603
    if monotonic() >= _away_until:
        logger.error(
            "The database gives no connection; answering 503 for %g s before the next try", PAUSE_SECONDS
        )
    _away_until = monotonic() + PAUSE_SECONDS


def shed_while_away(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer at once while the database is known to be away."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return away_page(request) if monotonic() < _away_until else get_response(request)

    return middleware


@contextmanager
def _nobody(request: HttpRequest) -> Iterator[None]:
    """Let the page be drawn without asking who is signed in. The person is put back: without one, `private_pages` would
    believe in a sign-out and delete the drafts in the browser."""
    person = request.__dict__.pop("user", None)
    try:
        yield
    finally:
        if person is not None:
            request.user = person


@requires_csrf_token
def away_page(request: HttpRequest) -> HttpResponse:
    """Return the 503. It must ask the database nothing: who is signed in is left out. Scripts get one sentence."""
    language = getattr(request, "LANGUAGE_CODE", "") or translation.get_language_from_request(request)
    with translation.override(language):
        sentence = _("La mesa de ayuda no responde ahora. Espera un minuto e intenta de nuevo.")
        response: HttpResponse
        if "application/json" in request.headers.get("Accept", ""):
            response = JsonResponse({"error": sentence})
        elif "HX-Request" in request.headers or "X-Requested-With" in request.headers:
            response = HttpResponse(sentence, content_type="text/plain; charset=utf-8")
        else:
            posted = request.method == "POST"
            context = {
                "posted": posted,
                "again": repeatable_fields(request) if posted else [],
                "typed": typed_texts(request) if posted else [],
                "messages": [],
            }
            with _nobody(request):
                response = render(request, "503.html", context)
    response.status_code = 503
    response.headers["Retry-After"] = RETRY_AFTER
    add_never_cache_headers(response)
    return response
