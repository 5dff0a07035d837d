"""The panel of supervisors, and the list behind each of its numbers (S1.18, S2.43, S4.3)."""

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from content.sorting import sort_key
from content.time_limit import TookTooLong, time_limit
from tickets.enums import Scope
from tickets.facts.counting import up_to_date_at
from tickets.facts.measures import COLUMNS, MEASURES, OF_A_PROCESS
from tickets.facts.totals import totals_by_value
from tickets.lists import queues
from tickets.lists.figures import KEPT_SECONDS, figures, loads
from tickets.models import Process, Ticket
from tickets.record.days import bounds, day_of
from web.paging import read_page

from ..access import DeskRequest, supervisor_view
from ..forms.panel import PanelFilter, range_label
from ..pages.panel import Panel
from ..pages.process_drawing import drawing_of
from ..pages.process_times import ProcessTimes
from ..pages.rows import Moment, rows_of

PAGE_SIZE = 50
DUE_SHOWN = 5
LONGEST_PART = 600
EVER = 100_000  # days: a list may begin with the oldest open ticket


@require_safe
@supervisor_view
def panel(request: DeskRequest) -> HttpResponse:
    filters = PanelFilter(request.GET, today=day_of(timezone.now()))
    body = _body("agents/panel/_body.html", filters, lambda: _content(request, filters))
    return render(
        request, "agents/panel/panel.html", {"filters": filters, "problems": filters.problems, **body}
    )


@require_safe
@supervisor_view
def process_times(request: DeskRequest) -> HttpResponse:
    """Show where the tickets of a process lose time: by default of the one that got most of them."""
    filters = PanelFilter(request.GET, today=day_of(timezone.now()), fixed=("proceso",))
    problems = filters.problems
    if not filters.cleaned_data.get("proceso") and (process := _busiest(filters)):
        filters.choose("proceso", process)
    context: dict[str, Any] = {"filters": filters, "problems": problems, "processes": _processes(filters)}
    if Scope.PROCESS in filters.chosen:
        process = filters.cleaned_data["proceso"]
        context |= {
            "process": process,
            **_body("agents/panel/_process.html", filters, lambda: _times_of(filters, process)),
        }
    return render(request, "agents/panel/process.html", context)


def _busiest(filters: PanelFilter) -> Process | None:
    """Return the process that got most tickets in the period, or else the first. Two queries."""
    found = totals_by_value(filters.period.first, filters.period.last, scope=Scope.PROCESS)
    filed = {value: each.count("filed") for value, each in found.items()}
    processes = Process.objects.filter(current__isnull=False).select_related("current").order_by("key")
    return max(processes, key=lambda process: filed.get(str(process.pk), 0), default=None)


def _processes(filters: PanelFilter) -> list[dict[str, Any]]:
    processes = Process.objects.filter(current__isnull=False).select_related("current")
    chosen = filters.cleaned_data.get("proceso")
    rows = [
        {
            "name": str(process.definition.name),
            "query": filters.query(proceso=process.key),
            "current": process == chosen,
        }
        for process in processes
    ]
    return sorted(rows, key=lambda row: sort_key(row["name"]))


def _times_of(filters: PanelFilter, process: Process) -> dict[str, Any]:
    times = ProcessTimes(filters, process)
    return {"times": times, "drawing": drawing_of(times), "period_before": range_label(filters.period.before)}


def _body(template: str, filters: PanelFilter, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the figures as HTML, and when they were counted, for the context of a page.

    They are kept for `KEPT_SECONDS`: all supervisors see the same, in their language and zone. More values than are
    counted together are counted now, which may take too long.
    """
    seen_as = (
        template,
        filters.query(),
        f"{filters.today}",
        get_language(),
        timezone.get_current_timezone_name(),
    )
    key = f"panel:{hashlib.sha256(repr(seen_as).encode()).hexdigest()}"
    kept: dict[str, Any] | None = cache.get(key)
    if kept is None:
        try:
            with time_limit() if len(filters.chosen) > 1 else nullcontext():
                kept = {"body": render_to_string(template, make()), "counted_at": up_to_date_at()}
        except TookTooLong as problem:
            return {"took_too_long": str(problem)}
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
    rows = measure.chosen_rows(
        bounds(filters.period.first)[0],
        bounds(filters.period.last)[1],
        chosen=filters.chosen,
        part=request.GET.get("parte", "")[:LONGEST_PART],
        weekday=int(day) if day in set("1234567") else 0,
    )
    found = measure.tickets_of(rows)
    times, problem = None, ""
    cursor, order = request.GET.get("pagina", ""), ("-created_at", "-id")
    try:
        with time_limit():
            page, other_page = read_page(queues.for_rows(found), order=order, size=PAGE_SIZE, cursor=cursor)
            count = queues.count(found)
            times = queues.count(rows) if measure in OF_A_PROCESS else None
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
            "times": times if times != count else None,
            "is_of_process": measure in OF_A_PROCESS,
            "rows": rows_of(page.rows, Moment.present()),
            "problems": [*filters.problems, *filter(None, [other_page, problem])],
            "page_newer": f"?{filters.query(**own, pagina=page.newer)}" if page.newer else "",
            "page_older": f"?{filters.query(**own, pagina=page.older)}" if page.older else "",
            "panel_query": filters.query(**({"desde": "", "hasta": ""} if "rango" in request.GET else {})),
        },
    )
