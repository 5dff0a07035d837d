"""Which queue a person came from, kept in the addresses of a ticket's pages so that they can go back to it."""

import re

from django.http import HttpRequest
from django.urls import reverse

from tickets import queues

OWN = {"modo", "respuesta", "actual", "completa"}
LONGEST = 1000


def origin_of(request: HttpRequest) -> str:
    """The part of the address that describes the queue; empty when there is none."""
    if not re.fullmatch(r"[a-z0-9_-]{1,80}", request.GET.get("cola", "")):
        return ""
    data = request.GET.copy()
    for name in OWN:
        data.pop(name, None)
    query = data.urlencode()
    return query if len(query) <= LONGEST else ""


def queue_url(request: HttpRequest) -> str:
    """Back to the queue as it was."""
    if not origin_of(request):
        return reverse("agents:queue")
    data = request.GET.copy()
    key = data.pop("cola")[-1]
    for name in OWN:
        data.pop(name, None)
    return f"{reverse('agents:queue_of', args=[key])}?{data.urlencode()}".rstrip("?")


def items_url(request: HttpRequest, folio: str) -> str:
    """The queue as a compact list, with this ticket marked in it."""
    data = request.GET.copy()
    key = data.pop("cola")[-1] if origin_of(request) else queues.MINE.key
    if not origin_of(request):
        data.clear()
    for name in OWN:
        data.pop(name, None)
    data["actual"] = folio
    return f"{reverse('agents:queue_items', args=[key])}?{data.urlencode()}"


def with_origin(request: HttpRequest, url: str) -> str:
    origin = origin_of(request)
    return f"{url}?{origin}" if origin else url
