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
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from knowledge import misses
from tickets import folios
from tickets.models import Ticket
from tickets.search.finding import marked
from web.ratelimit import by_ip, limited

from ..pages.contact import panel
from ..pages.found import MOST, SHOWN, Answers, address_of, answers, more_of
from ..pages.tickets import matching, rows, vocabulary

KINDS = ("articulos", "temas", "tickets")


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find articles, topics, and the person's own tickets by folio or words. A typing error is corrected; with
    `literal` in the address it is not."""
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[: folios.LONGEST]
    chosen = request.GET.get("en", "")
    context: dict[str, Any] = {"query": query, "contact": panel(request.user)}
    if query:
        context |= _results(request, query, chosen if chosen in KINDS else "")
    return render(request, "portal/search.html", context)


@require_POST
@limited("miss", rate="40/h", by=by_ip)
def miss(request: HttpRequest) -> HttpResponse:
    """Count a search that found nothing, for those who write articles. The page sends it by itself; without script the
    person presses the button."""
    query = " ".join(request.POST.get("q", "").replace("\x00", "").split())[: folios.LONGEST]
    is_kept = misses.report(query) is not None
    if getattr(request, "htmx", False):
        return render(request, "portal/help/_noted.html", {"is_kept": is_kept})
    if is_kept:
        messages.success(
            request, _("Tomamos nota: con lo que nadie encuentra decidimos qué artículos escribir.")
        )
    return redirect(f"{reverse('portal:search')}?{urlencode({'q': query})}")


def _results(request: HttpRequest, query: str, chosen: str) -> dict[str, Any]:
    mine = _tickets_of(request)
    is_literal = "literal" in request.GET
    found = answers(
        query,
        reader=request.user,
        kinds=frozenset({chosen} if chosen else KINDS),
        correct=not is_literal and not folios.named_in(query),
        own_words=lambda: vocabulary(mine) if mine is not None else set(),
    )
    tickets = _tickets_found(found, mine) if mine is not None else []
    folio = "" if tickets else _folio_in(query)
    counts = {"articulos": found.articles, "temas": found.topics, "tickets": len(tickets)}
    total = sum(counts.values())
    tabs = _tabs(query, counts, chosen, total, literal=is_literal)
    return {
        "meant": found.meant,
        "wrong": found.wrong,
        "corrected": found.corrected,
        "typed": _typed(query, found.wrong),
        "literal_url": address_of("", query, literal=True),
        "tabs": tabs,
        "more": more_of("tickets", query, counts["tickets"], literal=is_literal) if not chosen else None,
        "total": total,
        "answers": found.drawn,
        "tickets": _ticket_rows(found, tickets[: MOST if chosen else SHOWN])
        if chosen in ("", "tickets")
        else [],
        "folio": folio,
        "may_report_miss": bool(misses.normalised(query)),
        "offered": found.offered if not total and not folio else [],
        "report_url": found.report_url,
    }


def _tickets_of(request: HttpRequest) -> "QuerySet[Ticket] | None":
    if not isinstance(request.user, User):
        return None
    return Ticket.objects.requested_by(request.user).select_related("category")


def _tickets_found(found: Answers, mine: "QuerySet[Ticket]") -> list[Ticket]:
    condition = matching(mine, found.meant, synonyms=found.synonyms, named=found.named)
    return list(mine.filter(condition).order_by("-updated_at", "-id")[:MOST])


def _ticket_rows(found: Answers, tickets: list[Ticket]) -> list[dict[str, Any]]:
    return [
        {
            **shown,
            "title": marked(ticket.title, found.stems),
            "text": marked(ticket.excerpt, found.stems),
        }
        for ticket, shown in zip(tickets, rows(tickets), strict=True)
    ]


def _typed(query: str, wrong: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Return the query in pieces, each with whether it was a wrong word."""
    pieces = re.split("|".join(rf"(\b{re.escape(word)}\b)" for word in wrong), query, flags=re.IGNORECASE)
    return [(piece, piece.lower() in wrong) for piece in pieces if piece] if wrong else [(query, False)]


def _tabs(
    query: str, counts: dict[str, int], chosen: str, total: int, *, literal: bool
) -> list[dict[str, Any]]:
    names = {"articulos": _("Artículos"), "temas": _("Temas"), "tickets": _("Mis tickets")}
    whole = {
        "label": _("Todo"),
        "href": address_of("", query, literal=literal),
        "count": total,
        "is_current": not chosen,
    }
    parts = [
        {
            "label": names[kind],
            "href": address_of(kind, query, literal=literal),
            "count": count,
            "is_current": chosen == kind,
        }
        for kind, count in counts.items()
        if count or chosen == kind
    ]
    return [whole, *parts]


def _folio_in(query: str) -> str:
    """Return the folio of this desk that `query` names, whether or not there is such a ticket; "" if it names none."""
    prefix = f"{settings.DESK_FOLIO_PREFIX}-"
    return next((folio for folio in folios.named_in(query) if folio.startswith(prefix)), "")
