"""Writing on a ticket: messages, drafts, files and mentions."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from knowledge import proposal_uses
from tickets import policies
from tickets.attachments import discard_draft, keep_drafts, widest_limits
from tickets.enums import MessageKind
from tickets.models import Attachment
from tickets.workflow.conversation import save_draft
from web.files import waiting_file_row
from web.refusals import Refusal
from web.uploads import take_upload

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.composer import SENT, ComposerForm, DraftForm
from ..origin import with_origin
from ..pages.ticket import files_key
from .tickets import render_ticket

MENTIONED_AT_ONCE = 8


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def send(request: DeskRequest, folio: str) -> HttpResponse:
    """Send a message. A refused one is shown at this address, which may be reloaded: so GET redirects to the ticket."""
    ticket = find_ticket(request.user, folio)
    if request.method != "POST":
        return redirect(with_origin(request, reverse("agents:ticket", args=[folio])))
    waiting = files_key(ticket, request.user)
    if file := request.POST.get("quitar"):
        discard_draft(waiting, file, actor=request.user)
        fresh = find_ticket(request.user, folio)
        return render_ticket(request, fresh, form=ComposerForm.unsent_from(request.POST, ticket=fresh))
    files = request.FILES.getlist("files")
    problems = keep_drafts(files, draft_key=waiting, actor=request.user, limits=widest_limits(ticket))
    form = ComposerForm(request.POST, ticket=ticket)
    refusal = Refusal(form)
    if form.is_valid() and not problems:
        with refusal:
            message = form.send(ticket, actor=request.user, draft_key=waiting)
            if "propuesta" in request.POST and form.mode_name != MessageKind.NOTE:
                proposal_uses.note_taken(ticket, actor=request.user)
            messages.success(request, str(SENT[MessageKind(form.mode_name)]))
            page = with_origin(request, reverse("agents:ticket", args=[folio]))
            return redirect(f"{page}#mensaje-{message.pk}")
    for problem_text in problems:
        form.add_error("files", problem_text)
    fresh = find_ticket(request.user, folio)
    return render_ticket(request, fresh, form=form, changes=refusal.changes, status=refusal.status)


@require_POST
@desk_view
def draft(request: DeskRequest, folio: str) -> HttpResponse:
    """Save the draft, which the page sends after each pause in typing. Answers 204 when it is saved, else 422."""
    ticket = find_ticket(request.user, folio)
    form = DraftForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    given = form.cleaned_data
    mode = MessageKind(given["mode"])
    with Refusal() as refusal:
        save_draft(
            ticket,
            actor=request.user,
            mode=mode,
            body=given["body"],
            steps=given["steps"],
            key=form.stamp()["key"],
        )
    return HttpResponse(status=refusal.status if refusal else 204)


@require_POST
@desk_view
def upload(request: DeskRequest, folio: str) -> HttpResponse:
    """Keep a file for the next message and return its row, or a row that says why not (js/behaviours/upload.js)."""
    ticket = find_ticket(request.user, folio)

    def row_of(kept: Attachment) -> dict[str, Any]:
        return waiting_file_row(
            kept, remove_url=reverse("agents:ticket_file_remove", args=[folio, kept.uuid])
        )

    key = files_key(ticket, request.user)
    return take_upload(request, row_of, draft_key=key, actor=request.user, limits=widest_limits(ticket))


@require_POST
@desk_view
def remove_file(request: DeskRequest, folio: str, file: uuid.UUID) -> HttpResponse:
    ticket = find_ticket(request.user, folio)
    discard_draft(files_key(ticket, request.user), str(file), actor=request.user)
    return HttpResponse(status=204)


@require_safe
@desk_view
def mentions(request: DeskRequest, folio: str) -> HttpResponse:
    """List colleagues who may see the ticket and whose address, or a word of their name, begins with `q`.

    Nobody else can be mentioned on it.
    """
    ticket = find_ticket(request.user, folio)
    text = request.GET.get("q", "").replace("\0", "")[:60]
    people = policies.staff_on(ticket).exclude(pk=request.user.pk)
    if text:
        people = people.filter(
            Q(name__istartswith=text) | Q(name__icontains=f" {text}") | Q(email__istartswith=text)
        )
    return render(request, "agents/tickets/_mentions.html", {"people": people[:MENTIONED_AT_ONCE]})
