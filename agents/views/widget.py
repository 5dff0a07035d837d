"""Show supervisors what to copy into other sites: the widget's script and the link without script (S0.6)."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..access import DeskRequest, supervisor_view


@require_safe
@supervisor_view
def widget(request: DeskRequest) -> HttpResponse:
    context = {"base_url": settings.DESK_BASE_URL, "origins": settings.DESK_WIDGET_ORIGINS}
    return render(request, "agents/widget.html", context)
