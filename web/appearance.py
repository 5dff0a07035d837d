"""Views that set a person's theme and language. They work without an account and without JavaScript."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as django_set_language

from accounts.enums import Theme

from .origins import next_url

YEAR = 365 * 24 * 3600


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Store the theme in a cookie and, for signed-in people, in their profile.

    `theme=toggle` switches between light and dark, for browsers without JavaScript. A request that a script sent
    (X-Requested-With) gets 204, any other a redirect.
    """
    chosen = request.POST.get("theme", "")
    if chosen == "toggle":
        cookie = request.COOKIES.get(settings.DESK_THEME_COOKIE_NAME)
        now = request.user.theme if request.user.is_authenticated else cookie
        chosen = "light" if now == "dark" else "dark"
    if chosen not in Theme.values:
        return HttpResponse(status=400)
    if request.user.is_authenticated:
        request.user.theme = chosen
        request.user.save(update_fields=["theme"])
    response = (
        HttpResponse(status=204)
        if request.headers.get("X-Requested-With")
        else HttpResponseRedirect(next_url(request, default="/"))
    )
    remember_theme(response, chosen)
    return response


def remember_theme(response: HttpResponse, theme: str) -> None:
    """Set the cookie that keeps the theme after signing out."""
    response.set_cookie(
        settings.DESK_THEME_COOKIE_NAME,
        theme,
        max_age=YEAR,
        samesite="Lax",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
    )


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Store the language in a cookie, as Django's view does, and in the profile, which has priority over the cookie."""
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and chosen in dict(settings.LANGUAGES) and check_for_language(chosen):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return django_set_language(request)
