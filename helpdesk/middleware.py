"""The product's own middleware, except the health checks (`helpdesk.health`)."""

import ipaddress
import re
import uuid
from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone, translation

from content.files.streams import MB
from helpdesk import logs
from web.grants import COOKIE as GUEST_COOKIE

Next = Callable[[HttpRequest], HttpResponse]

FORWARDED_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_REAL_IP",
)


def request_id(get_response: Next) -> Next:
    """Give every request an id, written in its log lines and in the X-Request-ID header of the response. A well-formed
    id in the X-Request-ID header of the request is kept, whoever sent it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        value = given if re.fullmatch(r"[A-Za-z0-9_.-]{8,64}", given) else uuid.uuid4().hex
        token = logs.request_id.set(value)
        try:
            response = get_response(request)
        finally:
            logs.request_id.reset(token)
        response["X-Request-ID"] = value
        return response

    return middleware


def trusted_proxies(get_response: Next) -> Next:
    """Set REMOTE_ADDR to the visitor's address. X-Forwarded-* headers count only if a trusted proxy sent the request;
    otherwise they are removed.

    X-Forwarded-For is read from the right: addresses in DESK_TRUSTED_PROXIES are our own proxies, and the first other
    address is the visitor's. Addresses further left may be forged by the visitor and are ignored.
    """
    networks = [ipaddress.ip_network(network) for network in settings.DESK_TRUSTED_PROXIES]

    def trusted(address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in networks)

    def middleware(request: HttpRequest) -> HttpResponse:
        meta = request.META
        if trusted(meta.get("REMOTE_ADDR", "")):
            hops = [hop.strip() for hop in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
            while hops and trusted(meta["REMOTE_ADDR"]):
                meta["REMOTE_ADDR"] = hops.pop()
        else:
            for header in FORWARDED_HEADERS:
                meta.pop(header, None)
        return get_response(request)

    return middleware


def request_size_limit(get_response: Next) -> Next:
    """Raise RequestDataTooBig for a body larger than DESK_MAX_REQUEST_MB before reading any of it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > settings.DESK_MAX_REQUEST_MB * MB:
            raise RequestDataTooBig(f"{length} bytes")
        return get_response(request)

    return middleware


def permissions_policy(get_response: Next) -> Next:
    """Set Permissions-Policy to deny camera, location and other devices: no page needs them, so an injected script
    must not get them."""
    value = ", ".join(
        f"{feature}=()"
        for feature in ("camera", "microphone", "geolocation", "payment", "usb", "display-capture")
    )

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", value)
        return response

    return middleware


def language_of_the_desk(get_response: Next) -> Next:
    """Use DESK_DEFAULT_LANGUAGE if the browser asks for none of our languages, or for any («*»).

    Django alone would use LANGUAGE_CODE, the language in which the texts in the code are written.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        default = settings.DESK_DEFAULT_LANGUAGE
        asked = request.META.get("HTTP_ACCEPT_LANGUAGE", "").replace("*", default)
        request.META["HTTP_ACCEPT_LANGUAGE"] = f"{asked},{default};q=0.001" if asked else default
        return get_response(request)

    return middleware


def reader_preferences(get_response: Next) -> Next:
    """Use the language and time zone of the signed-in user. For visitors Django has already chosen the language, from
    the language cookie or else from the browser's Accept-Language."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return get_response(request)
        language = getattr(request.user, "language", "")
        if language in dict(settings.LANGUAGES):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        zone = getattr(request.user, "time_zone", "") or settings.DESK_TIME_ZONE
        with timezone.override(ZoneInfo(zone)):
            return get_response(request)

    return middleware


def private_pages(get_response: Next) -> Next:
    """Keep pages private on a computer that several people use.

    Pages of signed-in people, and of visitors with a session (who began to file a ticket), are not shown from a cache
    without asking the server. Signing out clears the browser's cache, so that «Back» shows nothing, and deletes the
    cookie with the guests' links that were opened.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        was_signed_in = request.user.is_authenticated
        response = get_response(request)
        if was_signed_in or not request.session.is_empty():
            response.headers.setdefault("Cache-Control", "private, no-cache")
        if was_signed_in and not request.user.is_authenticated:
            response.headers["Clear-Site-Data"] = '"cache"'
            response.delete_cookie(GUEST_COOKIE, samesite="Lax")
        return response

    return middleware


def no_nul_in_path(get_response: Next) -> Next:
    """Answer 404 to paths that contain NUL; PostgreSQL text columns reject it.

    Query strings are checked only for the admin: our own views remove NUL from their parameters.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        asked = request.META.get("QUERY_STRING", "") if request.path_info.startswith("/admin/") else ""
        if "\0" in request.path_info or "%00" in asked:
            raise Http404
        return get_response(request)

    return middleware
