"""The whole report on one page, which the home page carries (S1.6), filed as in the guide, with the same drafts."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from tickets.attachments import keep_drafts
from tickets.drafts import keep_contact, keep_report, take_overwritten
from tickets.models import ReportDraft
from web.in_place import in_place
from web.ratelimit import by_ip, by_user, limited
from web.refusals import Refusal

from .. import drafts
from ..forms.filing import OnePageForm
from ..pages import topics
from ..pages.filing import ask_to_sign_in, signed_in_user, type_url
from ..pages.home import form_page, opened_form
from ..pages.suggestions import offers
from ..pages.topics import Topic
from .filing import discard_file
from .sending import file_report, strangers_network
from .suggestions import solved


@in_place
@limited("report", rate="60/10m", by=by_user)
@limited("report-mail-network", rate="60/h", by=strangers_network)
@require_http_methods(["GET", "HEAD", "POST"])
def report_form(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Take the form of the home page, or show it again: with its errors, or with what was typed before signing in."""
    draft = drafts.load(request, draft_id)
    if draft.folio and not drafts.must_sign_in(request, draft):
        return redirect("portal:report_done", draft_id)
    topic = topics.find(request.POST.get("tipo") or draft.topic)
    if topic is None:
        return redirect(type_url(draft))
    if request.method == "POST":
        return _take(request, draft, topic)
    if topic.needs_account and not request.user.is_authenticated:
        return ask_to_sign_in(request, draft, topic, _url(draft))
    return form_page(request, draft, topic, opened_form(request, draft, topic))


def _take(request: HttpRequest, draft: ReportDraft, topic: Topic) -> HttpResponse:
    values = drafts.typed(request) or draft.values
    draft = keep_report(draft, topic=topic.key, values=values, **drafts.page_of(request))
    draft = keep_contact(draft, contact=drafts.typed(request, drafts.CONTACT) or draft.contact)
    if drafts.must_sign_in(request, draft) or request.POST.get("ir") == "entrar":
        return redirect_to_login(_url(draft))
    if draft.folio:  # another tab sent it meanwhile
        return redirect("portal:report_done", draft.code)
    if file := request.POST.get("quitar"):
        discard_file(request, draft, file)
        return redirect(f"{_url(draft)}#archivos")
    if answer := solved(request, draft, topic, back=_url(draft)):
        return answer
    if request.POST.get("ir") == "otra":
        take_overwritten(draft)
        return redirect(_url(draft))
    if topic.needs_account and not request.user.is_authenticated:
        return redirect(_url(draft))  # its GET asks to sign in
    user = signed_in_user(request)
    problems = keep_drafts(
        request.FILES.getlist("files"),
        draft_key=draft.files_key,
        actor=user,
        limits=topic.definition.files,
        visitor=by_ip(request),
    )
    form = OnePageForm(request.POST, topic=topic, user=user)
    if form.is_valid() and not problems:
        must_offer = "sin_guion" in request.POST and "ofrecido" not in request.POST
        if must_offer and (found := offers(request, topic, values)):
            return form_page(request, draft, topic, form, found=found)
        with Refusal(form):
            return file_report(request, draft, topic, form, form)
    for problem in problems:
        form.add_error("files", problem)
    return form_page(request, draft, topic, form, status=422)


def _url(draft: ReportDraft) -> str:
    return reverse("portal:report_form", args=[draft.code])
