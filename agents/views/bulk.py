"""Assigning several tickets at once: one verb call for each, and a message that names those refused."""

import re
import uuid

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from tickets.lists import queues
from tickets.models import Ticket
from tickets.workflow.properties import assign as assign_one
from web.forms import key_of
from web.origins import next_url
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, supervisor_view

AT_ONCE = 200


@require_POST
@desk_view
def assign(request: DeskRequest) -> HttpResponse:
    """Assign the selected tickets. While no person is chosen, ask for one and change nothing."""
    folios = [folio for folio in dict.fromkeys(request.POST.getlist("sel")) if "\0" not in folio][:AT_ONCE]
    tickets = list(Ticket.objects.visible_to(request.user).filter(folio__in=folios).order_by("id"))
    if not tickets:
        messages.warning(request, _("Selecciona al menos un ticket."))
        return _back(request)
    chosen = request.POST.get("assignee")
    if chosen is None:
        return _choose(request, tickets)
    person = User.objects.staff().filter(pk=chosen).first() if re.fullmatch(r"[0-9]{1,18}", chosen) else None
    if person is None and chosen != "nadie":
        messages.error(request, _("Elige a una persona del equipo."))
        return _back(request)
    key = request.POST.get("key", "")
    key = key if re.fullmatch(r"[0-9a-f-]{32,36}", key) else str(key_of(request.POST))
    done, refused = [], []
    for ticket in tickets:
        with Refusal() as refusal:
            assign_one(ticket, actor=request.user, assignee=person, key=f"{key} {ticket.folio}")
            done.append(ticket)
        if refusal:
            refused.append(f"{ticket.folio}: {refusal}")
    _tell(request, done, refused, person)
    return _back(request)


@require_safe
@supervisor_view
def hand_over(request: DeskRequest, pk: int) -> HttpResponse:
    """Offer to give the open tickets of one staff member to somebody else, up to `AT_ONCE` at a time. The form comes
    back here until none is left."""
    person = get_object_or_404(User, pk=pk, has_been_staff=True)
    tickets = Ticket.objects.open().assigned_to(person).order_by("id")[:AT_ONCE]
    return _choose(request, list(tickets), leaving=person)


def _choose(request: DeskRequest, tickets: list[Ticket], *, leaving: User | None = None) -> HttpResponse:
    people = [person for person in User.objects.staff() if person != leaving]
    load = queues.open_ticket_counts(people)
    context = {
        "tickets": tickets,
        "people": [(person, load.get(person.pk, 0)) for person in people],
        "key": uuid.uuid4(),
        "next": request.get_full_path() if leaving else _next(request),
        "leaving": leaving,
    }
    part = "#form" if request.htmx else ""
    return render(request, f"agents/queue/assign.html{part}", context)


def _tell(request: DeskRequest, done: list[Ticket], refused: list[str], person: User | None) -> None:
    if done:
        count = len(done)
        if person is None:
            text = ngettext("%(n)d ticket volvió a la cola.", "%(n)d tickets volvieron a la cola.", count)
            messages.success(request, text % {"n": count})
        else:
            text = ngettext(
                "Asignamos %(n)d ticket a %(name)s.", "Asignamos %(n)d tickets a %(name)s.", count
            )
            messages.success(request, text % {"n": count, "name": person})
    if refused:
        messages.error(request, _("No pudimos con: %(list)s") % {"list": "; ".join(refused)})


def _next(request: DeskRequest) -> str:
    return next_url(request, default=reverse("agents:queue"))


def _back(request: DeskRequest) -> HttpResponse:
    return HttpResponseRedirect(_next(request))  # `redirect` would also take a view's name
