"""The panel of supervisors, and the list behind each of its numbers (S1.18, S2.43, S4.3)."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from content.keyset import Page
from content.sorting import sort_key
from content.time_limit import TookTooLong, time_limit
from tickets.enums import Scope
from tickets.facts.counting import up_to_date_at
from tickets.facts.measures import COLUMNS, MEASURES, OF_A_PROCESS, Measure
from tickets.facts.totals import counts_by_value
from tickets.lists import queues
from tickets.lists.figures import figures, loads
from tickets.models import Process, Ticket
from tickets.record.days import bounds, day_of
from web.paging import read_page

from ..access import DeskRequest, supervisor_view
from ..forms.panel import PanelFilter, range_label
from ..pages.panel import Panel
from ..pages.process_drawing import drawing_of
from ..pages.process_times import ProcessTimes
from ..pages.report import whole, working_time
from ..pages.rows import Moment, Row, rows_of
from ..sheets import kept

PAGE_SIZE = 50
DUE_SHOWN = 5
LONGEST_PART = 3100  # five paths
MOST_COUNTED = 1000
"""Where counting the tickets behind a number stops. The number itself is exact."""
EVER = 100_000  # days: a list may begin with the oldest open ticket


@require_safe
@supervisor_view
def panel(request: DeskRequest) -> HttpResponse:
    filters = PanelFilter(request.GET, today=day_of(timezone.now()))
    return _page(request, "agents/panel/_panel.html", filters, lambda: _content(request, filters))


@require_safe
@supervisor_view
def process_times(request: DeskRequest) -> HttpResponse:
    """Show where the tickets of a process lose time: by default of the one that got most of them."""
    filters = PanelFilter(request.GET, today=day_of(timezone.now()), fixed=("proceso",))
    return _page(request, "agents/panel/_map.html", filters, lambda: _times_of(filters))


def _page(
    request: DeskRequest, template: str, filters: PanelFilter, make: Callable[[], dict[str, Any]]
) -> HttpResponse:
    """Render the page. Its sheet is kept for `KEPT_SECONDS`: all supervisors see the same, in their language and zone.

    More values than are counted together are counted now, which may take too long.
    """
    problems = filters.problems
    context = {"filters": filters, "problems": problems, "here": request.path}

    def draw() -> SafeString:
        with time_limit():
            return render_to_string(template, context | {"counted_at": up_to_date_at()} | make())

    try:
        sheet = kept("panel", (template, filters.query(), problems, f"{filters.today}"), draw)
    except TookTooLong as problem:
        stopped = {"counted_at": up_to_date_at(), "took_too_long": str(problem)}
        sheet = render_to_string(template, context | stopped)
    return render(
        request, "agents/panel/page.html", {"sheet": sheet, "is_map": template.endswith("_map.html")}
    )


def _times_of(filters: PanelFilter) -> dict[str, Any]:
    processes = list(Process.objects.filter(current__isnull=False).select_related("current").order_by("key"))
    process = filters.cleaned_data.get("proceso") or _busiest(processes, filters)
    if process is None:
        return {}
    if not filters.cleaned_data.get("proceso"):
        filters.choose("proceso", process)
    times = ProcessTimes(filters, process)
    rows = [
        {
            "name": str(each.definition.name),
            "query": filters.query(proceso=each.key),
            "current": each == process,
        }
        for each in processes
    ]
    return {
        "process": process,
        "processes": sorted(rows, key=lambda row: sort_key(row["name"])),
        "times": times,
        "drawing": drawing_of(times),
        "period_before": range_label(filters.period.before),
    }


def _busiest(processes: Iterable[Process], filters: PanelFilter) -> Process | None:
    """Return the process that got most tickets in the period, or else the first. One query."""
    filed = counts_by_value(
        filters.period.first, filters.period.last, scope=Scope.PROCESS, measures=[MEASURES["filed"]]
    )
    return max(processes, key=lambda process: filed.get(str(process.pk), {}).get("filed", 0), default=None)


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
        "figures": shown.figures(elevated=counts.get(queues.ELEVATED, 0)),
        "due_key": queues.DUE_SOON.key,
        "compliance": shown.compliance(),
        "usual": shown.usual(),
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
    today = day_of(timezone.now())

    def draw(problem: str = "") -> SafeString:
        return render_to_string("agents/panel/_list.html", _behind(request, measure, today, problem))

    try:
        sheet = kept("behind", (f"{today}", request.GET.urlencode()), draw, person=request.user)
    except TookTooLong as stopped:
        sheet = draw(str(stopped))
    return render(request, "agents/panel/tickets.html", {"measure": measure, "sheet": sheet})


def _behind(request: DeskRequest, measure: Measure, today: date, problem: str) -> dict[str, Any]:
    """Return what the list shows: a page of the rows that the measure counts, or no rows and the `problem`. Raises
    `TookTooLong`."""
    filters = PanelFilter(request.GET, today=today, others=("medida", "parte", "dia", "pagina"), longest=EVER)
    page, count, other_page = Page[Any]([]), None, ""
    if not problem:
        day = request.GET.get("dia", "")
        rows = measure.chosen_rows(
            bounds(filters.period.first)[0],
            bounds(filters.period.last)[1],
            filters.chosen,
            part=request.GET.get("parte", "").replace("\0", "")[:LONGEST_PART],
            weekday=int(day) if day in set("1234567") else 0,
        ).annotate(counted_at=F(measure.moment), listed=F(f"{measure.to_ticket}pk"))
        rows = rows.only("pk", *(measure.reads if measure.seconds_of else ()))
        with time_limit():
            page, other_page = read_page(
                rows, order=("-counted_at", "-id"), size=PAGE_SIZE, cursor=request.GET.get("pagina", "")
            )
            count = rows.order_by()[: MOST_COUNTED + 1].count()
    own = {name: request.GET[name] for name in ("medida", "parte", "dia") if name in request.GET}
    return {
        "measure": measure,
        "filters": filters,
        "count": _in_words(count),
        "is_of_process": measure in OF_A_PROCESS,
        "has_times": measure.seconds_of is not None,
        "rows": _rows_of(page.rows, measure),
        "problems": [*filters.problems, *filter(None, [other_page, problem])],
        "page_newer": f"?{filters.query(**own, pagina=page.newer)}" if page.newer else "",
        "page_older": f"?{filters.query(**own, pagina=page.older)}" if page.older else "",
        "panel_query": filters.query(**({"desde": "", "hasta": ""} if "rango" in request.GET else {})),
    }


def _in_words(count: int | None) -> str:
    if count is None or count <= MOST_COUNTED:
        return "" if count is None else whole(count)
    return _("más de %(n)s") % {"n": whole(MOST_COUNTED)}


def _rows_of(counted: Iterable[Any], measure: Measure) -> list[Row]:
    """Return a row for each thing that was counted, with the time that it took: a ticket that was counted twice has
    two."""
    counted = list(counted)
    tickets = queues.for_rows(Ticket.objects.filter(pk__in={each.listed for each in counted}))
    by_ticket = {row.ticket.pk: row for row in rows_of(tickets, Moment.present())}
    return [
        by_ticket[each.listed].measured_as(working_time(measure.seconds(each)), clock=measure.clock)
        for each in counted
        if each.listed in by_ticket
    ]
