"""Render the requester's page of a ticket, also after a refusal, and collect the data of its live part."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import policies
from tickets.closing import surveys
from tickets.definitions.definition import Action
from tickets.definitions.fields import displayed_answers
from tickets.enums import Purpose, StageKind
from tickets.facts import experience
from tickets.models import Attachment, ProcessVersion, Ticket, TicketEvent
from tickets.workflow import mails
from web.files import waiting_file_row
from web.mails import without_links
from web.process_map import process_map
from web.wording import usual_time
from web.zone_choices import place_of

from ..access import Access, unsent_reply
from ..forms.ticket import ActionForm, ReplyForm
from .contact import panel
from .late_replies import notice_for
from .thread import Conversation, has_progress, state_of


def render_page(
    request: HttpRequest,
    access: Access,
    *,
    form: ReplyForm | None = None,
    refused_form: ActionForm | None = None,
    changes: Sequence[TicketEvent] = (),
    status: int = 200,
) -> HttpResponse:
    """Render the ticket's page. After a refusal, pass `form` or `refused_form` to keep what was typed, and `changes`,
    the events that the person has not seen."""
    context = live_context(access, refused_form=refused_form, complete="completa" in request.GET)
    if access.can_reply:
        context["reply"] = form or unsent_form(access, unsent_reply(request, access.ticket.folio))
        context["files"] = _files_field(access, context["reply"])
    context["asked_mails"] = _asked_mails(access)
    context["changes"] = _changes(context["conversation"], changes) if changes else []
    # An action that is no longer offered has no form, so the page quotes what was typed into it.
    if refused_form and refused_form not in context["decisions"] + context["others"]:
        context["written"] = refused_form.typed_texts()
    template = "portal/guest/approve.html" if access.purpose == "approve" else "portal/tickets/detail.html"
    return render(request, template, context, status=status)


def live_context(
    access: Access, *, refused_form: ActionForm | None = None, complete: bool = False
) -> dict[str, Any]:
    """Return the context of the live part, which htmx refreshes: conversation, state, steps and actions."""
    ticket, conversation = access.ticket, Conversation(access.ticket, complete=complete)
    offered = [
        refused_form
        if refused_form and refused_form.action.key == action.key
        else ActionForm(action=action, ticket=ticket)
        for action in policies.available_actions(ticket, actor=access.actor, as_requester=True)
    ]
    for form in offered:
        form.url = access.url("action", action=form.action.key)
    return {
        "access": access,
        "ticket": ticket,
        "conversation": conversation,
        "items": conversation.items(),
        "steps": conversation.steps(),
        "map": process_map(ticket.process_version_id, audience="customer", here=ticket.stage),
        "has_progress": has_progress(ticket),
        "state": state_of(ticket),
        "notice": str(ticket.stage_definition.notice),
        "decisions": [item for item in offered if _is_decision(item.action, access)],
        "others": [item for item in offered if not _is_decision(item.action, access)],
        "key": str(uuid.uuid4()),
        "updates_url": access.url("updates") + ("?completa" if complete else ""),
        "reply_url": access.url("reply"),
        "late": notice_for(ticket) if access.can_reply else None,
        "notifications_url": access.url("notifications"),
        "due_url": access.url("due"),
        "is_late": _has_passed(ticket.due_at),
        "answer_due": (answer_due := _answer_due(ticket)),
        "is_answer_late": _has_passed(answer_due),
        "zone": zone_of_guests(access),
        "usual": usual_time(experience.of_category(ticket.category_id, process=_process_of(ticket))),
        "survey_url": access.url("survey") if access.can_rate and surveys.is_open(ticket) else "",
        "answers": _answers(ticket),
        "follows": _followed(access),
        "contact": panel(access.actor),
        "is_approval": ticket.kind == StageKind.CLOSURE_APPROVAL,
        "solution": conversation.solution() if ticket.kind == StageKind.CLOSURE_APPROVAL else None,
        "awaits_reply": ticket.kind == StageKind.WAITING_CUSTOMER,
    }


def _asked_mails(access: Access) -> list[dict[str, Any]]:
    """Return the held mails that may be the requester's, for those who are proven to be them: by their account, or by a
    link to follow the ticket."""
    if not access.can_reply or access.purpose not in ("", Purpose.FOLLOW):
        return []
    return [
        {"mail": mail, "parts": without_links(mail.text), "url": access.url("mail", pk=mail.pk)}
        for mail in mails.asked_about(access.ticket)
    ]


def _answer_due(ticket: Ticket) -> datetime | None:
    """Return when the first response is due, while the requester waits for it."""
    return None if ticket.first_response_at or ticket.is_paused else ticket.first_response_due_at


def _has_passed(due: datetime | None) -> bool:
    return due is not None and due <= timezone.now()


def zone_of_guests(access: Access) -> str:
    """Return whose time a guest reads: «hora de Caracas». Empty for people with accounts, who read their own."""
    if access.token is None:
        return ""
    return _("hora de %(place)s") % {"place": place_of(settings.DESK_TIME_ZONE)}


def _process_of(ticket: Ticket) -> int:
    return ProcessVersion.objects.process_of(ticket.process_version_id)


def _answers(ticket: Ticket) -> list[tuple[str, str]]:
    """Return the requester's answers to the process's own questions; never a field that staff fill in."""
    asked = ticket.definition.intake_fields(ticket.category.key if ticket.category else "")
    return [(str(question.label), text) for question, text in displayed_answers(asked, ticket.fields)]


def _followed(access: Access) -> dict[str, str] | None:
    """Return the folio of the closed ticket that this one goes on with, and its address for a person who may open it;
    None if there is none, or if it is somebody else's."""
    earlier = access.ticket.follows
    if earlier is None or earlier.requester_email != access.ticket.requester_email:
        return None
    url = "" if access.token else reverse("portal:ticket", args=[earlier.folio])
    return {"folio": earlier.folio, "url": url}


def _is_decision(action: Action, access: Access) -> bool:
    """Whether all of the action's source stages belong to the requester, as for approving a closure."""
    definition = access.ticket.definition
    return all(definition.stage(key).owner.kind == "requester" for key in action.sources)


def _changes(conversation: Conversation, missed: Sequence[TicketEvent]) -> list[dict[str, Any]]:
    """Return the items of the conversation for the events that the person has not seen."""
    first_missed = min((event.at for event in missed), default=None)
    if first_missed is None:
        return []
    messages_missed = {event.message_id for event in missed if event.message_id}
    return [
        item
        for item in conversation.items()
        if (item["type"] == "message" and int(item["id"].removeprefix("mensaje-")) in messages_missed)
        or (item["type"] == "event" and item["at"] >= first_missed)
    ]


def reload(access: Access) -> Access:
    """Reload the ticket from the database and return the access."""
    ticket = access.ticket
    ticket.refresh_from_db()
    return access


def unsent_form(access: Access, body: str) -> ReplyForm:
    return ReplyForm(initial={"body": body}, limits=access.ticket.definition.files)


def _files_field(access: Access, form: ReplyForm) -> Any:
    field = form.attachments
    field.upload_url = access.url("upload")
    field.uploaded = [
        file_of_reply(access, attachment) for attachment in Attachment.objects.drafts(access.files_key)
    ]
    return form["files"]


def file_of_reply(access: Access, attachment: Attachment) -> dict[str, Any]:
    return waiting_file_row(attachment, remove_url=access.url("discard", file=attachment.uuid))
