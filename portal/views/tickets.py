"""«Mis tickets»: the tickets that a person has filed, with their states (S1.18, S1.19, S3.11)."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.models import User
from tickets.models import Ticket
from web.paging import read_page

from ..pages.tickets import TicketFilter, rows

PAGE = 20
RARE = {"sin-completar"}  # tabs that are only shown if they hold a ticket


@require_safe
@login_required
def ticket_list(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    filters = TicketFilter(request.GET, user=user)
    mine = Ticket.objects.requested_by(user).select_related("category")
    cursor = request.GET.get("desde", "")
    page, problem = read_page(filters.apply(mine), order=filters.order, size=PAGE, cursor=cursor)
    if problem:
        messages.info(request, problem)
        if not page.is_nearest:
            return redirect(f"{reverse('portal:ticket_list')}{_query(filters)}".rstrip("?"))
    context: dict[str, Any] = {
        "filters": filters,
        "rows": rows(page.rows),
        "newer": _query(filters, desde=page.newer) if page.newer else "",
        "older": _query(filters, desde=page.older) if page.older else "",
        "tabs": _tabs(filters),
        "is_filtered": any(filters.value(name) for name in ("estado", "q", "tipo")),
    }
    return render(request, "portal/tickets/list.html", context)


def _tabs(filters: TicketFilter) -> list[dict[str, Any]]:
    counts, chosen = filters.counts(), filters.value("estado") or ""
    return [
        {
            "label": label,
            "href": _query(filters, estado=key),
            "count": counts[key] if counts else None,
            "is_current": key == chosen,
        }
        for key, label in TicketFilter.STATES
        if key in ("", chosen) or key not in RARE or not counts or counts[key]
    ]


def _query(filters: TicketFilter, **changed: str) -> str:
    """Return the query string with the valid filters and `changed`; unknown parameters are left out."""
    category = filters.value("tipo")
    values = {
        "estado": filters.value("estado"),
        "q": filters.value("q"),
        "tipo": category.pk if category else "",
        "orden": filters.value("orden"),
        **changed,
    }
    return "?" + urlencode({name: value for name, value in values.items() if value})
