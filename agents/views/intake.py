"""«Nuevo ticket»: staff file a ticket for somebody who called, wrote on WhatsApp or came by."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelChoiceField
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import salted_hmac
from django.views.decorators.http import require_http_methods

from tickets.attachments import discard_draft, keep_drafts
from tickets.models import Attachment, Category, Ticket
from web.files import waiting_file_row
from web.refusals import Refusal

from ..access import DeskRequest, desk_view
from ..forms.intake import NewTicketForm


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def new_ticket(request: DeskRequest) -> HttpResponse:
    """Ask for the category first, because it decides what else is asked; then for the rest on one page."""
    category = _category(request)
    if category is None:
        return render(request, "agents/tickets/new_category.html", {"categories": _categories()})
    if request.method != "POST":
        initial = {"key": uuid.uuid4(), "channel": "phone", "email": request.GET.get("correo", "")[:254]}
        return _page(request, category, NewTicketForm(initial=initial, category=category))
    waiting = _files_key(request, request.POST.get("key", ""))
    if file := request.POST.get("quitar"):
        discard_draft(waiting, file, actor=request.user)
        return _page(request, category, NewTicketForm.unbound_from(request.POST, category=category), waiting)
    form = NewTicketForm(request.POST, category=category)
    files, limits = request.FILES.getlist("files"), category.process.definition.files
    problems = keep_drafts(files, draft_key=waiting, actor=request.user, limits=limits)
    if form.is_valid() and not problems:
        with Refusal(form):
            ticket = form.save(actor=request.user, draft_key=waiting)
            messages.success(request, form.done(ticket))
            return _after(request, ticket)
    for text in problems:
        form.add_error("files", text)
    return _page(request, category, form, waiting, status=422)


def _after(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    if Ticket.objects.visible_to(request.user).filter(pk=ticket.pk).exists():
        return redirect("agents:ticket", ticket.folio)
    return redirect("agents:queue")  # the person cannot see its department


def _page(
    request: DeskRequest, category: Category, form: NewTicketForm, waiting: str = "", *, status: int = 200
) -> HttpResponse:
    """Render the form with the files that were uploaded before it was refused: `waiting` is their draft key."""
    field: Any = form.fields["files"]
    field.uploaded = [waiting_file_row(item, remove_url="") for item in _waiting(request, waiting)]
    return render(request, "agents/tickets/new.html", {"category": category, "form": form}, status=status)


def _waiting(request: DeskRequest, key: str) -> list[Attachment]:
    return list(Attachment.objects.drafts(key).filter(uploader=request.user))


def _categories() -> QuerySet[Category]:
    active = Category.objects.filter(is_active=True, process__is_active=True, process__current__isnull=False)
    return active.select_related("process__current")


def _category(request: DeskRequest) -> Category | None:
    given = request.POST.get("category") or request.GET.get("categoria", "")
    try:
        category: Category | None = ModelChoiceField(_categories(), required=False).clean(given)
    except ValidationError:
        return None
    return category


def _files_key(request: DeskRequest, key: str) -> str:
    return salted_hmac("agents.new", f"{request.user.pk} {key}", algorithm="sha256").hexdigest()
