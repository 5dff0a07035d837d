"""The requester's standing, the contact log, the closing checklist, late replies, and mails that failed."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.enums import Standing
from tickets.closing.checklist import tick_checklist
from tickets.models import Delivery
from tickets.record import deliveries
from tickets.requesters.standing import check_standing
from tickets.workflow.late_replies import put_aside
from web.forms import StampedForm
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.closing import ContactForm, StandingForm
from ..kept import CONTACT, KeptForm
from ..origin import origin_of
from .changes import answer_change


@require_POST
@desk_view
def standing(request: DeskRequest, folio: str) -> HttpResponse:
    """Record the standing that staff have looked up for the requester (S2.9)."""
    ticket = find_ticket(request.user, folio)
    form = StandingForm(request.POST)
    if not form.is_valid():
        return answer_change(request, folio, error=_("Elige el estatus que encontraste."))
    found = Standing(form.cleaned_data["standing"])
    with Refusal() as refusal:
        check_standing(ticket, actor=request.user, standing=found, key=form.stamp()["key"])
        return answer_change(
            request, folio, _("Estatus verificado: %(standing)s.") % {"standing": found.label}
        )
    return answer_change(request, folio, error=str(refusal))


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def contact(request: DeskRequest, folio: str) -> HttpResponse:
    ticket = find_ticket(request.user, folio)
    kept = KeptForm(request, CONTACT, ticket)
    if kept.was_discarded:
        return redirect(request.get_full_path())
    if request.method != "POST":
        form = ContactForm(initial={"key": uuid.uuid4(), "kind": "call"})
        kept.fill(form)
        # What the link names, an item or a kind, goes before what was kept of another contact.
        form.initial["item"] = request.GET.get("punto", "")[:40]
        if kind := request.GET.get("medio"):
            form.initial["kind"] = kind
        return _contact_form(request, kept, form)
    form = ContactForm(request.POST)
    if form.is_valid():
        with Refusal(form):
            form.save(ticket, actor=request.user)
            kept.forget()
            return answer_change(request, folio, _("Registramos el contacto."))
    kept.keep()
    return _contact_form(request, kept, form, status=422)


def _contact_form(
    request: DeskRequest, kept: KeptForm, form: ContactForm, *, status: int = 200
) -> HttpResponse:
    context = {"ticket": kept.ticket, "form": form, "kept": kept, "origin": origin_of(request)}
    part = "#form" if request.htmx else ""
    return render(request, f"agents/tickets/contact.html{part}", context, status=status)


@require_POST
@desk_view
def checklist(request: DeskRequest, folio: str, item: str) -> HttpResponse:
    """Tick or untick an item of the closing checklist (S2.44–S2.46)."""
    ticket = find_ticket(request.user, folio)
    if item not in {point.key for point in ticket.definition.closing.checklist}:
        raise Http404
    done = request.POST.get("done") == "1"
    key = StampedForm(request.POST).stamp()["key"]
    with Refusal() as refusal:
        tick_checklist(ticket, actor=request.user, item=item, done=done, key=key)
    return answer_change(request, folio, error=str(refusal), focus=f"checklist-{item}")


@require_POST
@desk_view
def late_reply(request: DeskRequest, folio: str) -> HttpResponse:
    """Take the ticket out of «Respuestas en cerrados» without an answer."""
    ticket = find_ticket(request.user, folio)
    with Refusal() as refusal:
        put_aside(ticket, actor=request.user, key=StampedForm(request.POST).stamp()["key"])
    return answer_change(request, folio, _("Marcaste la respuesta como atendida."), error=str(refusal))


@require_POST
@desk_view
def retry_delivery(request: DeskRequest, folio: str, pk: int) -> HttpResponse:
    """Send a failed mail again; only supervisors may."""
    ticket = find_ticket(request.user, folio)
    delivery = Delivery.objects.select_related("event").filter(pk=pk, event__ticket=ticket).first()
    if delivery is None:
        raise Http404
    with Refusal() as refusal:
        deliveries.retry(delivery, actor=request.user)
    return answer_change(request, folio, _("Enviaremos el correo otra vez."), error=str(refusal))
