"""The page that links a guest's ticket to an account."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.enums import Role
from accounts.models import User
from tickets.models import Ticket
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.accounts import CreateForm, LinkForm
from ..kept import ACCOUNT, KeptForm
from ..origin import origin_of, with_origin


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def account(request: DeskRequest, folio: str) -> HttpResponse:
    """Link an existing account or create one: two forms on a page. The submit button's name tells which was sent."""
    ticket = find_ticket(request.user, folio)
    page = _back(request, folio)
    if ticket.requester is not None:
        messages.info(request, _("El ticket ya tiene un solicitante con cuenta."))
        return redirect(page)
    kept = KeptForm(request, ACCOUNT, ticket)
    if kept.was_discarded:
        return redirect(request.get_full_path())
    link, create = _forms(ticket)
    if request.method != "POST":
        kept.fill(link)
        kept.fill(create)
        return _page(request, kept, link, create)
    creating = "create" in request.POST
    form: Any = CreateForm(request.POST) if creating else LinkForm(request.POST)
    link, create = (link, form) if creating else (form, create)
    if not form.is_valid():
        kept.keep()
        return _page(request, kept, link, create, status=422)
    with Refusal(form):
        done = form.save(ticket, actor=request.user)
        kept.forget()
        text = _("Creamos la cuenta de %(name)s.") if creating else _("El ticket es ahora de %(name)s.")
        messages.success(request, text % {"name": done.requester_name})
        return redirect(page)
    kept.keep()
    return _page(request, kept, link, create, status=422)


def _back(request: DeskRequest, folio: str) -> str:
    """Return the address to go back to: «Preparar» if the person came from there, else the ticket."""
    if request.GET.get("volver") == "preparar":
        return reverse("agents:prepare_ticket", args=[folio])
    return with_origin(request, reverse("agents:ticket", args=[folio]))


def _forms(ticket: Ticket) -> tuple[LinkForm, CreateForm]:
    key = uuid.uuid4()
    known = {"email": ticket.requester_email, "name": ticket.requester_name, "phone": ticket.requester_phone}
    return (
        LinkForm(initial={"account": ticket.requester_email, "key": key}),
        CreateForm(initial={**known, "key": key}),
    )


def _page(
    request: DeskRequest, kept: KeptForm, link: LinkForm, create: CreateForm, *, status: int = 200
) -> HttpResponse:
    ticket: Any = kept.ticket
    has_account = User.objects.filter(
        email=ticket.requester_email, role=Role.CUSTOMER, is_active=True
    ).exists()
    context = {
        "ticket": ticket,
        "link": link,
        "create": create,
        "kept": kept,
        "has_account": has_account,
        "origin": origin_of(request),
        "here": request.get_full_path(),
        "back_url": _back(request, ticket.folio),
    }
    return render(request, "agents/tickets/account.html", context, status=status)
