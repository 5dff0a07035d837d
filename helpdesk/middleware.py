"""The product's own middleware, except the health checks (`helpdesk.health`)."""

import ipaddress
import re
import uuid
from collections.abc import Callable
from functools import partial
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponsePermanentRedirect,
)
from django.http.request import split_domain_port
from django.shortcuts import redirect
from django.urls import is_valid_path
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from content.files.streams import MB
from helpdesk import logs
from web import grants, visitors

Next = Callable[[HttpRequest], HttpResponse]

FORWARDED_HEADERS = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_X_REQUEST_ID",
)


def request_id(get_response: Next) -> Next:
    """Give every request an id, written in its log lines and in the X-Request-ID header of the response. A well-formed
    id that a trusted proxy sent is kept; `trusted_proxies` has removed those of other senders, who could otherwise give
    all their requests the id of somebody else's."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        value = given if re.fullmatch(r"[A-Za-z0-9_.-]{8,64}", given) else uuid.uuid4().hex
        request.desk_request_id = value  # type: ignore[attr-defined]  # for lines after this middleware (logs.py)
        token = logs.request_id.set(value)
        try:
            response = get_response(request)
        finally:
            logs.request_id.reset(token)
        response["X-Request-ID"] = value
        return response

    return middleware


def no_body_for_head(get_response: Next) -> Next:
    """Leave the body out of the answer to HEAD. Gunicorn drops it anyway, but warns of each in the log, and monitors
    send HEAD every few seconds."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "HEAD" and not response.streaming and response.content:
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response

    return middleware


def trusted_proxies(get_response: Next) -> Next:
    """Set REMOTE_ADDR to the visitor's address. `FORWARDED_HEADERS` count only if a trusted proxy sent the request;
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


def known_host(get_response: Next) -> Next:
    """Answer 400 under a host that is not in ALLOWED_HOSTS, and take every absolute address from DESK_BASE_URL.

    The Host header is written by the visitor: «AYUDA.example.com.:8443» reaches the same desk as «ayuda.example.com».
    With DESK_ONE_HOST (in production) the rest of the program reads the host of DESK_BASE_URL whatever was written,
    and the other names in ALLOWED_HOSTS only lead there. Otherwise it reads the name in lower case, without a final
    dot, and the port as written, because a developer's server may use another port.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            written = request.get_host()
        except DisallowedHost:  # Django would log a traceback for each
            return _unknown_host(request)
        base = urlsplit(settings.DESK_BASE_URL)
        name, port = split_domain_port(written)
        # A method of the request, because allauth asks the request for the addresses in its mails.
        request.build_absolute_uri = partial(_absolute, request)  # type: ignore[method-assign]
        if not settings.DESK_ONE_HOST:
            request.META["HTTP_HOST"] = f"{name}:{port}" if port else name
        elif name == split_domain_port(base.netloc)[0]:
            request.META["HTTP_HOST"] = base.netloc
        else:
            return HttpResponsePermanentRedirect(request.build_absolute_uri())
        return get_response(request)

    return middleware


def _absolute(request: HttpRequest, location: str | None = None) -> str:
    """Return `location`, or the address of the request, as an absolute URL that begins with DESK_BASE_URL."""
    page = urljoin(f"{settings.DESK_BASE_URL}/", request.get_full_path())
    return page if location is None else urljoin(page, location)


def _unknown_host(request: HttpRequest) -> HttpResponse:
    with translation.override(translation.get_language_from_request(request)):
        text = _("Aquí no atiende ninguna mesa de ayuda con ese nombre. Revisa la dirección.")
    return HttpResponseBadRequest(f"{text}\n", content_type="text/plain; charset=utf-8")


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


def browser_policies(get_response: Next) -> Next:
    """Set the headers that tell browsers what our answers may do and who may use them, static files and downloads
    included. Django sets Cross-Origin-Opener-Policy.

    Permissions-Policy denies camera, location and other devices: no page needs them, so an injected script must not get
    them. Cross-Origin-Resource-Policy keeps other sites from embedding our pages, pictures and files, and so from
    measuring them. Reporting-Endpoints says where «report-to csp» of the content security policy leads.
    """
    features = ("camera", "microphone", "geolocation", "payment", "usb", "display-capture")
    headers = {
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in features),
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if settings.HTTPS:
        headers["Reporting-Endpoints"] = f'csp="{settings.CSP_REPORTS}"'

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
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
        with timezone.override(request.user.zone):
            return get_response(request)

    return middleware


def private_pages(get_response: Next) -> Next:
    """Keep pages private on a computer that several people use.

    Pages of signed-in people, and of visitors with a session or with the cookie of those who began to file a ticket,
    are not shown from a cache without asking the server. Signing out clears the browser's cache and storage, so that
    «Back» shows nothing and no draft stays, and deletes the cookies that open guests' links and unfinished reports.
    Browsers obey over TLS only; js/lib/person.js does the same everywhere.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        was_signed_in = request.user.is_authenticated
        response = get_response(request)
        if was_signed_in or not request.session.is_empty() or visitors.is_known(request):
            response.headers.setdefault("Cache-Control", "private, no-cache")
        if was_signed_in and not request.user.is_authenticated:
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
            grants.forget(request, response)
            visitors.forget(response)
        else:
            visitors.set_cookie(request, response)
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


def page_above_form(get_response: Next) -> Next:
    """Lead a browser that opens an address for forms only to the nearest page above it; the answer would be empty.

    A refused form is shown at its own address. Who then changes the language or signs in comes back to it with GET, as
    does a browser that opens its last pages again. Programs get the 405.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if (
            response.status_code != 405
            or request.method != "GET"
            or "text/html" not in request.headers.get("Accept", "")
        ):
            return response
        path = request.path_info.rstrip("/")
        while path:
            path = path.rpartition("/")[0]
            if is_valid_path(f"{path}/"):
                break
        return redirect(f"{path}/")

    return middleware
