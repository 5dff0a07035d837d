"""Performing an action of the process: its form as a page of its own, or in a dialog on the ticket's page."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from content.errors import DeskError
from tickets import policies
from tickets.attachments import discard_draft, keep_drafts
from tickets.exceptions import ActionUnavailable
from tickets.models import Attachment, Ticket
from tickets.workflow.asks import SCREENSHOT_LIMITS
from tickets.workflow.perform import perform
from tickets.workflow.preparing import is_preparation
from tickets.workflow.side_tasks import withdrawn_by
from web.files import waiting_file_row
from web.forms import ActionForm
from web.refusals import Refusal
from web.uploads import take_upload

from ..access import DeskRequest, desk_view, find_ticket
from ..kept import ACTION, KeptForm
from ..origin import origin_of, queue_url, with_origin
from ..pages.ticket import files_key
from ..pages.timeline import changes_since
from ..pages.ways import ways_of


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
    waiting = files_key(ticket, request.user, for_action=True)
    asked: dict[str, Any] = {
        "action": definition,
        "ticket": ticket,
        "actor": request.user,
        "files_key": waiting,
    }
    if request.method == "POST":
        return _post(request, kept, ActionForm(request.POST, **asked))
    is_offered = definition in policies.available_actions(ticket, actor=request.user)
    if not is_offered and not kept.data:
        messages.warning(request, str(ActionUnavailable.default))
        return redirect(with_origin(request, reverse("agents:ticket", args=[folio])))
    if is_offered and is_preparation(definition, ticket):
        return redirect("agents:prepare_ticket", folio)
    initial = {"version": ticket.version, "key": uuid.uuid4()}
    form = ActionForm(initial=initial, **asked)
    kept.fill(form)
    return _form(request, ticket, form, kept=kept, is_offered=is_offered)


def _post(request: DeskRequest, kept: KeptForm, form: ActionForm) -> HttpResponse:
    """Keep or remove the files that come with the form, if it takes any, and perform the action."""
    ticket: Any = kept.ticket
    if not form.files_name:
        return _perform(request, kept, form)
    if file := request.POST.get("quitar"):
        discard_draft(form.files_key, file, actor=request.user)
        kept.keep()
        return redirect(request.get_full_path())
    problems = keep_drafts(
        request.FILES.getlist(form.files_name),
        draft_key=form.files_key,
        actor=request.user,
        limits=SCREENSHOT_LIMITS,
    )
    if not problems:
        return _perform(request, kept, form)
    form.is_valid()
    for problem in problems:
        form.add_error(form.files_name, problem)
    kept.keep()
    return _form(request, ticket, form, kept=kept, status=422)


@require_POST
@desk_view
def upload(request: DeskRequest, folio: str) -> HttpResponse:
    """Keep a picture for an action's form and return its row (js/behaviours/upload.js)."""
    ticket = find_ticket(request.user, folio)
    waiting = files_key(ticket, request.user, for_action=True)

    def row_of(kept: Attachment) -> dict[str, Any]:
        return waiting_file_row(kept, remove_url=_remove_url(ticket, kept))

    return take_upload(request, row_of, draft_key=waiting, actor=request.user, limits=SCREENSHOT_LIMITS)


@require_POST
@desk_view
def remove_upload(request: DeskRequest, folio: str, file: uuid.UUID) -> HttpResponse:
    waiting = files_key(find_ticket(request.user, folio), request.user, for_action=True)
    discard_draft(waiting, str(file), actor=request.user)
    return HttpResponse(status=204)


def _remove_url(ticket: Ticket, file: Attachment) -> str:
    return reverse("agents:ticket_screenshot_remove", args=[ticket.folio, file.uuid])


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
    return _form(
        request,
        fresh,
        form,
        kept=kept,
        # The change may have taken the action away: then there is nothing to send again.
        is_offered=not refusal.is_stale
        or form.action in policies.available_actions(fresh, actor=request.user),
        changes=changes_since(fresh, refusal.changes),
        problem=refusal.problem,
        status=refusal.status,
    )


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
    problem: DeskError | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the form. An action that is not offered any more shows only what was typed. `problem` is the refusal of
    the form just sent."""
    if form.files_name:
        _draw_files(ticket, form)
    context = {
        "ticket": ticket,
        "form": form,
        "kept": kept,
        "is_offered": is_offered,
        "action": form.action,
        "withdraws": withdrawn_by(form.action, ticket),
        "changes": changes,
        "version": ticket.version,
        "key": uuid.uuid4(),
        "origin": origin_of(request),
        "ways": ways_of(request, ticket, form.action, asked=form.asked, problem=problem)
        if is_offered
        else [],
    }
    part = "#form" if request.htmx else ""
    return render(request, f"agents/tickets/action.html{part}", context, status=status)


def _draw_files(ticket: Ticket, form: ActionForm) -> None:
    """Show the uploaded files that wait for the form, and where the next ones go."""
    field: Any = form.fields[form.files_name]
    field.upload_url = reverse("agents:ticket_screenshots", args=[ticket.folio])
    field.uploaded = [
        waiting_file_row(file, remove_url=_remove_url(ticket, file))
        for file in Attachment.objects.drafts(form.files_key)
    ]
