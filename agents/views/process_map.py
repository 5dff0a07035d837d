"""The map of a process, for all staff: its stages, what leads from one to the next, and who acts."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from tickets.models import Process
from web.process_map import process_map as map_of

from ..access import DeskRequest, desk_view


@require_safe
@desk_view
def process_map(request: DeskRequest, slug: str) -> HttpResponse:
    """Show the current version of the process; `?etapa=` marks the stage of the ticket from which one comes."""
    process = get_object_or_404(Process, key=slug)
    if process.current_id is None:
        raise Http404
    here = request.GET.get("etapa", "")
    if here not in {stage.key for stage in process.definition.stages}:
        here = ""
    context = {
        "process": process,
        "name": str(process.definition.name),
        "map": map_of(process.current_id, audience="staff", here=here),
    }
    return render(request, "agents/process_map.html", context)
