"""A ticket's page, the parts of it that htmx refreshes, and the poll that reports who else has it open."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from tickets.lists import presence
from tickets.models import Ticket, TicketEvent
from tickets.record import deliveries
from web.mails import picture_sources

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.composer import ComposerForm
from ..origin import items_url, origin_of, queue_url
from ..pages.composer import Composer
from ..pages.ticket import MAILS_WAIT_SUFFIX, TicketPage, pulse_of
from ..pages.timeline import changes_since

PARTS = {"propiedades": "#properties", "ticket-head": "#head"}
OUT_OF_SIGHT = "out-of-sight"  # the pulse of a page whose ticket the person may no longer see


@require_safe
@desk_view
def ticket(request: DeskRequest, folio: str) -> HttpResponse:
    found = find_ticket(request.user, folio)
    if part := PARTS.get(request.htmx.target or ""):
        page = TicketPage(request, found)
        return render(request, f"agents/tickets/detail.html{part}", _frame(request, page))
    return _with_remote_pictures(request, found) or render_ticket(request, found)


def _with_remote_pictures(request: DeskRequest, found: Ticket) -> HttpResponse | None:
    """Render the page with the remote pictures of the mail `imagenes`, and a policy that allows just their hosts. None
    unless that mail is a message of this ticket with such pictures."""
    pk = request.GET.get("imagenes", "")
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return None
    mail = found.mails.filter(pk=int(pk), message__isnull=False).first()
    if mail is None or not (sources := picture_sources(mail)):
        return None
    response = render_ticket(request, found, shows_remote=mail.pk)
    vars(response)["_csp_update"] = {"img-src": sources}  # what django-csp's decorator `csp_update` sets
    return response


@require_POST
@desk_view
def pulse(request: DeskRequest, folio: str) -> HttpResponse:
    """Record the person's presence and return the parts that changed since the pulse `v`, or 204 if none did.

    The page sends this every few seconds. It is a POST because it writes the presence.
    """
    known = Ticket.objects.visible_to(request.user).filter(folio=folio).only("pk", "version").first()
    if known is None:
        return _out_of_sight(request)
    presence.mark_present(known, user=request.user, is_writing=request.POST.get("writing") == "1")
    seen, others = request.POST.get("v", ""), list(presence.others_on(known, user=request.user))
    waited = seen.endswith(MAILS_WAIT_SUFFIX)
    waits = waited and deliveries.any_waiting(known)
    now = pulse_of(known, others, mails_wait=waits)
    if seen == now:
        return HttpResponse(status=204)
    found = find_ticket(request.user, folio)
    page = TicketPage(request, found)
    context = _frame(request, page) | {"oob": True}
    if seen.partition("-")[0] == str(found.version) and waits == waited:  # only who else is here has changed
        response = render(request, "agents/tickets/_pulse.html", context | {"pulse": now})
        response["HX-Reswap"] = "none"
        return response
    context |= {"pulse": page.pulse, "composer": Composer(request, page)}
    response = render(request, "agents/tickets/_live.html", context)
    response["HX-Trigger-After-Settle"] = "desk:changed"
    return response


def _out_of_sight(request: DeskRequest) -> HttpResponse:
    """Tell an open page, once, that its ticket has left the person's sight: their turn ended, or it went to another
    department. The answer is the same for a ticket that does not exist."""
    seen = request.POST.get("v")
    if not seen:
        raise Http404
    if seen == OUT_OF_SIGHT:
        return HttpResponse(status=204)
    response = render(request, "agents/tickets/_out_of_sight.html", {"pulse": OUT_OF_SIGHT})
    response["HX-Reswap"] = "none"
    return response


def render_ticket(
    request: DeskRequest,
    found: Ticket,
    *,
    form: ComposerForm | None = None,
    changes: Sequence[TicketEvent] = (),
    status: int = 200,
    shows_remote: int = 0,
) -> HttpResponse:
    """Render the whole page. After a refusal pass the `form`, to keep what was typed, and the `changes`."""
    page = TicketPage(request, found, complete="completa" in request.GET)
    page.shows_remote = shows_remote
    context = _frame(request, page) | {
        "composer": Composer(request, page, form),
        "changes": changes_since(found, changes),
    }
    return render(request, "agents/tickets/detail.html", context, status=status)


def _frame(request: DeskRequest, page: TicketPage) -> dict[str, Any]:
    return {
        "page": page,
        "ticket": page.ticket,
        "origin": origin_of(request),
        "back_url": queue_url(request, page.ticket),
        "items_url": items_url(request, page.ticket),
    }
