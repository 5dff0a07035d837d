"""The home page: topics, what the person has open and has not sent, and the form that a process puts there (S1.6)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import User
from knowledge.suggestions import Suggestions
from tickets.drafts import has_text
from tickets.enums import StageKind
from tickets.models import ReportDraft, Ticket

from .. import drafts
from ..forms.filing import OnePageForm
from . import topics
from .articles import readable_sections
from .contact import panel
from .filing import (
    contact_initial,
    details_initial,
    discarded_row,
    row_of_draft,
    signed_in_user,
    unfinished_rows,
)
from .suggestions import panel_context
from .tickets import awaiting_first, rows
from .topics import Topic

TOPICS = 12
ON_HOME = 3
STEP_ICONS = {
    StageKind.WORK: "wrench",
    StageKind.WAITING_CUSTOMER: "chat-left-text",
    StageKind.WAITING_INTERNAL: "hourglass-split",
    StageKind.CLOSURE_APPROVAL: "person",
    StageKind.DONE: "check2-circle",
}


def home_context(
    request: HttpRequest,
    offered: list[Topic],
    *,
    topic: Topic | None = None,
    draft: ReportDraft | None = None,
) -> dict[str, Any]:
    """Return what portal/home.html draws. `topic` and `draft` are those of the form on the page, if it has one: they
    are not offered a second time."""
    others = [each for each in offered if topic is None or each.key != topic.key]
    shown = topics.featured(others, TOPICS)
    context: dict[str, Any] = {
        "topics": shown,
        "has_more_topics": len(others) > len(shown),
        "contact": panel(request.user),
        "sections": readable_sections(request.user),
        "unfinished": unfinished_rows(request, offered, besides=draft),
        "discarded": discarded_row(request),
    }
    if isinstance(request.user, User):
        mine = Ticket.objects.requested_by(request.user).open().select_related("category")
        found = list(awaiting_first(mine)[: ON_HOME + 1])
        cards = rows(found[:ON_HOME])
        for card in cards[1:]:
            card["action"] = False  # at most one card stands out: the first
        context |= {"tickets": cards, "has_more": len(found) > ON_HOME}
    return context


def begun_or_new(request: HttpRequest, topic: Topic) -> ReportDraft:
    """Return the newest report about `topic` that this person has begun and not sent, else an empty one."""
    begun = (row.code for row in drafts.unfinished(request, 1, topic=topic.key))
    return drafts.load(request, next(begun, "") or drafts.new_code())


def opened_form(request: HttpRequest, draft: ReportDraft, topic: Topic) -> OnePageForm:
    """Return the form with what was typed so far, without errors."""
    user = signed_in_user(request)
    initial = details_initial(request, draft, topic) | contact_initial(draft, user)
    return OnePageForm(topic=topic, user=user, initial=initial)


def form_page(
    request: HttpRequest,
    draft: ReportDraft,
    topic: Topic,
    form: OnePageForm,
    *,
    offered: list[Topic] | None = None,
    found: Suggestions | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the home page with the form about `topic`; with `found`, the answers to read before it is sent."""
    files: Any = form.fields["files"]
    upload = reverse("portal:report_upload", args=[draft.code])
    files.upload_url = f"{upload}?{urlencode({'tipo': topic.key})}"
    files.uploaded = [row_of_draft(draft, attachment) for attachment in drafts.files_of(request, draft)]
    context = home_context(
        request, topics.all_topics() if offered is None else offered, topic=topic, draft=draft
    )
    context |= {
        "form": form,
        "topic": topic,
        "draft": draft,
        "is_begun": has_text(draft.values) or bool(files.uploaded),
        "carry": drafts.carry(draft),
        "page": drafts.new_page(),
        "path": path_of(topic),
        **panel_context(found or Suggestions()),
    }
    return render(request, "portal/home_form.html", context, status=status)


def path_of(topic: Topic) -> list[dict[str, str]]:
    """Return what happens after the report is sent, step by step (S1.2): `icon_name`, `label` and a `text` each."""
    received = {
        "icon_name": "envelope-check",
        "label": _("Lo recibimos"),
        "text": _("Te llega un correo con el folio."),
    }
    return [
        received,
        *(
            {
                "icon_name": STEP_ICONS.get(stage.kind, "clipboard-check"),
                "label": stage.customer_label,
                "text": str(stage.outlook),
            }
            for stage in topic.definition.customer_steps
        ),
    ]
