"""The palette (Ctrl K): find a ticket by folio or words, or go to a page or queue by its name."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from content.time_limit import TookTooLong, time_limit
from tickets import folios
from tickets.lists import queues
from tickets.models import Ticket
from tickets.workflow.preparing import may_prepare

from ..access import DeskRequest, desk_view
from ..forms.filters import matching

SHOWN = 8


@require_safe
@desk_view
def palette(request: DeskRequest) -> HttpResponse:
    text = request.GET.get("q", "").replace("\0", "").strip()[: folios.LONGEST]
    if request.htmx:
        return render(request, "components/_palette_options.html", _options(request.user, text))
    named = Ticket.objects.visible_to(request.user).filter(folio__in=folios.named_in(text))
    found = list(named.values_list("folio", flat=True)[:2])
    if len(found) == 1:
        return redirect("agents:ticket", found[0])
    return redirect(f"{reverse('agents:queue_of', args=[queues.ALL.key])}?{urlencode({'q': text})}")


def _options(user: User, text: str) -> dict[str, Any]:
    """Return the found tickets and pages as groups of options, and a `problem` if looking for tickets took too long."""
    tickets, problem = [], ""
    try:
        with time_limit():
            tickets = _tickets(user, text) if text else []
    except TookTooLong as error:
        problem = str(error)
    places = [place for place in _places(user) if text.lower() in place["label"].lower()]
    groups = [{"label": _("Tickets"), "options": tickets}, {"label": _("Ir a"), "options": places[:SHOWN]}]
    return {"groups": [group for group in groups if group["options"]], "problem": problem}


def _tickets(user: User, text: str) -> list[dict[str, Any]]:
    found = matching(Ticket.objects.visible_to(user), text).order_by("-updated_at", "-id")
    return [
        {
            "href": reverse("agents:ticket", args=[ticket.folio]),
            "icon_name": "ticket-detailed",
            "label": ticket.title,
            "hint": ticket.folio,
        }
        for ticket in found[:SHOWN]
    ]


def _places(user: User) -> list[dict[str, Any]]:
    pages = [("agents:new_ticket", _("Nuevo ticket"), "plus-lg")]
    pages.append(("agents:history", _("Histórico"), "archive"))
    pages.append(("agents:reports", _("Informes por correo"), "envelope"))
    if may_prepare(user):
        pages.append(("agents:prepare", _("Preparar"), "clipboard-check"))
    if user.is_supervisor:
        pages.append(("agents:home", _("Inicio"), "house"))
        pages.append(("agents:panel", _("Panel"), "bar-chart"))
        pages.append(("agents:nonconformities", _("Inconformidades"), "flag"))
        pages.append(("agents:schedules", _("Horarios y plazos"), "clock"))
        pages.append(("health", _("Salud"), "graph-up"))
    if user.is_staff:
        pages.append(("setup", _("Puesta en marcha"), "ui-checks"))
        pages.append(("agents:connected_apps", _("Aplicaciones conectadas"), "link-45deg"))
    places = [{"href": reverse(name), "icon_name": icon, "label": label} for name, label, icon in pages]
    return places + [
        {
            "href": reverse("agents:queue_of", args=[queue.key]),
            "icon_name": queue.icon,
            "label": _("Cola: %(name)s") % {"name": queue.label},
        }
        for queue in queues.queues_for(user)
    ]
