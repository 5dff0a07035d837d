"""Changing a ticket's properties at any time, the contribution switch, and the explanation of its dates."""

import uuid
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tickets.explanation import explanations
from tickets.models import Ticket
from tickets.workflow import properties
from web.explained import explained_all
from web.forms import StampedForm
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.properties import LABELS, PropertyForm
from ..kept import PROPERTY, KeptForm
from ..origin import origin_of
from ..pages.timeline import changes_since
from .changes import answer_change


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def property_(request: DeskRequest, folio: str, name: str) -> HttpResponse:
    if name not in LABELS:
        raise Http404
    ticket = find_ticket(request.user, folio)
    kept = KeptForm(request, f"{PROPERTY}{name}", ticket)
    if kept.was_discarded:
        return answer_change(request, folio, focus=name)
    if request.method != "POST":
        initial = {"version": ticket.version, "key": uuid.uuid4()}
        form = PropertyForm(initial=initial, name=name, ticket=ticket)
        kept.fill(form)
        return _form(request, ticket, form, kept=kept)
    form = PropertyForm(request.POST, name=name, ticket=ticket)
    if not form.is_valid():
        kept.keep()
        return _form(request, ticket, form, kept=kept, status=422)
    with Refusal(form) as refusal:
        form.save(ticket, actor=request.user)
        kept.forget()
        text = _("Guardamos el cambio: %(property)s.") % {"property": str(LABELS[name]).lower()}
        return answer_change(request, folio, text, focus=name)
    kept.keep()
    fresh = find_ticket(request.user, folio) if refusal.is_stale else ticket
    changes = changes_since(fresh, refusal.changes)
    return _form(request, fresh, form, kept=kept, changes=changes, status=refusal.status)


def _form(
    request: DeskRequest,
    ticket: Ticket,
    form: PropertyForm,
    *,
    kept: KeptForm,
    changes: Any = (),
    status: int = 200,
) -> HttpResponse:
    context = {
        "ticket": ticket,
        "form": form,
        "kept": kept,
        "name": form.name,
        "label": LABELS[form.name],
        "changes": changes,
        "version": ticket.version,
        "key": uuid.uuid4(),
        "origin": origin_of(request),
    }
    part = "#form" if request.htmx else ""
    return render(request, f"agents/tickets/property.html{part}", context, status=status)


@require_POST
@desk_view
def contribution(request: DeskRequest, folio: str) -> HttpResponse:
    """Switch the contribution («aporte de usuario») on or off (S2.5)."""
    ticket = find_ticket(request.user, folio)
    is_open = request.POST.get("is_open") == "1"
    with Refusal() as refusal:
        stamp = StampedForm(request.POST).stamp()
        properties.set_contribution(ticket, actor=request.user, is_open=is_open, **stamp)
    text = _("Habilitamos el aporte de usuario.") if is_open else _("Desactivamos el aporte de usuario.")
    return answer_change(request, folio, text, error=str(refusal), focus="contribution")


@require_safe
@desk_view
def due(request: DeskRequest, folio: str) -> HttpResponse:
    """Explain each clock («¿Por qué esta fecha?»): its target, what time counted and what did not (LESSONS A4)."""
    ticket = find_ticket(request.user, folio)
    now = timezone.now()
    explained = explained_all(explanations(ticket, now=now), now=now)
    context = {"ticket": ticket, "explained": explained, "origin": origin_of(request)}
    part = "#body" if request.htmx else ""
    return render(request, f"agents/tickets/due.html{part}", context)
