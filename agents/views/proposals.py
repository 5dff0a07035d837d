"""Show what solved tickets propose for a ticket, and take it (S3.20)."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from knowledge import proposal_uses
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.proposal import ProposalForm
from ..origin import origin_of, with_origin
from ..pages.proposal import LABELS, ProposalPage
from .changes import answer_change


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def proposal(request: DeskRequest, folio: str) -> HttpResponse:
    """Show the proposal, as a part of the ticket's page or as a page of its own, or take what the form names."""
    ticket = find_ticket(request.user, folio)
    if request.method == "POST":
        return _take(request, ProposalForm(request, ticket), folio)
    context = {
        "page": ProposalPage(request, ticket),
        "ticket": ticket,
        "origin": origin_of(request),
    }
    part = "#body" if request.htmx else ""
    return render(request, f"agents/tickets/proposal.html{part}", context)


@require_POST
@desk_view
def set_aside(request: DeskRequest, folio: str) -> HttpResponse:
    """Propose nothing more for the ticket, or again what was set aside. Answers with the part that asked, or the page
    where it stands."""
    ticket = find_ticket(request.user, folio)
    verb = proposal_uses.bring_back if "mostrar" in request.POST else proposal_uses.set_aside
    with Refusal() as refusal:
        verb(ticket, actor=request.user)
    if refusal:
        messages.error(request, str(refusal))
    prepares = request.POST.get("donde") == "parecidos"
    if request.htmx:
        context = {"page": ProposalPage(request, ticket), "ticket": ticket, "origin": origin_of(request)}
        part = "agents/prepare/_similar.html" if prepares else "agents/tickets/proposal.html#body"
        return render(request, part, context)
    if prepares:
        return redirect("agents:prepare_ticket", folio)
    return redirect(with_origin(request, reverse("agents:ticket_proposal", args=[folio])))


def _take(request: DeskRequest, form: ProposalForm, folio: str) -> HttpResponse:
    if not form.is_valid():
        return answer_change(
            request, folio, error=_("Esa propuesta ya no se puede tomar. Mira la que hay ahora.")
        )
    with Refusal() as refusal:
        form.save()
    if refusal:
        return answer_change(request, folio, error=str(refusal))
    if form.answer_source and not request.htmx:
        page = with_origin(request, reverse("agents:ticket", args=[folio]))
        query = urlencode({"propuesta": form.answer_source})
        return redirect(f"{page}{'&' if '?' in page else '?'}{query}#composer")
    labels = [str(LABELS[name]).lower() for name in form.wanted]
    text = _("Tomamos la propuesta: %(parts)s.") % {"parts": ", ".join(labels)} if labels else ""
    return answer_change(request, folio, text)
