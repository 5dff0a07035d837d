"""Offer answers before a report is filed, and take «Esto lo resolvió» for an answer (S3.20).

Nothing here is needed to file: every page says so.
"""

from datetime import timedelta

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from knowledge import deflections
from knowledge.suggestions import find
from tickets.drafts import VISITOR_DAYS
from tickets.models import ReportDraft
from web.ratelimit import Limit, by_ip, by_user, limited

from .. import drafts
from ..pages import topics
from ..pages.contact import panel
from ..pages.filing import details_url, signed_in_user, steps
from ..pages.suggestions import FIELDS, may_have_written, offers, panel_context
from ..pages.topics import Topic

SOLVED = Limit(30, 3600)
"""How often one network may say that something helped: nobody makes the figure look good alone."""
KEPT = timedelta(days=VISITOR_DAYS)
"""How long the report that was not sent can be taken up again, at least."""


@limited("suggest", rate="150/10m", by=by_user)
@require_POST
def suggestions(request: HttpRequest) -> HttpResponse:
    """Return what fits the text that is being typed (js/behaviours/suggestions.js); 204 if nothing does.

    With `respuesta` the fragment has only the answer that a provider wrote.
    """
    topic = topics.find(request.POST.get("tipo", ""))
    if topic is None:
        return HttpResponse(status=204)
    typed = {name: [request.POST.get(name, "")] for name in FIELDS}
    wants_answer = "respuesta" in request.POST
    found = offers(request, topic, typed, answer=wants_answer and may_have_written(request))
    if not found or (wants_answer and found.answer is None):
        return HttpResponse(status=204)
    part = "answer" if wants_answer else "items"
    return render(request, f"portal/filing/_suggest.html#{part}", panel_context(found))


@require_safe
def report_before(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Offer the same on a page of its own, on the way to the last step: for those whose browser runs no script."""
    draft = drafts.load(request, draft_id)
    topic = topics.find(draft.topic)
    if draft.folio or topic is None or drafts.must_sign_in(request, draft):
        return redirect("portal:report_details", draft_id)
    found = offers(request, topic, draft.values)
    if not found:
        return redirect("portal:report_contact", draft_id)
    context = {
        **panel_context(found),
        "topic": topic,
        "draft": draft,
        "carry": drafts.carry(draft, whole=True),
        "steps": steps("report_details", draft),
    }
    return render(request, "portal/filing/before.html", context)


def solved(request: HttpRequest, draft: ReportDraft, topic: Topic, *, back: str) -> HttpResponse | None:
    """Note that the posted suggestion helped, and redirect to the thanks; `back` to the report if the person may not
    read it. None if no suggestion was posted."""
    if "resuelto" not in request.POST:
        return None
    suggestion = find(request.POST["resuelto"], reader=request.user)
    if suggestion is None:
        return redirect(back)
    if SOLVED.take(f"solved {by_ip(request)}"):
        deflections.record(
            suggestion,
            process=topic.process.key,
            category=topic.category.key if topic.category else "",
            user=signed_in_user(request),
            visitor=draft.visitor,
            draft=draft.key,
        )
    return redirect("portal:report_solved", draft.code)


@require_safe
def report_solved(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Say thanks, and how the report can be taken up again. Nothing was filed."""
    draft = drafts.load(request, draft_id)
    if drafts.must_sign_in(request, draft):
        return redirect_to_login(details_url(draft.code))
    if draft.folio:
        return redirect("portal:report_done", draft_id)
    if not draft.pk:
        return redirect("portal:home")
    said = deflections.of_draft(draft.key, user=signed_in_user(request), visitor=draft.visitor)
    helped = find(said.suggestion_key, reader=request.user) if said else None
    context = {
        "helped": helped,
        "until": draft.updated_at + KEPT,
        "resume_url": details_url(draft.code),
        "contact": panel(request.user),
    }
    return render(request, "portal/filing/solved.html", context)
