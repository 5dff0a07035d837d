"""The guide's last step: contact, a review of everything, and the folio (S0.12–S0.14, S2.1, S3.9, S3.10)."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from content.errors import InvalidData
from knowledge import deflections
from tickets.drafts import keep_contact, mark_filed
from tickets.enums import Channel
from tickets.models import ReportDraft, Ticket
from tickets.workflow.intake import Requester, file_ticket
from web.in_place import in_place
from web.ratelimit import Limit, by_ip, by_user, limited, mailbox, too_many_requests
from web.refusals import Refusal
from web.wording import target_in_words

from .. import drafts
from ..app_session import origin_of
from ..forms.filing import ContactFields, ContactForm, DetailsForm
from ..pages import topics
from ..pages.contact import panel
from ..pages.filing import ask_to_sign_in, contact_initial, details_page, signed_in_user, steps, type_url
from ..pages.topics import Topic

RECEIPTS = Limit(10, 3600)
"""The reports that strangers file under one address. Only those that are filed count: a form that files nothing mails
nothing, and must not keep the owner of the address from filing."""


def strangers_network(request: HttpRequest) -> str:
    """Return the network of a visitor who is not signed in, to limit the mails that it causes to any addresses."""
    return "" if request.user.is_authenticated else by_ip(request)


@in_place
@limited("report", rate="60/10m", by=by_user)
@limited("report-mail-network", rate="60/h", by=strangers_network)
@require_http_methods(["GET", "HEAD", "POST"])
def report_contact(request: HttpRequest, draft_id: str) -> HttpResponse:
    draft = drafts.load(request, draft_id)
    if draft.folio:
        return redirect("portal:report_done", draft_id)
    topic = topics.find(draft.topic)
    if topic is None:
        return redirect(type_url(draft))
    if request.method == "POST":
        return _take_contact(request, draft, topic)
    if topic.needs_account and not request.user.is_authenticated:
        return ask_to_sign_in(request, draft, topic, reverse("portal:report_contact", args=[draft.code]))
    user = signed_in_user(request)
    form = ContactForm(topic=topic, user=user, initial=contact_initial(draft, user))
    return _contact_page(request, draft, topic, form)


def _take_contact(request: HttpRequest, draft: ReportDraft, topic: Topic) -> HttpResponse:
    draft = keep_contact(draft, contact=drafts.typed(request, drafts.CONTACT) or draft.contact)
    if drafts.must_sign_in(request, draft):
        return redirect_to_login(reverse("portal:report_contact", args=[draft.code]))
    if draft.folio:  # another tab sent it meanwhile
        return redirect("portal:report_done", draft.code)
    if request.POST.get("ir") == "detalles":
        return redirect("portal:report_details", draft.code)
    if topic.needs_account and not request.user.is_authenticated:
        return redirect("portal:report_contact", draft.code)  # its GET asks to sign in
    form = ContactForm(request.POST, topic=topic, user=signed_in_user(request))
    details = DetailsForm(drafts.as_data(draft.values), topic=topic)
    if not details.is_valid():
        return details_page(request, draft, topic, details, status=422)
    if not form.is_valid():
        return _contact_page(request, draft, topic, form, status=422)
    with Refusal() as refusal:
        return file_report(request, draft, topic, details, form)
    if not isinstance(refusal.problem, InvalidData):
        messages.error(request, str(refusal))
        return redirect("portal:report")
    if form.show(refusal.problem):
        return _contact_page(request, draft, topic, form, status=422)
    details.show(refusal.problem)
    return details_page(request, draft, topic, details, status=422)


def file_report(
    request: HttpRequest, draft: ReportDraft, topic: Topic, details: DetailsForm, form: ContactFields
) -> HttpResponse:
    """File the report of two valid forms, or of one that is both, and redirect to its folio. Raises what `file_ticket`
    raises."""
    if not may_mail_receipt(request, form):
        return too_many_requests(request, window=RECEIPTS.seconds)
    file_draft(request, draft, topic, details, form)
    return redirect("portal:report_done", draft.code)


def may_mail_receipt(request: HttpRequest, form: ContactFields) -> bool:
    """Count the report that is about to be filed. Returns whether the address may get one more receipt.

    Signed-in people are not counted: strangers who type somebody's address again and again must not stop them.
    """
    return bool(request.user.is_authenticated) or RECEIPTS.take(
        f"report-mail {mailbox(form.cleaned_data['email'])}"
    )


def file_draft(
    request: HttpRequest,
    draft: ReportDraft,
    topic: Topic,
    details: DetailsForm,
    form: ContactFields,
    *,
    channel: Channel = Channel.WEB,
) -> Ticket:
    """File the report of two valid forms and keep its folio in the draft. Raises what `file_ticket` raises."""
    user, contact = signed_in_user(request), form.cleaned_data
    if user:
        drafts.adopt_files(draft, user)
    ticket = file_ticket(
        topic.process,
        actor=user,
        title=details.cleaned_data.get("title", ""),
        description=details.cleaned_data["description"],
        category=topic.category,
        requester=None if user else Requester(email=contact["email"], name=contact.get("name", "")),
        phone=contact.get("phone", ""),
        fields=details.raw_answers(),
        draft_key=draft.files_key,
        notify=contact.get("notify", True),
        channel=channel,
        origin=origin_of(request),
        key=str(draft.key),
    )
    deflections.take_back(
        process=topic.process.key,
        category=topic.category.key if topic.category else "",
        user=user,
        visitor=draft.visitor,
    )
    mark_filed(draft, folio=ticket.folio, email=ticket.requester_email)
    return ticket


def _contact_page(
    request: HttpRequest, draft: ReportDraft, topic: Topic, form: ContactForm, *, status: int = 200
) -> HttpResponse:
    details = DetailsForm(drafts.as_data(draft.values), topic=topic)
    if not details.is_valid():
        return redirect("portal:report_details", draft.code)
    context = {
        "form": form,
        "topic": topic,
        "draft": draft,
        "carry": drafts.carry(draft, whole=True),
        "review": _review(request, draft, topic, details),
        "steps": steps("report_contact", draft),
        "first_response": target_in_words(topic.first_response) if topic.first_response else "",
        "approves": topic.definition.closing.approver == "requester",
    }
    return render(request, "portal/filing/contact.html", context, status=status)


def _review(
    request: HttpRequest, draft: ReportDraft, topic: Topic, details: DetailsForm
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"label": _("Tipo"), "value": topic.name},
        {"label": details.title_label, "value": details.ticket_title, "strong": True},
        {"label": details["description"].label, "value": details.cleaned_data["description"]},
    ]
    rows += [{"label": label, "value": value} for label, value in details.review()]
    if names := [attachment.name for attachment in drafts.files_of(request, draft)]:
        rows.append({"label": _("Archivos"), "value": ", ".join(names)})
    return rows


@require_safe
def report_done(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Show the folio (S0.14). This page has no guest's link: it is only mailed, because the address is not confirmed
    yet."""
    draft = drafts.load(request, draft_id)
    if not draft.folio:
        raise Http404
    email = (draft.contact.get("email") or [""])[0]
    topic = topics.find(draft.topic)
    context = {"folio": draft.folio, "email": email, "topic": topic, "contact": panel(request.user)}
    return render(request, "portal/filing/done.html", context)
