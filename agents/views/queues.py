"""The queues as pages: filtered, ordered and paged (S2.25)."""

from contextlib import nullcontext
from functools import cache
from itertools import groupby
from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import User
from content.keyset import Page
from content.time_limit import TookTooLong, time_limit
from tickets.lists import queues
from tickets.lists.figures import figures
from tickets.lists.queues import Queue
from tickets.models import Ticket
from tickets.models.querysets import TicketQuerySet
from web.origins import parts_of
from web.paging import read_page

from ..access import DeskRequest, desk_view
from ..forms.filters import QueueFilter
from ..origin import LONGEST
from ..pages.mails import held_mails
from ..pages.rows import Group, Moment, Row, rows_of, tell_tasks

KEYBAR = [
    {"keys": ["J", "K"], "label": _("mover")},
    {"keys": ["X"], "label": _("seleccionar")},
    {"keys": ["↵"], "label": _("abrir")},
    {"keys": ["A"], "label": _("asignar")},
    {"keys": ["/"], "label": _("buscar")},
]
PAGE_SIZE = 50
LIST_SIZE = 40


@require_safe
@desk_view
def queue(request: DeskRequest, key: str = queues.MINE.key) -> HttpResponse:
    if key == queues.HISTORY.key:
        return redirect(f"{reverse('agents:history')}?{request.GET.urlencode()}".rstrip("?"))
    available = queues.queues_for(request.user)
    chosen = find_queue(available, key)
    if request.htmx.target == "side-queues":
        return _figures(request, available, chosen)
    shown = figures(available, request.user)
    filters = QueueFilter(request.GET, queue=chosen, user=request.user, figures=shown)
    try:
        with time_limit() if filters.narrows else nullcontext():
            return _list(request, available, chosen, shown.counts, filters)
    except TookTooLong as problem:
        return _list(request, available, chosen, shown.counts, filters, problem=problem)


def _list(
    request: DeskRequest,
    available: list[Queue],
    chosen: Queue,
    counts: dict[str, int],
    filters: QueueFilter,
    *,
    problem: TookTooLong | None = None,
) -> HttpResponse:
    """Render the queue's list, or only its part that the filters swap. A search that took too long is a `problem`, and
    its list is empty."""
    tickets = Ticket.objects.none() if problem else filters.apply(chosen.tickets(request.user))
    moment = Moment.present()
    cursor, order = request.GET.get("desde", ""), filters.order.keys
    page, other_page = read_page(queues.for_rows(tickets), order=order, size=PAGE_SIZE, cursor=cursor)
    is_grouped = filters.order.key == "vence"
    origin = _origin(chosen, filters, request)
    rows = rows_of(page.rows, moment, origin=origin)
    if chosen is queues.SIDE_TASKS:
        tell_tasks(rows, request.user)
    part = "#results" if request.htmx.target == "results" else ""
    if not (part or filters.narrows or cursor or page.older) and chosen.key in counts:
        counts = counts | {
            chosen.key: len(page.rows)
        }  # the kept figure may be some seconds older than the list
    if counts.get(queues.TO_PREPARE.key):
        request.may_prepare = True  # whoever has tickets to prepare may; this saves the query that decides it
    count = counts.get(chosen.key)
    if part or filters.narrows:
        count = None if problem else _count(chosen, tickets, page, order)
    context = {
        **_figures_of(available, chosen, counts, request.user),
        "count": count,
        "is_part": bool(part),
        "filters": filters,
        "origin": origin,
        "keybar": KEYBAR,
        "next_row": _next(rows, filters, cursor),
        "problems": [*filters.problems, *filter(None, [other_page])],
        "took_too_long": str(problem) if problem else "",
        "elsewhere": "" if page.rows or problem else filters.folio_elsewhere,
        "page": page,
        "page_newer": _address(chosen, filters, page.newer),
        "page_older": _address(chosen, filters, page.older),
        "groups": _grouped(tickets, page, rows, moment, request.user) if is_grouped else [{"rows": rows}],
    }
    return render(request, f"agents/queue/list.html{part}", context)


def _figures(request: DeskRequest, available: list[Queue], chosen: Queue) -> HttpResponse:
    """Return the figures of the page, which its side list asks for every half a minute. That of a filtered list stays
    as it is: it counts the list on the page."""
    context = _figures_of(available, chosen, figures(available, request.user).counts, request.user)
    shown = QueryDict(parts_of(request.htmx.current_url or "").query)
    if QueueFilter(shown, queue=chosen, user=request.user).narrows:
        context["count"] = None
    return render(request, "agents/queue/_figures.html", context)


