"""The guide's first two steps: choosing a topic and giving the details (S3.5–S3.8). `sending` has the last."""

import uuid
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tickets.attachments import discard_draft, keep_drafts
from tickets.drafts import begin_report, discard_report, keep_contact, keep_report, take_overwritten
from tickets.models import Attachment, ReportDraft
from tickets.workflow.intake import TITLE_LENGTH
from web.in_place import in_place
from web.ratelimit import by_ip, by_user, limited
from web.uploads import take_upload

from .. import drafts
from ..forms.filing import DetailsForm
from ..pages import topics
from ..pages.contact import panel
from ..pages.filing import (
    ask_to_sign_in,
    details_initial,
    details_page,
    details_url,
    row_of_draft,
    signed_in_user,
    steps,
    type_url,
)
from ..pages.topics import Topic
from .suggestions import solved


@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """Begin a new draft and show the first step, or redirect to the second if the address has a topic."""
    return _choose(request, drafts.new_code())


@require_safe
def report_type(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Show the first step again for a draft that was begun."""
    return _choose(request, draft_id, chosen=drafts.load(request, draft_id).topic)


def _choose(request: HttpRequest, draft_id: str, *, chosen: str = "") -> HttpResponse:
    """Show the topics as links. Each leads to the details, so choosing works without script and without a button."""
    offered = topics.all_topics()
    asked = request.GET.get("tipo")
    if asked and any(topic.key == asked for topic in offered):
        return redirect(details_url(draft_id, asked, _proposed_title(request)))
    context = {
        "title_query": urlencode({"titulo": title}) if (title := _proposed_title(request)) else "",
        "topics": offered,
        "chosen": chosen,
        "is_withdrawn": asked is not None,
        "steps": steps("report_type"),
        "contact": panel(request.user),
    }
    return render(request, "portal/filing/type.html", context)


@in_place
@limited("report", rate="60/10m", by=by_user)
@require_http_methods(["GET", "HEAD", "POST"])
def report_details(request: HttpRequest, draft_id: str) -> HttpResponse:
    draft = drafts.load(request, draft_id)
    if draft.folio and not drafts.must_sign_in(request, draft):
        return redirect("portal:report_done", draft_id)
    topic = topics.find(request.POST.get("tipo") or request.GET.get("tipo") or draft.topic)
    if topic is None:
        return redirect(type_url(draft))
    if request.method == "POST":
        return _take_details(request, draft, topic)
    if topic.needs_account and not request.user.is_authenticated:
        return ask_to_sign_in(request, draft, topic, details_url(draft.code, topic.key))
    initial = {"title": _proposed_title(request)} | details_initial(request, draft, topic)
    form = DetailsForm(initial=initial, topic=topic)
    return details_page(request, draft, topic, form)


def _take_details(request: HttpRequest, draft: ReportDraft, topic: Topic) -> HttpResponse:
    values = drafts.typed(request) or draft.values
    draft = keep_report(draft, topic=topic.key, values=values, **drafts.page_of(request))
    if drafts.must_sign_in(request, draft):
        return redirect_to_login(details_url(draft.code, topic.key))
    if draft.folio:  # another tab sent it meanwhile
        return redirect("portal:report_done", draft.code)
    if file := request.POST.get("quitar"):
        discard_file(request, draft, file)
        return redirect(f"{details_url(draft.code)}#archivos")
    if answer := solved(request, draft, topic, back=details_url(draft.code)):
        return answer
    if request.POST.get("ir") == "tipo":
        return redirect("portal:report_type", draft.code)
    if request.POST.get("ir") == "otra":
        take_overwritten(draft)
        return redirect(details_url(draft.code))
    problems = keep_drafts(
        request.FILES.getlist("files"),
        draft_key=draft.files_key,
        actor=signed_in_user(request),
        limits=topic.definition.files,
        visitor=by_ip(request),
    )
    form = DetailsForm(request.POST, topic=topic)
    if form.is_valid() and not problems:
        has_no_script = "sin_guion" in request.POST
        return redirect("portal:report_before" if has_no_script else "portal:report_contact", draft.code)
    for problem in problems:
        form.add_error("files", problem)
    return details_page(request, draft, topic, form, status=422)


@limited("report-draft", rate="120/10m", by=by_user)
@require_POST
def report_draft(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Save what the page's script sends after each pause in typing. Answers 204 when it is saved, else 409.

    The header `Desk-Draft-Overwritten` says that another page wrote in the same report meanwhile.
    """
    draft = drafts.load(request, draft_id)
    if "tipo" not in request.POST:  # the last step, which asks only for the contact
        contact = drafts.typed(request, drafts.CONTACT)
        if draft.folio or not draft.topic or not contact:
            return HttpResponse(status=409)
        keep_contact(draft, contact=contact)
        return HttpResponse(status=204)
    topic = topics.find(request.POST.get("tipo", ""))
    values = drafts.typed(request)
    if draft.folio or topic is None or not values:
        return HttpResponse(status=409)
    kept = keep_report(draft, topic=topic.key, values=values, **drafts.page_of(request))
    if "email" in request.POST and not kept.folio:  # a form of one page
        keep_contact(kept, contact=drafts.typed(request, drafts.CONTACT))
    response = HttpResponse(status=409 if kept.folio else 204)
    if kept.overwritten:
        response["Desk-Draft-Overwritten"] = "1"
    return response


@limited("upload", rate="60/10m", by=by_user)
@require_POST
def report_upload(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Keep one file and return its row, or a row that says why it was refused (js/behaviours/upload.js)."""
    draft = drafts.load(request, draft_id)
    topic = topics.find(request.GET.get("tipo", ""))
    if topic is None or draft.folio:
        return HttpResponse(status=400)

    def row_of(kept: Attachment) -> dict[str, Any]:
        begin_report(draft, topic=topic.key)
        return row_of_draft(draft, kept)

    return take_upload(
        request,
        row_of,
        draft_key=draft.files_key,
        actor=signed_in_user(request),
        limits=topic.definition.files,
        visitor=by_ip(request),
    )


@limited("upload", rate="60/10m", by=by_user)
@require_POST
def report_discard(request: HttpRequest, draft_id: str, file: uuid.UUID) -> HttpResponse:
    discard_file(request, drafts.load(request, draft_id), str(file))
    return HttpResponse(status=204)


@limited("report", rate="60/10m", by=by_user)
@require_POST
def report_drop(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Take an unfinished report off the home page, which then offers to undo it."""
    draft = drafts.load(request, draft_id)
    if drafts.must_sign_in(request, draft):  # whoever is at the browser after its owner may not
        return redirect_to_login(reverse("portal:home"))
    discard_report(draft)
    return redirect(f"{reverse('portal:home')}?{urlencode({'descartado': draft.code})}")


@limited("report", rate="60/10m", by=by_user)
@require_POST
def report_restore(request: HttpRequest, draft_id: str) -> HttpResponse:
    discard_report(drafts.load(request, draft_id), discarded=False)
    return redirect("portal:home")


def _proposed_title(request: HttpRequest) -> str:
    """Return the title in the address: what the person had looked for. Only what was not typed yet gets it."""
    return " ".join(request.GET.get("titulo", "").replace("\x00", "").split())[:TITLE_LENGTH]


def discard_file(request: HttpRequest, draft: ReportDraft, file: str) -> None:
    user = signed_in_user(request)
    if user:
        drafts.adopt_files(draft, user)
    discard_draft(draft.files_key, file, actor=user)
