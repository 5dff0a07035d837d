"""«Qué pasaría si»: replay the last weeks under other conditions. It changes nothing."""

import hashlib
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from tickets.record.days import day_of

from ..access import DeskRequest, supervisor_view
from ..forms.what_if import WhatIfForm
from ..pages.what_if import WhatIf

KEPT_SECONDS = 600


@require_safe
@supervisor_view
def what_if(request: DeskRequest) -> HttpResponse:
    """Show the form and, for a valid one, what would have been. It is kept for minutes: it takes a second."""
    form = WhatIfForm(request.GET if "escenario" in request.GET else None)
    context: dict[str, Any] = {"form": form, "result": ""}
    if form.is_bound and form.is_valid():
        today = day_of(timezone.now())
        seen_as = (sorted(request.GET.lists()), f"{today}", get_language())
        key = f"what-if:{hashlib.sha256(repr(seen_as).encode()).hexdigest()}"
        result = cache.get(key)
        if result is None:
            result = render_to_string(
                "agents/panel/_what_if.html", {"what": WhatIf(form, today), "form": form}
            )
            cache.set(key, result, KEPT_SECONDS)
        context["result"] = result
    return render(request, "agents/panel/what_if.html", context)
