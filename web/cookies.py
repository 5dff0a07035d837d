"""The names of our cookies. Over https they begin with «__Host-», which some of them did not before 0.2.

Cookies that browsers still hold under the former name are read, but never written. A guest's links are signed with
another salt since then (`web.grants`), so nobody can put a new value under the former name.
"""

from collections.abc import Callable

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest, HttpResponse

FORMER_GUEST_COOKIE = "desk_guest"
FORMER_THEME_COOKIE = "desk_theme"
FORMER_LANGUAGE_COOKIE = "desk_language"


def renamed_cookies(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Read the theme and the language from their former cookies if the browser holds only these."""

    def middleware(request: HttpRequest) -> HttpResponse:
        for former, name in (
            (FORMER_THEME_COOKIE, settings.DESK_THEME_COOKIE_NAME),
            (FORMER_LANGUAGE_COOKIE, settings.LANGUAGE_COOKIE_NAME),
        ):
            if former in request.COOKIES:
                request.COOKIES.setdefault(name, request.COOKIES[former])
        return get_response(request)

    return middleware


class MessageCookie(CookieStorage):
    @property
    def cookie_name(self) -> str:  # type: ignore[override]
        return settings.DESK_MESSAGES_COOKIE_NAME


class MessageStorage(FallbackStorage):
    """Django's storage of messages, with our name for its cookie."""

    storage_classes = (MessageCookie, SessionStorage)
