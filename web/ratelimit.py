"""Rate limits for views, counted in the cache, which all processes share in production (B14, B34).

While the cache is unreachable nothing is refused: the limits protect the product and must not stop it.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from accounts.validators import MAX_ADDRESS

from .client_ip import client_network

logger = logging.getLogger(__name__)
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WRITING = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Limit:
    """At most `amount` uses of a key in each window of `seconds`."""

    amount: int
    seconds: int

    def take(self, key: str) -> bool:
        """Count one use of `key`. Returns whether it is among the first `amount` in the current window."""
        slot = self._slot(key)
        if cache.add(slot, 1, timeout=self.seconds):
            return self.amount > 0
        try:
            count = cache.incr(slot)
        except ValueError:  # the key expired between `add` and `incr`
            cache.set(slot, 1, timeout=self.seconds)
            count = 1
        else:
            cache.touch(slot, timeout=self.seconds)  # some caches drop the timeout in `incr`
        return count <= self.amount

    def give_back(self, key: str) -> None:
        """Uncount one use of `key`. Does nothing if the window in which it was counted is over."""
        slot = self._slot(key)
        try:
            cache.decr(slot)
        except ValueError:
            return
        cache.touch(slot, timeout=self.seconds)

    def minutes_left(self) -> int:
        """Return the minutes until the current window ends, rounded up."""
        return math.ceil((self.seconds - time.time() % self.seconds) / 60)

    def _slot(self, key: str) -> str:
        digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
        return f"rate:{digest}:{self.seconds}:{int(time.time() // self.seconds)}"


def allow(key: str, *, limit: int, window: int) -> bool:
    """Count one use of `key`. Returns whether it is among the first `limit` in the current `window` (seconds)."""
    return Limit(limit, window).take(key)


def mailbox(email: str) -> str:
    """Return the address by which mails to one mailbox are counted: lower case, without a «+» part, punycode domain.

    Otherwise ana+1@example.com and ana+2@example.com would each have a limit of their own.
    """
    typed = email.strip().casefold()
    local, _at, domain = typed.rpartition("@")
    if len(typed) > MAX_ADDRESS:  # no mail goes there, and punycode takes time that grows with the square
        return typed
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    return f"{local.partition('+')[0] or local}@{domain}"


def by_ip(request: HttpRequest) -> str:
    return client_network(request)


def by_user(request: HttpRequest) -> str:
    """Return the key to count by: the signed-in user, or the IP address if nobody is signed in."""
    return f"user {request.user.pk}" if request.user.is_authenticated else by_ip(request)


def limited(
    name: str,
    *,
    rate: str = "10/m",
    by: Callable[[HttpRequest], str] = by_ip,
    methods: Collection[str] = _WRITING,
) -> Callable[[View[P]], View[P]]:
    """Decorate a view to allow at most `rate` («10/m», «3/30s», «100/h») requests of these methods.

    All views limited with the same `name` share one count for each value that `by` returns; for "" nothing is counted.
    Further requests get 429 with `429.html` in the person's language and a Retry-After header.
    """
    limit, window = parse_rate(rate)

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            who = by(request) if request.method in methods else ""
            if who and not allow(f"{name} {who}", limit=limit, window=window):
                logger.info("rate limit %s reached", name)
                return too_many_requests(request, window=window)
            return view(request, *args, **kwargs)

        return wrapper

    return decorate


@requires_csrf_token
def too_many_requests(request: HttpRequest, *, window: int) -> HttpResponse:
    wait = math.ceil(window - time.time() % window)
    context = {"wait_seconds": wait, "wait_minutes": math.ceil(wait / 60)}
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(wait)
    return response


def parse_rate(rate: str) -> tuple[int, int]:
    """Return limit and seconds: «10/m» is (10, 60), «3/30s» is (3, 30). Raises ValueError, KeyError or IndexError."""
    limit, _slash, period = rate.partition("/")
    return int(limit), int(period[:-1] or 1) * _SECONDS[period[-1]]
