"""Addresses with a folio as somebody typed it, such as `/tickets/ma-10119/`: redirect to the folio as it is stored."""

from django.http import HttpRequest
from django.urls import reverse

from tickets import folios


def canonical_address(request: HttpRequest) -> str:
    """Return the same address with the folio in its stored form; empty if it has it already, or for a POST.

    Only the writing decides, not whether there is such a ticket, so a stranger learns nothing.
    """
    match = request.resolver_match
    given = match.kwargs.get("folio", "") if match and request.method in ("GET", "HEAD") else ""
    folio = folios.canonical(given)
    if not match or folio == given:
        return ""
    address = reverse(match.view_name, kwargs={**match.kwargs, "folio": folio})
    query = request.META.get("QUERY_STRING", "")
    return f"{address}?{query}" if query else address
