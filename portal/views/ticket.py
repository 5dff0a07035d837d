"""One ticket for its requester: page, updates, replies, actions and survey (S1.12, S1.17, S3.15–S3.19)."""

import uuid
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from tickets import policies
from tickets.attachments import discard_draft, keep_drafts
from tickets.closing import surveys
from tickets.enums import ClockKind, Purpose
from tickets.explanation import explanations
from tickets.models import Message
from tickets.requesters import guests
from tickets.workflow import mails
from tickets.workflow.conversation import reply
from tickets.workflow.perform import perform
from tickets.workflow.properties import set_notifications
from web.explained import explained
from web.grants import grant
from web.in_place import in_place
from web.ratelimit import by_ip, by_user, limited
from web.refusals import Refusal
from web.uploads import take_upload

from ..access import Access, forget_unsent_reply, ticket_view
from ..forms.ticket import ActionForm, ReplyForm, SurveyForm
from ..pages.contact import panel
from ..pages.late_replies import sent_text
from ..pages.ticket import file_of_reply, live_context, reload, render_page, unsent_form, zone_of_guests


@require_safe
@ticket_view(*policies.READING_PURPOSES)
def ticket(request: HttpRequest, access: Access) -> HttpResponse:
    return render_page(request, access)


@require_safe
@ticket_view(*policies.READING_PURPOSES)
def due(request: HttpRequest, access: Access) -> HttpResponse:
    """Explain the dates that are promised to the requester, the first response and the closing: what counted, what
    stopped the clock and what was not counted. Go to the ticket if no promise is open."""
    now = timezone.now()
    found = explanations(access.ticket, now=now, kinds=[ClockKind.FIRST_RESPONSE, ClockKind.RESOLUTION])
    running = [explanation for explanation in found if explanation.clock.stopped_at is None]
    if not running:
        return redirect(access.url(""))
    context = {
        "ticket": access.ticket,
        "access": access,
        "items": [explained(explanation, now=now) for explanation in running],
        "contact": panel(access.actor),
        "zone": zone_of_guests(access),
    }
    return render(request, "portal/tickets/due.html", context | {"back": access.url("")})


