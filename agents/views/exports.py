"""Exports of the history: asking for one, watching it, cancelling it, getting the file. Each person has their own."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from content.text import clean_line
from tickets.enums import ExportFormat, ExportState
from tickets.models import Export
from web.refusals import Refusal

from .. import exports as job
from ..access import DeskRequest, desk_view
from ..forms.history import HistoryFilter

SHOWN = 3
LONGEST_NAME = 60


@require_POST
@desk_view
def ask(request: DeskRequest) -> HttpResponse:
    filters = HistoryFilter(QueryDict(request.POST.get("query", "")), user=request.user)
    kind = request.POST.get("format", "")
    if kind not in ExportFormat.values:
        raise Http404
    with Refusal() as refusal:
        name = clean_line(request.POST.get("name", "")[:LONGEST_NAME], max_length=LONGEST_NAME) or _(
            "Histórico"
        )
        job.ask(request.user, filters, name=name, kind=ExportFormat(kind))
    if refusal:
        messages.error(request, str(refusal))
    back = QueryDict(filters.query, mutable=True)
    if (view := request.POST.get("view", "")).isdecimal():  # the saved view from which it was asked for
        back["vista"] = view
    return redirect(f"{reverse('agents:history')}?{back.urlencode()}".rstrip("?"))


@require_safe
@desk_view
def exports(request: DeskRequest) -> HttpResponse:
    """Return the bars of the person's latest exports, which ask for themselves while one is at work."""
    return render(request, "agents/history/_exports.html", exports_of(request))


def exports_of(request: DeskRequest) -> dict[str, Any]:
    shown = Export.objects.filter(owner=request.user).exclude(state=ExportState.CANCELLED)[:SHOWN]
    found = list(shown)
    return {"exports": found, "is_at_work": any(export.is_at_work for export in found)}


@require_safe
@desk_view
def download(request: DeskRequest, pk: int) -> FileResponse:
    export = get_object_or_404(Export, pk=pk, owner=request.user, state=ExportState.DONE)
    try:
        return FileResponse(export.file.open("rb"), as_attachment=True, filename=export.file_name)
    except OSError as problem:
        raise Http404 from problem


@require_POST
@desk_view
def cancel(request: DeskRequest, pk: int) -> HttpResponse:
    """Cancel an export, or delete one that has ended."""
    job.cancel(get_object_or_404(Export, pk=pk, owner=request.user))
    if request.htmx:
        return render(request, "agents/history/_exports.html", exports_of(request))
    return redirect("agents:history")
