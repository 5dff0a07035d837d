"""The queue that a person came from, kept in the query string of a ticket's pages so that links can lead back to it."""

import re

from django.http import QueryDict
from django.urls import reverse

from accounts.models import User
from tickets.lists import queues
from tickets.models import Ticket
from tickets.workflow.preparing import is_prepared_by

from .access import DeskRequest

# Parameters that belong to a ticket's page. They are removed before the rest is read as the queue's parameters.
PAGE_PARAMETERS = {
    *("modo", "respuesta", "articulo", "propuesta"),
    *("actual", "completa", "medio", "punto", "volver"),
}
LONGEST = 1000


def origin_of(request: DeskRequest) -> str:
    """Return the part of the query string that describes the queue, empty if there is none."""
    if not re.fullmatch(r"[a-z0-9_-]{1,80}", request.GET.get("cola", "")):
        return ""
    data = request.GET.copy()
    for name in PAGE_PARAMETERS:
        data.pop(name, None)
    query = data.urlencode()
    return query if len(query) <= LONGEST else ""


def default_queue_key(ticket: Ticket, user: User) -> str:
    """Return the key of the queue where `user` would look for the ticket: the narrowest one that holds it."""
    if not ticket.is_open:
        return queues.CLOSED.key
    if ticket.assignee_id == user.pk:
        return queues.MINE.key
    if is_prepared_by(user, ticket):
        return queues.TO_PREPARE.key
    place = ticket.department
    if place and place.is_active and (user.is_supervisor or place.pk in user.department_ids):
        return f"{queues.DEPARTMENT_PREFIX}{place.key}"
    return queues.ALL.key


def _queue_of(request: DeskRequest, ticket: Ticket | None) -> tuple[str, QueryDict]:
    """Return the key of the queue in the address and its other parameters.

    Without a queue in the address, returns `default_queue_key` (without a ticket, the key of `queues.MINE`) and no
    parameters.
    """
    data = request.GET.copy()
    for name in PAGE_PARAMETERS:
        data.pop(name, None)
    if origin_of(request):
        return data.pop("cola")[-1], data
    data.clear()
    return default_queue_key(ticket, request.user) if ticket else queues.MINE.key, data


def queue_url(request: DeskRequest, ticket: Ticket | None = None) -> str:
    """Return the address of the queue that the person came from, or of the default that `_queue_of` returns.

    Omit `ticket` if the person can no longer see it: the default is then `queues.MINE`.
    """
    key, data = _queue_of(request, ticket)
    return f"{reverse('agents:queue_of', args=[key])}?{data.urlencode()}".rstrip("?")


def items_url(request: DeskRequest, ticket: Ticket) -> str:
    """Return the address of the queue as a compact list with this ticket marked."""
    key, data = _queue_of(request, ticket)
    data["actual"] = ticket.folio
    return f"{reverse('agents:queue_items', args=[key])}?{data.urlencode()}"


def with_origin(request: DeskRequest, url: str) -> str:
    origin = origin_of(request)
    return f"{url}?{origin}" if origin else url
