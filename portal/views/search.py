"""One search for articles, topics and the person's own tickets."""

import re
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from knowledge import misses
from knowledge.ranking import Found
from knowledge.ranking import search as find_articles
from tickets import folios
from tickets.models import Ticket
from web.ratelimit import by_ip, limited

from ..pages import topics
from ..pages.articles import hit_rows, synonyms_of
from ..pages.contact import panel
from ..pages.tickets import matching, rows, vocabulary

SHOWN, MOST = 5, 20
"""How many of each kind stand together, and how many when only one kind is shown."""
KINDS = ("articulos", "temas", "tickets")
OFFERED = 4


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find articles, topics, and the person's own tickets by folio or words. A typing error is corrected; with
    `literal` in the address it is not."""
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[: folios.LONGEST]
    chosen = request.GET.get("en", "")
    offered = topics.all_topics()
    context: dict[str, Any] = {"query": query, "contact": panel(request.user)}
    if query:
        context |= _results(request, query, offered, chosen if chosen in KINDS else "")
    return render(request, "portal/search.html", context)


@require_POST
@limited("miss", rate="40/h", by=by_ip)
def miss(request: HttpRequest) -> HttpResponse:
    """Count a search that found nothing, for those who write articles. The page sends it by itself; without script the
    person presses the button."""
    query = " ".join(request.POST.get("q", "").replace("\x00", "").split())[: folios.LONGEST]
    misses.report(query)
    if getattr(request, "htmx", False):
        return render(request, "portal/help/_noted.html")
    messages.success(request, _("Tomamos nota. Lo que nadie encuentra se vuelve un artículo."))
    return redirect(f"{reverse('portal:search')}?{urlencode({'q': query})}")


def _results(request: HttpRequest, query: str, offered: list[topics.Topic], chosen: str) -> dict[str, Any]:
    mine = _tickets_of(request)
    found = find_articles(
        query,
        reader=request.user,
        language=(get_language() or "")[:2],
        limit=MOST,
        vocabulary=lambda: topics.vocabulary(offered) | (vocabulary(mine) if mine is not None else set()),
        correct="literal" not in request.GET and not folios.named_in(query),
    )
    meant = found.analysis.corrected or query
    others = _synonym_words(found)
    lists: dict[str, list[Any]] = {
        "articulos": found.hits,
        "temas": [
            _topic_row(found, topic, meant) for topic in topics.search(offered, meant, synonyms=others)[:MOST]
        ],
        "tickets": _ticket_rows(found, mine, meant, offered) if mine is not None else [],
    }
    folio = "" if lists["tickets"] else _folio_in(query)
    total = sum(map(len, lists.values()))
    most = MOST if chosen else SHOWN
    return {
        "meant": meant,
        "wrong": found.analysis.wrong,
        "corrected": found.analysis.corrected,
        "typed": _typed(query, found.analysis.wrong),
        "literal_url": f"?{urlencode({'q': query, 'literal': '1'})}",
        "tabs": _tabs(query, lists, chosen, total, literal="literal" in request.GET),
        "total": total,
        "articles": hit_rows(found, found.hits[:most]) if chosen in ("", "articulos") else [],
        "topics": lists["temas"][:most] if chosen in ("", "temas") else [],
        "tickets": lists["tickets"][:most] if chosen in ("", "tickets") else [],
        "folio": folio,
        "offered": topics.featured(offered, OFFERED) if not total and not folio else [],
        "report_url": _report_url(lists["temas"], meant),
    }


def _tickets_of(request: HttpRequest) -> "QuerySet[Ticket] | None":
    if not isinstance(request.user, User):
        return None
    return Ticket.objects.requested_by(request.user).select_related("category")


def _ticket_rows(
    found: Found, mine: "QuerySet[Ticket]", query: str, offered: list[topics.Topic]
) -> list[dict[str, Any]]:
    condition = matching(mine, query, synonyms=synonyms_of(found), offered=offered)
    tickets = list(mine.filter(condition).order_by("-updated_at", "-id")[:MOST])
    return [
        {**shown, "title": found.marked(ticket.title), "text": found.marked(ticket.excerpt)}
        for ticket, shown in zip(tickets, rows(tickets), strict=True)
    ]


def _topic_row(found: Found, topic: topics.Topic, query: str) -> dict[str, Any]:
    return {
        "href": f"{reverse('portal:report')}?{urlencode({'tipo': topic.key, 'titulo': query})}",
        "icon": topic.icon,
        "title": found.marked(topic.name),
        "text": found.marked(topic.text),
        "promise": topic.promise,
        "usual": topic.usual,
    }


def _synonym_words(found: Found) -> list[str]:
    """Return one stem of each word of the synonyms; stems are their own stems for nearly all words."""
    phrases = [phrase for every in synonyms_of(found).values() for phrase in every]
    return sorted({stem for phrase in phrases if len(phrase) == 1 for stem in phrase[0]})


def _typed(query: str, wrong: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Return the query in pieces, each with whether it was a wrong word."""
    pieces = re.split("|".join(rf"(\b{re.escape(word)}\b)" for word in wrong), query, flags=re.IGNORECASE)
    return [(piece, piece.lower() in wrong) for piece in pieces if piece] if wrong else [(query, False)]


def _tabs(
    query: str, lists: dict[str, list[Any]], chosen: str, total: int, *, literal: bool
) -> list[dict[str, Any]]:
    names = {"articulos": _("Artículos"), "temas": _("Temas"), "tickets": _("Mis tickets")}
    base = {"q": query, **({"literal": "1"} if literal else {})}
    whole = {"label": _("Todo"), "href": f"?{urlencode(base)}", "count": total, "is_current": not chosen}
    parts = [
        {
            "label": names[kind],
            "href": f"?{urlencode({**base, 'en': kind})}",
            "count": len(found),
            "is_current": chosen == kind,
        }
        for kind, found in lists.items()
        if found or chosen == kind
    ]
    return [whole, *parts]


def _report_url(found: list[dict[str, Any]], query: str) -> str:
    """Return where to report, with the query as title: the guide with the one topic that was found, if it is one."""
    return (
        found[0]["href"] if len(found) == 1 else f"{reverse('portal:report')}?{urlencode({'titulo': query})}"
    )


def _folio_in(query: str) -> str:
    """Return the folio of this desk that `query` names, whether or not there is such a ticket; "" if it names none."""
    prefix = f"{settings.DESK_FOLIO_PREFIX}-"
    return next((folio for folio in folios.named_in(query) if folio.startswith(prefix)), "")
