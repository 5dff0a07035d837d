"""Answer a form that could not be accepted because the page or the session had expired, or the person may no longer see
the page: nothing typed is lost."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import requires_csrf_token

from tickets.drafts import LONGEST_FORM


@requires_csrf_token
def expired_form(request: HttpRequest, **context: Any) -> HttpResponse:
    """Answer 403 with what was typed, and offer to send the form again. `context` says why (403_csrf.html).

    The browser stores nothing of the page: the next person at it must not find the text with «Back».
    """
    fields = {"again": repeatable_fields(request), "typed": typed_texts(request)}
    response = render(request, "403_csrf.html", fields | context, status=403)
    add_never_cache_headers(response)
    return response


def session_ended(request: HttpRequest) -> HttpResponse:
    """Answer a form that came without the session it needs: the person signs in in another tab and sends it again."""
    return expired_form(request, ended=True)


@requires_csrf_token
def not_found_form(request: HttpRequest) -> HttpResponse:
    """Answer 404 to a form whose page is not there, or not for this person any more, with what was typed."""
    return render(request, "404.html", {"typed": typed_texts(request)}, status=404)


def _is_ours(request: HttpRequest) -> bool:
    """Whether our own page can have sent the form: the Origin header says so, and it is not longer than any of ours.
    Another site must not choose what our page shows, nor get a button that acts here, and nobody gets back in
    megabytes what they have sent."""
    if request.headers.get("Origin") != f"{request.scheme}://{request.get_host()}":
        return False
    return sum(len(value) for _name, values in request.POST.lists() for value in values) <= LONGEST_FORM


def typed_texts(request: HttpRequest) -> list[str]:
    """Return the posted values of several words, for the person to copy: keys and codes are one word."""
    if not _is_ours(request):
        return []
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    return [value for name, value in fields if "password" not in name and len(value.split()) > 1]


def has_text(request: HttpRequest) -> bool:
    """Whether the form holds something that a person typed, which must not be lost."""
    return bool(request.POST.get("body", "").strip() or typed_texts(request))


def repeatable_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the posted fields if our own page sent them, else an empty list. Also empty if there are passwords or
    files, which a page must not or cannot repeat."""
    if not _is_ours(request) or request.FILES or any("password" in name for name in request.POST):
        return []
    fields = request.POST.lists()
    return [(name, value) for name, values in fields if name != "csrfmiddlewaretoken" for value in values]
