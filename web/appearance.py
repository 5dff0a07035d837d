"""Views that set a person's theme and language. They work without an account and without JavaScript."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as django_set_language

from web.templatetags.ui import THEME_COOKIE, THEMES

YEAR = 365 * 24 * 3600


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Store the theme in a cookie and, for signed-in people, in their profile.

    `theme=toggle` switches between light and dark, for browsers without JavaScript. A request that a script sent
    (X-Requested-With) gets 204, any other a redirect.
    """
    chosen = request.POST.get("theme", "")
    if chosen == "toggle":
        now = request.user.theme if request.user.is_authenticated else request.COOKIES.get(THEME_COOKIE)
        chosen = "light" if now == "dark" else "dark"
    if chosen not in THEMES:
        return HttpResponse(status=400)
    if request.user.is_authenticated:
        request.user.theme = chosen
        request.user.save(update_fields=["theme"])
    response = (
        HttpResponse(status=204)
        if request.headers.get("X-Requested-With")
        else HttpResponseRedirect(_back(request))
    )
    response.set_cookie(
        THEME_COOKIE,
        chosen,
        max_age=YEAR,
        samesite="Lax",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Store the language in a cookie, as Django's view does, and in the profile, which has priority over the cookie."""
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and chosen in dict(settings.LANGUAGES) and check_for_language(chosen):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return django_set_language(request)


def _back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else "/"
