"""Shared parts of the guide's views: the bar of steps, the details page, and the page that asks to sign in."""

import re
from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from knowledge.suggestions import Suggestions
from tickets.models import Attachment, ReportDraft
from tickets.workflow.intake import TITLE_LENGTH
from web.files import waiting_file_row

from .. import drafts
from ..app_session import origin_of
from ..forms.filing import DetailsForm
from .contact import panel
from .suggestions import panel_context
from .topics import Topic

UNFINISHED_ON_HOME = 3

STEPS = {
    "report_type": gettext_lazy("Tipo"),
    "report_details": gettext_lazy("Detalles"),
    "report_contact": gettext_lazy("Contacto y envío"),
}


def details_page(
    request: HttpRequest, draft: ReportDraft, topic: Topic, form: DetailsForm, *, status: int = 200
) -> HttpResponse:
    files: Any = form.fields["files"]
    upload = reverse("portal:report_upload", args=[draft.code])
    files.upload_url = f"{upload}?{urlencode({'tipo': topic.key})}"
    files.uploaded = [row_of_draft(draft, attachment) for attachment in drafts.files_of(request, draft)]
    context = {
        "form": form,
        "topic": topic,
        "draft": draft,
        "carry": drafts.carry(draft),
        "page": drafts.new_page(),
        "steps": steps("report_details", draft),
        "contact": panel(request.user),
        **panel_context(Suggestions()),
    }
    return render(request, "portal/filing/details.html", context, status=status)


def ask_to_sign_in(request: HttpRequest, draft: ReportDraft, topic: Topic, back: str) -> HttpResponse:
    """Render the page that asks to sign in first (S2.1). The draft is kept; after signing in, the person is
    sent to the address `back`."""
    context = {
        "topic": topic,
        "has_text": bool(draft.values),
        "next": urlencode({REDIRECT_FIELD_NAME: back}),
        "steps": steps("report_contact" if draft.values else "report_details", draft),
        "contact": panel(request.user),
    }
    return render(request, "portal/filing/sign_in.html", context)


def details_initial(request: HttpRequest, draft: ReportDraft, topic: Topic) -> dict[str, Any]:
    """Return the draft's values as `initial` of an unbound form, which shows no errors before it is sent. Questions
    about the app begin with what its link said."""
    origin = origin_of(request)
    known = {f"answer_{q.key}": origin.get(q.prefill, "") for q in topic.definition.fields if q.prefill}
    multiple = {f"answer_{q.key}" for q in topic.definition.fields if q.type == "multi_choice"}
    typed = {name: items if name in multiple else items[-1] for name, items in draft.values.items() if items}
    return known | typed


def contact_initial(draft: ReportDraft, user: User | None) -> dict[str, Any]:
    """Return what was typed about the contact as `initial`, without the address if the person has an account."""
    initial: dict[str, Any] = {name: items[-1] for name, items in draft.contact.items() if items}
    if user:
        initial.pop("email", None)
    if "seen" in draft.contact:  # an unticked box posts nothing; `seen` says that it was shown
        initial["notify"] = "notify" in draft.contact
    return initial


def signed_in_user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def details_url(draft_id: str, topic: str = "", title: str = "") -> str:
    """Return the address of the second step. `title` is proposed as the ticket's title."""
    url = reverse("portal:report_details", args=[draft_id])
    given = {name: value for name, value in (("tipo", topic), ("titulo", title)) if value}
    return f"{url}?{urlencode(given)}" if given else url


def type_url(draft: ReportDraft) -> str:
    """Return the address of the first step. For a draft whose topic is not offered any more, the page says so."""
    if not draft.topic:
        return reverse("portal:report")
    url = reverse("portal:report_type", args=[draft.code])
    return f"{url}?{urlencode({'tipo': draft.topic})}"


def row_of_draft(draft: ReportDraft, attachment: Attachment) -> dict[str, Any]:
    url = reverse("portal:report_discard", args=[draft.code, attachment.uuid])
    return waiting_file_row(attachment, remove_url=url)


def unfinished_rows(
    request: HttpRequest, offered: list[Topic], *, besides: ReportDraft | None = None
) -> list[dict[str, Any]]:
    """Return a row for each unfinished report that the home page offers to continue. `besides` is the one that its own
    form holds."""
    names = {topic.key: topic.name for topic in offered}
    return [
        {
            "title": _title_of(draft),
            "topic": names.get(draft.topic, ""),
            "at": draft.updated_at,
            "url": details_url(draft.code),
            "discard_url": reverse("portal:report_drop", args=[draft.code]),
        }
        for draft in drafts.unfinished(request, UNFINISHED_ON_HOME + 1)
        if besides is None or draft.key != besides.key
    ][:UNFINISHED_ON_HOME]


def discarded_row(request: HttpRequest) -> dict[str, str] | None:
    """Return the report that the address says was just discarded, to offer to undo it; None if there is none."""
    code = request.GET.get("descartado", "")
    draft = drafts.load(request, code) if re.fullmatch(r"[\w-]{1,64}", code, re.ASCII) else None
    if draft is None or draft.discarded_at is None:
        return None
    return {
        "title": _title_of(draft),
        "restore_url": reverse("portal:report_restore", args=[draft.code]),
    }


def _title_of(draft: ReportDraft) -> str:
    """Return the typed title; of a report whose answers make the title, the beginning of its description."""
    typed = ((draft.values.get(name) or [""])[-1].strip() for name in ("title", "description"))
    title = next(filter(None, typed), "").partition("\n")[0]
    return title[:TITLE_LENGTH] or _("Reporte sin título")


def steps(current: str, draft: ReportDraft | None = None) -> list[dict[str, Any]]:
    """Return the entries of the bar of steps. With a `draft`, the steps before `current` are links."""
    names = list(STEPS)
    position = names.index(current)
    return [
        {
            "label": STEPS[name],
            "state": "done" if index < position else "current" if index == position else "todo",
            "href": reverse(f"portal:{name}", args=[draft.code]) if draft and index < position else "",
        }
        for index, name in enumerate(names)
    ]
