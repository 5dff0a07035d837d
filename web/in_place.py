"""Answer forms that htmx posts in the place of the page's content (js/behaviours/in-place.js).

A refused form replaces the content and leaves the address, so it adds no step to «Back» and a reload shows what is
stored. Without script the browser posts the same form, and the view answers it in the same way.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def in_place(view: View[P]) -> View[P]:
    """Decorate a view: its redirects become full page loads when htmx has posted the form, which would swap them in."""

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if getattr(request, "htmx", False) and 300 <= response.status_code < 400:
            redirected = HttpResponse(headers={"HX-Redirect": response["Location"]})
            redirected.cookies = response.cookies
            return redirected
        return response

    return wrapper
