"""The panel of supervisors, and the list behind each of its numbers (S1.18, S2.43, S4.3)."""

import hashlib
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from content.time_limit import TookTooLong, time_limit
from tickets.facts.counting import up_to_date_at
from tickets.facts.measures import COLUMNS, MEASURES
from tickets.lists import queues
from tickets.lists.figures import KEPT_SECONDS, figures, loads
from tickets.models import Ticket
from tickets.record.days import bounds, day_of
from web.paging import read_page

from ..access import DeskRequest, supervisor_view
from ..forms.panel import PanelFilter
from ..pages.panel import Panel
from ..pages.rows import Moment, rows_of

PAGE_SIZE = 50
DUE_SHOWN = 5
EVER = 100_000  # days: a list may begin with the oldest open ticket


@require_safe
@supervisor_view
def panel(request: DeskRequest) -> HttpResponse:
    filters = PanelFilter(request.GET, today=day_of(timezone.now()))
    context: dict[str, Any] = {"filters": filters, "problems": filters.problems}
    try:
        with time_limit() if len(filters.chosen) > 1 else nullcontext():
            context["body"], context["counted_at"] = _kept_body(request, filters)
    except TookTooLong as problem:
        context["took_too_long"] = str(problem)
    return render(request, "agents/panel/panel.html", context)


def _kept_body(request: DeskRequest, filters: PanelFilter) -> tuple[SafeString, datetime | None]:
    """Return the figures as HTML, and when they were counted. They are kept for `KEPT_SECONDS`: all supervisors see the
    same, in their language and zone."""
    seen_as = (filters.query(), f"{filters.today}", get_language(), timezone.get_current_timezone_name())
    key = f"panel:{hashlib.sha256(repr(seen_as).encode()).hexdigest()}"
    kept: tuple[SafeString, datetime | None] | None = cache.get(key)
    if kept is None:
        kept = render_to_string("agents/panel/_body.html", _content(request, filters)), up_to_date_at()
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _content(request: DeskRequest, filters: PanelFilter) -> dict[str, Any]:
    shown = Panel(filters)
    by_key = {queue.key: queue for queue in queues.queues_for(request.user)}
    counts = figures(by_key.values(), request.user).counts
    due = by_key[queues.DUE_SOON.key].tickets(request.user).filter(
        **{COLUMNS[scope]: value for scope, value in filters.chosen.items()}
    )  # fmt: skip
    due = queues.for_rows(due).order_by(*queues.ORDERS["vence"].keys)[:DUE_SHOWN]
    ages, reasons = shown.ages(), shown.reasons()
    return {
        "panel": shown,
        "figures": shown.figures(),
        "elevated": counts.get(queues.ELEVATED, 0),
        "elevated_key": queues.ELEVATED,
        "due_key": queues.DUE_SOON.key,
        "compliance": shown.compliance(),
        "flow": shown.flow(),
        "ages": ages,
        "ages_table": shown.table_of(ages["bars"]),
        "reasons": reasons,
        "reasons_height": 36 * len(reasons) + 2,
        "reasons_table": shown.table_of(reasons),
        "bar_headings": [_("Tickets"), _("Parte")],
        "scores": shown.scores(),
        "arrivals": shown.arrivals(),
        "people": shown.people(loads()),
        "departments": shown.departments(),
        "due": rows_of(due, Moment.present()),
    }


@require_safe
@supervisor_view
def panel_tickets(request: DeskRequest) -> HttpResponse:
    """List the tickets that a number of the panel counts."""
    measure = MEASURES.get(request.GET.get("medida", ""))
    if measure is None:
        raise Http404
    filters = PanelFilter(
        request.GET, today=day_of(timezone.now()), others=("medida", "parte", "dia", "pagina"), longest=EVER
    )
    day = request.GET.get("dia", "")
    found = measure.tickets(
        bounds(filters.period.first)[0],
        bounds(filters.period.last)[1],
        chosen=filters.chosen,
        part=request.GET.get("parte", "")[:60],
        weekday=int(day) if day in set("1234567") else 0,
    )
    problem = ""
    cursor, order = request.GET.get("pagina", ""), ("-created_at", "-id")
    try:
        with time_limit():
            page, other_page = read_page(queues.for_rows(found), order=order, size=PAGE_SIZE, cursor=cursor)
            count = queues.count(found)
    except TookTooLong as stopped:
        page, other_page = read_page(queues.for_rows(Ticket.objects.none()), order=order, size=1, cursor="")
        count, problem = None, str(stopped)
    own = {name: request.GET[name] for name in ("medida", "parte", "dia") if name in request.GET}
    return render(
        request,
        "agents/panel/tickets.html",
        {
            "measure": measure,
            "filters": filters,
            "own": own,
            "count": count,
            "rows": rows_of(page.rows, Moment.present()),
            "problems": [*filters.problems, *filter(None, [other_page, problem])],
            "page_newer": f"?{filters.query(**own, pagina=page.newer)}" if page.newer else "",
            "page_older": f"?{filters.query(**own, pagina=page.older)}" if page.older else "",
            "panel_query": filters.query(**({"desde": "", "hasta": ""} if "rango" in request.GET else {})),
        },
    )
