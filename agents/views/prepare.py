"""«Preparar» (S2.3, S2.4): the first look at a ticket, which sets its assignee, due date and queue position."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from content.errors import DeskError
from knowledge import proposal_uses
from tickets.definitions.definition import Action
from tickets.lists.preparation import next_to_prepare, possible_assignees
from tickets.models import Ticket
from tickets.workflow.perform import perform
from web.forms import StampedForm
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.prepare import PrepareForm
from ..pages.prepare import PreparePage
from ..pages.proposal import ProposalPage
from ..pages.timeline import changes_since
from ..pages.ways import ways_of


@require_safe
@desk_view
def prepare(request: DeskRequest) -> HttpResponse:
    """Redirect to the first ticket to prepare. If there is none, show a page that says so."""
    if folio := next_to_prepare(request.user):
        return redirect("agents:prepare_ticket", folio)
    return render(request, "agents/prepare/empty.html")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def prepare_ticket(request: DeskRequest, folio: str) -> HttpResponse:
    page = PreparePage(request, find_ticket(request.user, folio))
    if request.htmx.target == "prep-line" and request.method == "GET":
        context = {
            "line": page.line,
            "ticket": page.ticket,
            "to_prepare": len(page.line.tickets),
            "oob": True,
        }
        return render(request, "agents/prepare/_line_rows.html", context)
    if page.kept.was_discarded:
        return redirect("agents:prepare_ticket", folio)
    if page.action is None:
        return _too_late(request, page) if request.method == "POST" else _page(request, page, None)
    asked: dict[str, Any] = {"action": page.action, "ticket": page.ticket, "actor": request.user}
    if request.method != "POST":
        if page.kept.data:
            return _page(request, page, PrepareForm.unbound_from(page.kept.data, **asked))
        return _page(request, page, PrepareForm.proposing(**asked))
    if "recalcular" in request.POST:
        return _page(request, page, PrepareForm.unbound_from(request.POST, **asked, anew=True))
    return _prepare(request, page, PrepareForm(request.POST, **asked))


@require_safe
@desk_view
def prepare_proposal(request: DeskRequest, folio: str) -> HttpResponse:
    """Return the due date and position proposed for the values chosen so far. If the department was changed, return
    also its possible assignees."""
    page = PreparePage(request, find_ticket(request.user, folio))
    if page.action is None:
        raise Http404
    anew = "recalcular" in request.GET
    form = PrepareForm.unbound_from(request.GET, action=page.action, ticket=page.ticket, anew=anew)
    by_department = "assignee" in form.asked and request.htmx.trigger == "prep-where"
    if by_department:
        form.offer(possible_assignees(form.department_id))
    context = {"form": form, "ticket": page.ticket, "by_department": by_department}
    return render(request, "agents/prepare/_proposal.html", context)


@require_safe
@desk_view
def prepare_similar(request: DeskRequest, folio: str) -> HttpResponse:
    """Return what solved tickets propose, as a part of «Preparar»: taking it fills the form, and saves nothing."""
    ticket = find_ticket(request.user, folio)
    context = {"page": ProposalPage(request, ticket), "ticket": ticket}
    return render(request, "agents/prepare/_similar.html", context)


def _prepare(request: DeskRequest, page: PreparePage, form: PrepareForm) -> HttpResponse:
    if not form.is_valid():
        page.kept.keep()
        return _page(request, page, form, status=422)
    following = page.after
    with Refusal(form) as refusal:
        ticket = perform(
            page.ticket, form.action.key, actor=request.user, data=form.answers(), **form.stamp()
        )
        page.kept.forget()
        if "propuesta" in request.POST:
            proposal_uses.note_taken(ticket, actor=request.user)
        return _done(request, ticket, form.action, following)
    page.kept.keep()
    if refusal.is_stale:
        return _stale(request, page, refusal)
    return _page(request, page, form, problem=refusal.problem, status=422)


def _done(request: DeskRequest, ticket: Ticket, action: Action, following: str = "") -> HttpResponse:
    said = str(action.done) or _("Listo: %(action)s.") % {"action": action.label}
    if ticket.assignee:
        said = _("%(said)s Queda a cargo de %(name)s.") % {"said": said, "name": ticket.assignee}
    messages.success(request, f"{ticket.folio} · {said}")
    if request.POST.get("luego") == "abrir" and _still_sees(request, ticket):
        return redirect("agents:ticket", ticket.folio)
    return redirect("agents:prepare_ticket", following) if following else redirect("agents:prepare")


def _still_sees(request: DeskRequest, ticket: Ticket) -> bool:
    return bool(Ticket.objects.visible_to(request.user).filter(pk=ticket.pk).exists())


def _stale(request: DeskRequest, page: PreparePage, refusal: Refusal) -> HttpResponse:
    """Render the ticket as it is now, with what changed meanwhile and everything that was typed."""
    fresh = PreparePage(request, find_ticket(request.user, page.ticket.folio))
    changes = changes_since(fresh.ticket, refusal.changes)
    form = (
        PrepareForm(request.POST, action=fresh.action, ticket=fresh.ticket, actor=request.user)
        if fresh.action
        else None
    )
    return _page(request, fresh, form, changes=changes, stale=refusal, status=409)


def _too_late(request: DeskRequest, page: PreparePage) -> HttpResponse:
    """Answer a form for a ticket that can no longer be prepared.

    Either the form was sent twice, and `perform` repeats its first result; or somebody else prepared the ticket, and
    `perform` refuses.
    """
    action, stamped = page.usual_action, StampedForm(request.POST)
    if action is None:
        raise Http404
    with Refusal() as refusal:
        ticket = perform(page.ticket, action.key, actor=request.user, **stamped.stamp())
        return _done(request, ticket, action)
    if refusal.is_stale:
        return _stale(request, page, refusal)
    return _page(request, page, None, stale=refusal, status=409)


def _page(
    request: DeskRequest,
    page: PreparePage,
    form: PrepareForm | None,
    *,
    changes: list[SafeString] | None = None,
    stale: Refusal | None = None,
    problem: DeskError | None = None,
    status: int = 200,
) -> HttpResponse:
    if form is not None and "assignee" in form.asked:
        form.offer(possible_assignees(form.department_id))
    context = {
        "page": page,
        "kept": page.kept,
        "ticket": page.ticket,
        "line": page.line,
        "to_prepare": page.line.count,
        "form": form,
        "ways": ways_of(request, page.ticket, form.action, asked=form.asked, problem=problem, back="preparar")
        if form
        else [],
        "changes": changes or [],
        "stale": stale,
        "typed_note": request.POST.get("note", "") or page.kept.data.get("note", ""),
        "key": uuid.uuid4(),
    }
    return render(request, "agents/prepare/detail.html", context, status=status)
