"""The home page and its search."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from tickets import folios
from tickets.models import Ticket

from ..pages import topics
from ..pages.contact import panel
from ..pages.filing import discarded_row, unfinished_rows
from ..pages.tickets import awaiting_first, matching, rows

TOPICS = 12
ON_HOME = 3
FOUND = 10


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    offered = topics.all_topics()
    shown = topics.featured(offered, TOPICS)
    context = {"topics": shown, "has_more_topics": len(offered) > len(shown), "contact": panel(request.user)}
    context |= {"unfinished": unfinished_rows(request, offered), "discarded": discarded_row(request)}
    if isinstance(request.user, User):
        mine = Ticket.objects.requested_by(request.user).open().select_related("category")
        found = list(awaiting_first(mine)[: ON_HOME + 1])
        cards = rows(found[:ON_HOME])
        for card in cards[1:]:
            card["action"] = False  # at most one card stands out: the first
        context |= {"tickets": cards, "has_more": len(found) > ON_HOME}
    return render(request, "portal/home.html", context)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find the person's own tickets by folio or words, and topics by name and description."""
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[: folios.LONGEST]
    context = {
        "query": query,
        "topics": topics.search(topics.all_topics(), query) if query else [],
        "tickets": [],
        "contact": panel(request.user),
    }
    if isinstance(request.user, User) and query:
        mine = Ticket.objects.requested_by(request.user).select_related("category")
        context["tickets"] = rows(mine.filter(matching(mine, query)).order_by("-updated_at", "-id")[:FOUND])
    context["folio"] = "" if context["tickets"] else _folio_in(query)
    return render(request, "portal/search.html", context)


def _folio_in(query: str) -> str:
    """Return the folio of this desk that `query` names, whether or not there is such a ticket; "" if it names none."""
    prefix = f"{settings.DESK_FOLIO_PREFIX}-"
    return next((folio for folio in folios.named_in(query) if folio.startswith(prefix)), "")
