"""Writing on a ticket: messages, drafts, files and who can be called by name."""

import uuid

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from content.errors import DeskError, InvalidData
from content.files import RefusedFile
from tickets import policies
from tickets.attachments import REPLY_LIMITS, discard_draft, keep_draft, keep_drafts
from tickets.enums import MessageKind
from tickets.file_fields import refused_row, row_of
from tickets.record.freshness import StaleTicket
from tickets.workflow.conversation import save_draft

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.composer import SENT, ComposerForm, DraftForm
from ..origin import with_origin
from ..ticket_page import files_key
from .tickets import ticket_page

MENTIONED_AT_ONCE = 8


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def send(request: DeskRequest, folio: str) -> HttpResponse:
    """A refused message leaves its page at this address: whoever comes back to it finds the ticket."""
    ticket = find_ticket(request.user, folio)
    if request.method != "POST":
        return redirect(with_origin(request, reverse("agents:ticket", args=[folio])))
    waiting = files_key(ticket, request.user)
    if file := request.POST.get("quitar"):
        discard_draft(waiting, file, actor=request.user)
        return ticket_page(request, find_ticket(request.user, folio), form=ComposerForm(request.POST))
    files = request.FILES.getlist("files")
    problems = keep_drafts(files, draft_key=waiting, actor=request.user, limits=REPLY_LIMITS)
    form = ComposerForm(request.POST)
    stale, status = None, 422
    if form.is_valid() and not problems:
        try:
            message = form.send(ticket, actor=request.user, draft_key=waiting)
        except StaleTicket as problem:
            stale, status = problem, 409
        except InvalidData as problem:
            form.show(problem)
            if "done" in problem.errors:
                form.add_error("body", problem.errors["done"])
        except DeskError as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, str(SENT[MessageKind(form.mode_name)]))
            page = with_origin(request, reverse("agents:ticket", args=[folio]))
            return redirect(f"{page}#mensaje-{message.pk}")
    for problem_text in problems:
        form.add_error("files", problem_text)
    fresh = find_ticket(request.user, folio)
    return ticket_page(request, fresh, form=form, stale=stale, status=status)


@require_POST
@desk_view
def draft(request: DeskRequest, folio: str) -> HttpResponse:
    """What is being typed, every second or so; 204 when it is kept."""
    ticket = find_ticket(request.user, folio)
    form = DraftForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    given = form.cleaned_data
    mode = MessageKind(given["mode"])
    try:
        save_draft(ticket, actor=request.user, mode=mode, body=given["body"], steps=given["steps"])
    except DeskError:
        return HttpResponse(status=422)
    return HttpResponse(status=204)


@require_POST
@desk_view
def upload(request: DeskRequest, folio: str) -> HttpResponse:
    """One file of the next message: its row, or the row that says what is wrong with it (js/behaviours/upload.js)."""
    ticket = find_ticket(request.user, folio)
    file = request.FILES.get("file")
    if file is None:
        return HttpResponse(status=400)
    key = files_key(ticket, request.user)
    try:
        kept = keep_draft(file, name=file.name or "", draft_key=key, actor=request.user, limits=REPLY_LIMITS)
    except RefusedFile as problem:
        return render(request, "components/_file.html", refused_row(file, problem), status=422)
    remove_url = reverse("agents:ticket_file_remove", args=[folio, kept.uuid])
    return render(request, "components/_file.html", row_of(kept, remove_url=remove_url))


@require_POST
@desk_view
def remove_file(request: DeskRequest, folio: str, file: uuid.UUID) -> HttpResponse:
    ticket = find_ticket(request.user, folio)
    discard_draft(files_key(ticket, request.user), str(file), actor=request.user)
    return HttpResponse(status=204)


@require_safe
@desk_view
def mentions(request: DeskRequest, folio: str) -> HttpResponse:
    """Colleagues who may see the ticket and whose name or address begins so. Nobody else can be called to it."""
    ticket = find_ticket(request.user, folio)
    text = request.GET.get("q", "").replace("\0", "")[:60]
    people = policies.staff_on(ticket).exclude(pk=request.user.pk)
    if text:
        people = people.filter(
            Q(name__istartswith=text) | Q(name__icontains=f" {text}") | Q(email__istartswith=text)
        )
    return render(request, "agents/tickets/_mentions.html", {"people": people[:MENTIONED_AT_ONCE]})