def _figures_of(available: list[Queue], chosen: Queue, counts: dict[str, int], user: User) -> dict[str, Any]:
    return {
        "held_mails": cache(lambda: queues.count(held_mails(user))),  # called where it is drawn
        "queue": chosen,
        "queues": [{"queue": item, "count": counts.get(item.key)} for item in available],
        "count": counts.get(chosen.key),
        "to_prepare": counts.get(queues.TO_PREPARE.key),
    }


@require_safe
@desk_view
def queue_filters(request: DeskRequest, key: str) -> HttpResponse:
    """Show the form with every filter, as a page of its own or, for htmx, as a part of the queue's page."""
    chosen = find_queue(queues.queues_for(request.user), key)
    filters = QueueFilter(request.GET, queue=chosen, user=request.user)
    part = "#form" if request.htmx else ""
    return render(request, f"agents/queue/filters.html{part}", {"queue": chosen, "filters": filters})


@require_safe
@desk_view
def queue_items(request: DeskRequest, key: str) -> HttpResponse:
    """Return the queue as a compact list to show beside a ticket, with the tickets before and after that one."""
    chosen = find_queue(queues.queues_for(request.user), key)
    filters = QueueFilter(request.GET, queue=chosen, user=request.user)
    moment = Moment.present()
    cursor, order = request.GET.get("desde", ""), filters.order.keys
    try:
        with time_limit() if filters.narrows else nullcontext():
            rows = queues.for_rows(filters.apply(chosen.tickets(request.user)))
            page, _refused = read_page(rows, order=order, size=LIST_SIZE, cursor=cursor)
    except TookTooLong:
        page = Page([])
    current = request.GET.get("actual", "")
    folios = [ticket.folio for ticket in page.rows]
    origin = _origin(chosen, filters, request)
    at = folios.index(current) if current in folios else None
    context = {
        "queue": chosen,
        "origin": origin,
        "rows": rows_of(page.rows, moment, origin=origin),
        "current": current,
        "before": folios[at - 1] if at else "",
        "after": folios[at + 1] if at is not None and at + 1 < len(folios) else "",
    }
    return render(request, "agents/queue/_items.html", context)


def _count(chosen: Queue, tickets: TicketQuerySet, page: Page[Ticket], order: tuple[str, ...]) -> int | None:
    """Return how many tickets the filtered list has, up to `queues.MANY`; None for a queue that shows no figure.

    Only a list of several pages needs a query.
    """
    if not chosen.has_only_open_tickets:
        return None
    if page.newer or page.older:
        return queues.count(tickets.order_by(*order))
    return len(page.rows)


def _next(rows: list[Row], filters: QueueFilter, cursor: str) -> Row | None:
    """Return the row whose turn it is in a list by arrival: the first one, unless it waits for the customer (S2.35)."""
    is_first_page = filters.order.key == "llegada" and not cursor
    return rows[0] if is_first_page and rows and not rows[0].ticket.is_paused else None


def _origin(chosen: Queue, filters: QueueFilter, request: DeskRequest) -> str:
    """Return the query string that the addresses of tickets carry, so that a ticket's page can link back to this page
    of the queue. What is too long for `origin_of` is left out."""
    cursor = request.GET.get("desde", "")
    here = urlencode({"cola": chosen.key, **({"desde": cursor} if cursor else {})})
    whole = f"{here}&{filters.query}" if filters.query else here
    return whole if len(whole) <= LONGEST else urlencode({"cola": chosen.key})


def _address(chosen: Queue, filters: QueueFilter, cursor: str) -> str:
    if not cursor:
        return ""
    query = urlencode({"desde": cursor})
    return f"{reverse('agents:queue_of', args=[chosen.key])}?{filters.query and filters.query + '&'}{query}"


def find_queue(available: list[Queue], key: str) -> Queue:
    """Return the queue with this key, or raise 404."""
    for item in available:
        if item.key == key:
            return item
    raise Http404


def _grouped(
    tickets: TicketQuerySet, page: Page[Ticket], rows: list[Row], moment: Moment, user: User
) -> list[dict[str, Any]]:
    """Return the page's rows by group, each group with the count of all its tickets. Only groups that continue on
    another page need a query for their count."""
    ends = [rows[0]] * bool(page.newer) + [rows[-1]] * bool(page.older) if rows else []
    scopes = queues.due_groups(tickets, now=moment.now, end_of_day=moment.end_of_day)
    counts = queues.count_scopes({row.group: scopes[row.group] for row in ends}, user)
    groups: list[dict[str, Any]] = []
    for group, members in groupby(rows, key=lambda row: row.group):
        found = list(members)
        count = counts.get(group, len(found))
        groups.append({"group": group, "count": count, "rows": found, "is_bad": group == Group.OVERDUE})
    return groups
