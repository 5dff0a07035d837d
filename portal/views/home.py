"""The home page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from tickets.models import Ticket

from ..pages import topics
from ..pages.articles import readable_sections
from ..pages.contact import panel
from ..pages.filing import discarded_row, unfinished_rows
from ..pages.tickets import awaiting_first, rows

TOPICS = 12
ON_HOME = 3


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    offered = topics.all_topics()
    shown = topics.featured(offered, TOPICS)
    context = {"topics": shown, "has_more_topics": len(offered) > len(shown), "contact": panel(request.user)}
    context["sections"] = readable_sections(request.user)
    context |= {"unfinished": unfinished_rows(request, offered), "discarded": discarded_row(request)}
    if isinstance(request.user, User):
        mine = Ticket.objects.requested_by(request.user).open().select_related("category")
        found = list(awaiting_first(mine)[: ON_HOME + 1])
        cards = rows(found[:ON_HOME])
        for card in cards[1:]:
            card["action"] = False  # at most one card stands out: the first
        context |= {"tickets": cards, "has_more": len(found) > ON_HOME}
    return render(request, "portal/home.html", context)
