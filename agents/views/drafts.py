"""Saving what is typed into a form before it is sent."""

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from ..access import DeskRequest, desk_view, find_ticket
from ..kept import KeptForm

LONGEST = 100


@require_POST
@desk_view
def form_draft(request: DeskRequest, form: str, folio: str = "") -> HttpResponse:
    """Save the form, which its page sends after each pause in typing. Answers 204 when it is saved, else 409."""
    if len(form) > LONGEST:
        raise Http404
    kept = KeptForm(request, form, find_ticket(request.user, folio) if folio else None)
    return HttpResponse(status=204 if kept.keep() else 409)
