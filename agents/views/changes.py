"""The response to a small change on a ticket's page: the changed parts for htmx, else a redirect."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tickets.models import Ticket

from ..access import DeskRequest, find_ticket
from ..origin import origin_of, queue_url, with_origin
from ..pages.composer import Composer
from ..pages.ticket import TicketPage


def answer_change(
    request: DeskRequest, folio: str, text: str = "", *, error: str = "", focus: str = ""
) -> HttpResponse:
    """Show `error` or `text` and answer with the changed parts of the ticket's page.

    `focus` names the property that gets the keyboard focus back. If the person can no longer see the ticket, the
    answer redirects to the queue.
    """
    if error:
        messages.error(request, error)
    elif text:
        messages.success(request, text)
    if not Ticket.objects.visible_to(request.user).filter(folio=folio).exists():
        return _go(request, queue_url(request))
    if not request.htmx:
        return redirect(with_origin(request, reverse("agents:ticket", args=[folio])))
    page = TicketPage(request, find_ticket(request.user, folio))
    context: dict[str, Any] = {
        "page": page,
        "ticket": page.ticket,
        "origin": origin_of(request),
        "back_url": queue_url(request, page.ticket),
        "focus": focus,
        "pulse": page.pulse,
        "composer": Composer(request, page),
        "oob": True,
    }
    response = render(request, "agents/tickets/_changed.html", context)
    response["HX-Retarget"] = "#propiedades"
    response["HX-Reswap"] = "innerHTML"
    response["HX-Trigger-After-Settle"] = "desk:listed"
    return response


def _go(request: DeskRequest, url: str) -> HttpResponse:
    if not request.htmx:
        return redirect(url)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = url
    return response
