"""Read the addresses that a browser sends: where to go after a posted form, and which page it shows."""

from urllib.parse import SplitResult, urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def next_url(request: HttpRequest, *, default: str) -> str:
    """Return the posted `next`, or `default` if it is missing or leads to another site (LESSONS B33)."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else default


def parts_of(address: str) -> SplitResult:
    """Split an address from a header of the request. All parts of one that cannot be read are empty."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
