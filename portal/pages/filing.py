"""Shared parts of the guide's views: the bar of steps, the details page, and the page that asks to sign in."""

from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from accounts.models import User
from tickets.models import Attachment
from web.files import waiting_file_row

from ..drafts import Draft
from ..forms.filing import DetailsForm
from .contact import panel
from .topics import Topic

STEPS = {
    "report_type": gettext_lazy("Tipo"),
    "report_details": gettext_lazy("Detalles"),
    "report_contact": gettext_lazy("Contacto y envío"),
}


def details_page(
    request: HttpRequest, draft: Draft, topic: Topic, form: DetailsForm, *, status: int = 200
) -> HttpResponse:
    files: Any = form.fields["files"]
    files.upload_url = (
        reverse("portal:report_upload", args=[draft.id])
        + "?"
        + urlencode({"tipo": topic.key, "carry": draft.carry()})
    )
    files.uploaded = [row_of_draft(draft, attachment) for attachment in draft.files(request)]
    context = {
        "form": form,
        "topic": topic,
        "draft": draft,
        "steps": steps("report_details", draft),
        "contact": panel(),
    }
    return render(request, "portal/filing/details.html", context, status=status)


def ask_to_sign_in(request: HttpRequest, draft: Draft, topic: Topic, back: str) -> HttpResponse:
    """Render the page that asks to sign in first (S2.1). The session keeps the draft; after signing in, the person is
    sent to the address `back`."""
    context = {
        "topic": topic,
        "has_text": bool(draft.values),
        "next": urlencode({REDIRECT_FIELD_NAME: back}),
        "steps": steps("report_contact" if draft.values else "report_details", draft),
        "contact": panel(),
    }
    return render(request, "portal/filing/sign_in.html", context)


def signed_in_user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def details_url(draft_id: str, topic: str = "") -> str:
    url = reverse("portal:report_details", args=[draft_id])
    return f"{url}?{urlencode({'tipo': topic})}" if topic else url


def row_of_draft(draft: Draft, attachment: Attachment) -> dict[str, Any]:
    url = reverse("portal:report_discard", args=[draft.id, attachment.uuid])
    return waiting_file_row(attachment, remove_url=f"{url}?{urlencode({'carry': draft.carry()})}")


def steps(current: str, draft: Draft | None = None) -> list[dict[str, Any]]:
    """Return the entries of the bar of steps. With a `draft`, the steps before `current` are links."""
    names = list(STEPS)
    position = names.index(current)
    return [
        {
            "label": STEPS[name],
            "state": "done" if index < position else "current" if index == position else "todo",
            "href": reverse(f"portal:{name}", args=[draft.id]) if draft and index < position else "",
        }
        for index, name in enumerate(names)
    ]