@require_POST
@ticket_view(Purpose.FOLLOW)
def ticket_mail(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    """Let in the held mail of which the requester says that they wrote it (`suyo=si`), or discard it (`suyo=no`)."""
    mail = next((each for each in mails.asked_about(access.ticket) if each.pk == pk), None)
    answer = request.POST.get("suyo", "")
    if mail is None:
        messages.info(request, _("Ese correo ya no espera tu respuesta."))
    elif answer not in ("si", "no"):
        messages.error(request, _("Di si escribiste ese correo."))
    else:
        with Refusal() as refusal:
            (mails.confirm if answer == "si" else mails.deny)(mail, actor=access.actor)
        if refusal:
            messages.error(request, str(refusal))
        elif answer == "si":
            messages.success(request, _("Tu correo ya está en la conversación."))
        else:
            messages.success(request, _("Gracias por avisarnos. Descartamos ese correo."))
    return redirect(access.home_url)


@require_safe
@ticket_view(*policies.DECIDING_PURPOSES)
def approval(request: HttpRequest, access: Access) -> HttpResponse:
    """Show the page of an approval link: the solution, approve and reject, and the conversation (S2.8)."""
    return render_page(request, access)


@require_safe
@ticket_view(*policies.READING_PURPOSES)
def updates(request: HttpRequest, access: Access) -> HttpResponse:
    """Answer 204 while the page's version is current, else return its live parts (S1.17).

    Only the conversation, the state and the actions are replaced, never the reply box, where the person may be typing.
    """
    if request.GET.get("v") == str(access.version):
        return HttpResponse(status=204)
    context = live_context(access, complete="completa" in request.GET)
    return render(request, "portal/tickets/_live.html", context | {"oob": True})


@in_place
@limited("reply", rate="30/10m", by=by_user)
@require_POST
@ticket_view(*policies.WRITING_PURPOSES)
def ticket_reply(request: HttpRequest, access: Access) -> HttpResponse:
    if file := request.POST.get("quitar"):
        discard_draft(access.files_key, file, actor=_uploader(access))
        return render_page(request, access, form=unsent_form(access, request.POST.get("body", "")))
    problems = keep_drafts(
        request.FILES.getlist("files"),
        draft_key=access.files_key,
        actor=_uploader(access),
        limits=access.ticket.definition.files,
        visitor=by_ip(request),
    )
    form = ReplyForm(request.POST, limits=access.ticket.definition.files)
    if not form.is_valid() or problems:
        for problem in problems:
            form.add_error("files", problem)
        return render_page(request, access, form=form, status=422)
    with Refusal(form) as refusal:
        message = reply(
            access.ticket,
            actor=access.actor,
            body=form.cleaned_data["body"],
            draft_key=access.files_key,
            keep_closed="keep_closed" in request.POST,
            **form.stamp(),
        )
        forget_unsent_reply(request, access.ticket.folio)
        return _replied(request, access, message)
    return _refused(request, access, refusal, form=form)


def _replied(request: HttpRequest, access: Access, message: Message) -> HttpResponse:
    """Go to the message and say what it did: a reply to a closed ticket may have reopened it, or be on another one."""
    messages.success(request, sent_text(access.ticket, message))
    token, where = access.token, access
    if message.ticket_id != access.ticket.pk:
        token = guests.link_to(token, message.ticket) if token else None
        where = replace(access, ticket=message.ticket, token=token)
    response = redirect(f"{where.home_url}#mensaje-{message.pk}")
    if token and token is not access.token:
        grant(request, response, token)
    return response


@limited("upload", rate="60/10m", by=by_user)
@require_POST
@ticket_view(*policies.WRITING_PURPOSES)
def ticket_upload(request: HttpRequest, access: Access) -> HttpResponse:
    """Keep one file of a reply and return its row, or a row that says why it was refused (js/behaviours/upload.js)."""
    return take_upload(
        request,
        partial(file_of_reply, access),
        draft_key=access.files_key,
        actor=_uploader(access),
        limits=access.ticket.definition.files,
        visitor=by_ip(request),
    )


@limited("upload", rate="60/10m", by=by_user)
@require_POST
@ticket_view(*policies.WRITING_PURPOSES)
def ticket_discard(request: HttpRequest, access: Access, file: uuid.UUID) -> HttpResponse:
    discard_draft(access.files_key, str(file), actor=_uploader(access))
    return HttpResponse(status=204)


@in_place
@limited("action", rate="30/10m", by=by_user)
@require_POST
@ticket_view(*policies.DECIDING_PURPOSES)
def ticket_action(request: HttpRequest, access: Access, action: str) -> HttpResponse:
    """Perform an action of the process: approve, reject, close … Then go to the survey if it is open."""
    definition = access.ticket.definition.action(action)
    if definition is None or definition.on:
        messages.error(request, _("Esa acción no existe en este ticket."))
        return redirect(access.home_url)
    form = ActionForm(request.POST, action=definition, ticket=access.ticket)
    # Validate answers only for a person who may perform the action: error messages, and the time that they take, reveal
    # which accounts and folios exist. `Refusal` would validate the form too, when it adds an error.
    is_theirs = policies.may_perform(access.actor, access.ticket, definition)
    if is_theirs and not form.is_valid():
        return render_page(request, access, refused_form=form, status=422)
    answers = form.answers() if is_theirs else {}
    with Refusal(form if is_theirs else None) as refusal:
        done = perform(access.ticket, action, actor=access.actor, data=answers, **form.stamp())
        messages.success(request, str(definition.done) or _("Listo: guardamos tu respuesta."))
        return redirect(access.url("survey") if surveys.is_open(done) else access.home_url)
    if refusal.is_stale or refusal.is_about_fields:
        return _refused(request, access, refusal, refused_form=form)
    messages.error(request, str(refusal))
    return redirect(access.home_url)


def _refused(request: HttpRequest, access: Access, refusal: Refusal, **forms: Any) -> HttpResponse:
    """Render the page with everything that was typed. If the form was stale, show the current ticket and what
    changed."""
    if refusal.is_stale:
        return render_page(request, reload(access), changes=refusal.changes, status=refusal.status, **forms)
    if refusal.is_about_fields:
        return render_page(request, access, status=refusal.status, **forms)
    messages.error(request, str(refusal))
    return render_page(request, access, status=409, **forms)


@in_place
@limited("survey", rate="20/10m", by=by_user)
@require_http_methods(["GET", "HEAD", "POST"])
@ticket_view(*policies.RATING_PURPOSES)
def survey(request: HttpRequest, access: Access) -> HttpResponse:
    """Show and save the survey (S0.25). No score is preselected, and nothing counts before it is sent (LESSONS A14)."""
    form = SurveyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with Refusal(form) as refusal:
            surveys.rate(
                access.ticket,
                actor=access.actor,
                score=form.cleaned_data["score"],
                comment=form.cleaned_data["comment"],
                key=form.stamp()["key"],
            )
            messages.success(request, _("Recibimos tu opinión. Gracias."))
            return redirect(access.url("survey"))
        if not refusal.is_about_fields:
            messages.error(request, str(refusal))
            return redirect(access.url("survey"))
    context = {
        "access": access,
        "ticket": access.ticket,
        "form": form,
        "key": uuid.uuid4(),
        "is_open": surveys.is_open(access.ticket),
        "answered": _answered(access),
        "back": access.home_url if _may_read(access) else "",
        "here": access.url("survey"),
    }
    return render(request, "portal/tickets/survey.html", context, status=422 if form.errors else 200)


@limited("notifications", rate="30/10m", by=by_user)
@require_POST
@ticket_view(Purpose.FOLLOW)
def ticket_notifications(request: HttpRequest, access: Access) -> HttpResponse:
    """Switch mails to the requester about this ticket on or off (S3.10)."""
    on = "on" in request.POST
    set_notifications(access.ticket, actor=access.actor, on=on)
    if getattr(request, "htmx", False):
        return HttpResponse(status=204)
    messages.success(
        request, _("Te avisaremos por correo.") if on else _("Ya no te avisaremos por correo de este ticket.")
    )
    return redirect(access.home_url)


def _uploader(access: Access) -> User | None:
    return access.actor if isinstance(access.actor, User) else None


def _may_read(access: Access) -> bool:
    return policies.can_view(access.actor, access.ticket)


def _answered(access: Access) -> Any:
    return getattr(access.ticket, "survey", None)
