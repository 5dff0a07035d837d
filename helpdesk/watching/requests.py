"""Count and time every request by method, route and status, for /metrics.

Labels come from closed lists: the names of our routes and the methods below. What a visitor writes never becomes one,
for each new label would stay in memory for ever.
"""

from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST"})
NO_ROUTE, STATIC = "none", "static"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("desk_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "desk_request_seconds",
    "Time from the first middleware to the answer",
    ["method", "route"],
    buckets=BUCKETS,
)


def measured(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: count the request and its time. Stands above the others, so that their time is counted too."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = perf_counter()
        response = get_response(request)
        method = request.method if request.method in METHODS else "other"
        route = route_of(request)
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        SECONDS.labels(method, route).observe(perf_counter() - started)
        return response

    return middleware


def route_of(request: HttpRequest) -> str:
    """Return the name of the request's route, such as `portal:ticket`; `static` for files, `none` without a route."""
    match = request.resolver_match
    if match is not None:
        return match.view_name or NO_ROUTE
    return STATIC if request.path.startswith(settings.STATIC_URL) else NO_ROUTE
