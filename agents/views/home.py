"""«Inicio» of supervisors: what needs them now, each figure with the list behind it."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tickets.lists import needs, queues
from tickets.lists.figures import figures

from ..access import DeskRequest, desk_view
from ..pages.rows import Moment, Row, rows_of

SHOWN_LOADS = 4


@require_safe
@desk_view
def home(request: DeskRequest) -> HttpResponse:
    """Show supervisors what needs them. Agents work from their queue."""
    if not request.user.is_supervisor:
        return redirect("agents:queue")
    now = timezone.now()
    counts = figures(queues.queues_for(request.user), request.user).counts
    found = needs.needs_of(request.user, now=now, counts=counts)
    rows = {row.ticket.pk: row for row in _rows(found)}
    reports, reported = needs.open_nonconformities()
    loads = needs.loads()
    most = max([1, *(load.size for load in loads)])
    heavy = [load for load in loads if load.is_too_much]
    context: dict[str, Any] = {
        "needs": [
            _need(need, [rows[ticket.pk] for ticket in need.tickets], is_first=False) for need in found
        ],
        "reports": list(reports[: needs.SHOWN]),
        "reported": reported,
        "loads": [(load, 100 * load.size // most) for load in loads[:SHOWN_LOADS] if load.size],
        "heavy": heavy,
        "many": queues.MANY,
        "soon": now + timedelta(hours=4),
        "now": now,
    }
    for need in context["needs"]:
        if need["count"]:
            need["is_first"] = True  # one button stands out: that of the greatest harm
            break
    context["headline"] = _headline(context["needs"])
    return render(request, "agents/home.html", context)


def _rows(found: list[needs.Need]) -> list[Row]:
    return rows_of([ticket for need in found for ticket in need.tickets], Moment.present())


NOTES = {
    queues.ELEVATED: lambda: _("Vencieron o alguien los elevó. La meta es 0."),
    queues.DUE_SOON.key: lambda: _("Su plazo más cercano se acaba en menos de cuatro horas."),
    queues.TO_PREPARE.key: lambda: _("En orden de llegada."),
    queues.TO_APPROVE: lambda: _("Esperan que el solicitante apruebe el cierre."),
}
LEVELS = {queues.ELEVATED: "breached", queues.DUE_SOON.key: "risk"}


def _need(need: needs.Need, rows: list[Row], *, is_first: bool) -> dict[str, Any]:
    key = need.queue.key
    url = reverse("agents:prepare") if key == queues.TO_PREPARE.key else ""
    return {
        "key": key,
        "label": need.queue.label,
        "icon_name": need.queue.icon,
        "level": LEVELS.get(key, "") if need.count else "",
        "note": NOTES[key](),
        "count": need.count,
        "rows": rows,
        "list_url": reverse("agents:queue_of", args=[key]),
        "url": url or reverse("agents:queue_of", args=[key]),
        "action": _("Preparar el primero") if url else _("Ver la lista"),
        "is_first": is_first,
    }


def _headline(found: list[dict[str, Any]]) -> str:
    """Return one sentence that says what to do first."""
    count = {need["key"]: need["count"] for need in found}
    if not any(count.values()):
        return _("Nada te necesita ahora mismo.")
    return _(
        "%(elevated)s en soporte elevado y %(soon)s vencen en 4 h. Después quedan %(prepare)s por preparar."
    ) % {
        "elevated": count[queues.ELEVATED],
        "soon": count[queues.DUE_SOON.key],
        "prepare": count[queues.TO_PREPARE.key],
    }
