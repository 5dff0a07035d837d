"""Performing an action of the process: its form as a page of its own, or in a dialog on the ticket's page."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tickets import policies
from tickets.exceptions import ActionUnavailable
from tickets.models import Ticket
from tickets.workflow.perform import perform
from tickets.workflow.preparing import is_preparation
from web.forms import ActionForm
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, find_ticket
from ..kept import ACTION, KeptForm
from ..origin import origin_of, queue_url, with_origin
from ..pages.timeline import changes_since


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def action(request: DeskRequest, folio: str, action: str) -> HttpResponse:
    ticket = find_ticket(request.user, folio)
    definition = ticket.definition.action(action)
    if definition is None or definition.on:
        raise Http404
    kept = KeptForm(request, f"{ACTION}{action}", ticket)
    if kept.was_discarded:
        return redirect(request.get_full_path())
    if request.method == "POST":
        return _perform(request, kept, ActionForm(request.POST, action=definition, ticket=ticket))
    is_offered = definition in policies.available_actions(ticket, actor=request.user)
    if not is_offered and not kept.data:
        messages.warning(request, str(ActionUnavailable.default))
        return redirect(with_origin(request, reverse("agents:ticket", args=[folio])))
    if is_offered and is_preparation(definition, ticket):
        return redirect("agents:prepare_ticket", folio)
    initial = {"version": ticket.version, "key": uuid.uuid4()}
    form = ActionForm(initial=initial, action=definition, ticket=ticket)
    kept.fill(form)
    return _form(request, ticket, form, kept=kept, is_offered=is_offered)


def _perform(request: DeskRequest, kept: KeptForm, form: ActionForm) -> HttpResponse:
    ticket: Any = kept.ticket
    if not form.is_valid():
        kept.keep()
        return _form(request, ticket, form, kept=kept, status=422)
    with Refusal(form) as refusal:
        perform(ticket, form.action.key, actor=request.user, data=form.answers(), **form.stamp())
        kept.forget()
        done = form.action.done or _("Listo: %(action)s.") % {"action": form.action.label}
        messages.success(request, str(done))
        return redirect_after(request, ticket.folio)
    kept.keep()
    fresh = find_ticket(request.user, ticket.folio) if refusal.is_stale else ticket
    changes = changes_since(fresh, refusal.changes)
    return _form(request, fresh, form, kept=kept, changes=changes, status=refusal.status)


def redirect_after(request: DeskRequest, folio: str) -> HttpResponse:
    """Redirect to the ticket, or to the queue if the person can no longer see the ticket."""
    if Ticket.objects.visible_to(request.user).filter(folio=folio).exists():
        return redirect(with_origin(request, reverse("agents:ticket", args=[folio])))
    return redirect(queue_url(request))


def _form(
    request: DeskRequest,
    ticket: Ticket,
    form: ActionForm,
    *,
    kept: KeptForm,
    is_offered: bool = True,
    changes: Any = (),
    status: int = 200,
) -> HttpResponse:
    """Render the form. An action that is not offered any more shows only what was typed."""
    context = {
        "ticket": ticket,
        "form": form,
        "kept": kept,
        "is_offered": is_offered,
        "action": form.action,
        "changes": changes,
        "version": ticket.version,
        "key": uuid.uuid4(),
        "origin": origin_of(request),
        "account_missing": ticket.requester is None and form.action.needs_account,
    }
    part = "#form" if request.htmx else ""
    return render(request, f"agents/tickets/action.html{part}", context, status=status)
