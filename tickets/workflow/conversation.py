"""Verbs for messages: replies of the requester; follow-ups, solutions, internal notes and drafts of staff."""

import re
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from content.errors import InvalidData
from content.text import TextTooLong, clean_text

from .. import clocks, policies
from ..actors import Actor
from ..attachments import attach_drafts
from ..enums import Channel, EventKind, LateReply, MessageKind, StageKind, Template
from ..exceptions import GuardFailed, NotAllowed
from ..models import Draft, Mention, Message, Ticket
from ..record.events import already_recorded, record
from ..record.freshness import require_fresh
from ..record.locking import locked, save_changes
from ..record.messages import forget_draft, write_message, written_from
from . import late_replies
from .arrival import record_overtaken
from .intake import file_linked_ticket
from .perform import fire, record_earlier_breaches, restart_silence

RECENT = 60  # messages on a page; a link leads to the rest of a longer conversation
LONGEST = 1000  # messages on the page that the link leads to, and events on any page
MENTION = re.compile(r"(?<![\w@])@([\w.+-]+@[\w.-]+\w)")


@transaction.atomic
def reply(
    ticket: Ticket,
    *,
    actor: Actor,
    body: str,
    draft_key: str = "",
    channel: Channel | None = None,
    keep_closed: bool = False,
    version: int | None = None,
    key: str | None = None,
) -> Message:
    """Add a reply of the requester, who may write at any time and from any channel (S3.18, S2.6). Returns it.

    Files uploaded under `draft_key` are attached. Fires `requester_message`: a ticket that waits for the requester goes
    on (S2.7). What a reply to a closed ticket does is in `late_replies`: the message returned may be on another ticket.
    With `keep_closed`, the requester only comments, and a closed ticket stays closed. Raises `NotAllowed`,
    `StaleTicket` or `InvalidData`.
    """
    ticket = locked(ticket)
    if earlier := _already_written(key, ticket, actor=actor) or late_replies.continued_before(
        key, ticket, actor=actor
    ):
        return earlier
    if not policies.can_reply(actor, ticket):
        raise NotAllowed
    require_fresh(ticket, actor=actor, version=version)
    late: dict[str, Any] = {}
    if not ticket.is_open:
        ahead = late_replies.Outlook(LateReply.IS_KEPT) if keep_closed else late_replies.outlook(ticket)
        late = {"late_reply": ahead.kind}
        if ahead.kind in (LateReply.CONTINUES, LateReply.OPENS_NEW):
            return _reply_elsewhere(
                ticket, ahead.elsewhere, actor=actor, body=body, draft_key=draft_key, channel=channel, key=key
            )
    record_earlier_breaches(ticket, now=timezone.now())
    message = _write_message(
        ticket, MessageKind.REPLY, actor=actor, body=body, draft_key=draft_key, channel=channel
    )
    if late:
        ticket.late_reply_at = ticket.late_reply_at or message.created_at
    restart_silence(ticket, now=message.created_at)
    clocks.requester_wrote(ticket, now=message.created_at)
    notify = [("assignee" if ticket.acting_assignee else "department", Template.REQUESTER_REPLIED)]
    if ticket.kind == StageKind.VERIFICATION and ticket.stage_definition.owner.kind != "requester":
        notify.append(("owner", Template.REQUESTER_REPLIED))  # it is not the assignee who verifies
    record(
        ticket,
        EventKind.MESSAGE,
        actor=actor,
        public=True,
        data=late,
        message=message,
        notify=notify,
        key=key,
    )
    if not (late and keep_closed):
        fire(ticket, "requester_message", actor=actor)
        if late and ticket.is_open:  # the reply reopened it, and asks for an answer
            clocks.requester_wrote(ticket, now=message.created_at)
            save_changes(ticket)
    return message


def _reply_elsewhere(
    closed: Ticket,
    elsewhere: Ticket | None,
    *,
    actor: Actor,
    body: str,
    draft_key: str,
    channel: Channel | None,
    key: str | None,
) -> Message:
    """Write a reply to the ticket `closed` on the ticket `elsewhere`, or on a new linked one without it."""
    if elsewhere is None:
        message = file_linked_ticket(
            closed,
            actor=actor,
            description=_cleaned(body, field="body"),
            draft_key=draft_key,
            channel=channel or written_from(actor),
        )
    else:
        theirs = late_replies.as_requester_of(elsewhere, actor)
        message = reply(elsewhere, actor=theirs, body=body, draft_key=draft_key, channel=channel)
    late_replies.record_continuation(closed, message, actor=actor, key=key)
    return message


@transaction.atomic
def send_follow_up(
    ticket: Ticket,
    *,
    actor: Actor,
    body: str,
    asks: bool = True,
    draft_key: str = "",
    channel: Channel | None = None,
    version: int | None = None,
    key: str | None = None,
) -> Message:
    """Send a follow-up, «Estamos en ello», which does not say that the case is solved (T2, S0.21). Returns it.

    Fires `follow_up_sent`. With the contribution open, the follow-up asks the requester for an answer: the mail has a
    link to give it without signing in (S2.6), and the ticket may wait for it. With `asks=False` it only informs, as
    R3 does: the mail asks for nothing and the ticket does not wait. Raises `NotAllowed`, `StaleTicket`,
    `InvalidData`, and `GuardFailed` if the process requires a checked and active standing (S2.9).
    """
    ticket = locked(ticket)
    if earlier := _already_written(key, ticket, actor=actor):
        return earlier
    _require_may_answer(ticket, actor=actor, version=version)
    message = _write_message(
        ticket, MessageKind.FOLLOW_UP, actor=actor, body=body, draft_key=draft_key, channel=channel
    )
    template = Template.CONTRIBUTION_ASKED if ticket.contribution_open and asks else Template.REPLY
    _record_answer(ticket, message, actor=actor, notify=[("requester", template)], key=key)
    fire(ticket, "follow_up_sent", actor=actor, may_wait=asks)
    return message


@transaction.atomic
def send_solution(
    ticket: Ticket,
    *,
    actor: Actor,
    done: str,
    steps: str = "",
    draft_key: str = "",
    version: int | None = None,
    key: str | None = None,
) -> Message:
    """Send the solution: what was done, and the steps for the requester, if any (S0.24, S2.28). Returns it.

    Fires `solution_sent`. Raises what `send_follow_up` raises, and `GuardFailed` in stages where the case cannot be
    solved yet: S2.29 forbids a solution to an unsolved case.
    """
    ticket = locked(ticket)
    if earlier := _already_written(key, ticket, actor=actor):
        return earlier
    _require_may_answer(ticket, actor=actor, version=version)
    if not policies.can_send_solution(actor, ticket):
        raise GuardFailed(
            _("Todavía no se puede enviar una solución: el caso no está resuelto. Envía un seguimiento.")
        )
    ticket.solution_done = _cleaned(done, field="done")
    ticket.solution_steps = _cleaned(steps, field="steps", required=False)
    message = _write_message(
        ticket,
        MessageKind.SOLUTION,
        actor=actor,
        body=ticket.solution_done,
        steps=ticket.solution_steps,
        draft_key=draft_key,
    )
    ticket.solution_sent_at = message.created_at
    _record_answer(ticket, message, actor=actor, notify=[("requester", Template.RESOLVED)], key=key)
    fire(ticket, "solution_sent", actor=actor)
    return message


@transaction.atomic
def add_internal_note(
    ticket: Ticket, *, actor: Actor, body: str, draft_key: str = "", key: str | None = None
) -> Message:
    """Add an internal note, which only staff may read (S0.20), and return it.

    `@` and an e-mail address mention a colleague, who is told if they may see the ticket.
    """
    ticket = locked(ticket)
    if earlier := _already_written(key, ticket, actor=actor, act=EventKind.NOTE):
        return earlier
    if not policies.can_note(actor, ticket):
        raise NotAllowed
    message = _write_message(ticket, MessageKind.NOTE, actor=actor, body=body, draft_key=draft_key)
    mentioned = _mention(ticket, message, actor=actor)
    notify = [(f"user:{user.email}", Template.MENTIONED) for user in mentioned]
    record(ticket, EventKind.NOTE, actor=actor, public=False, message=message, notify=notify, key=key)
    return message


def _already_written(
    key: str | None, ticket: Ticket, *, actor: Actor, act: EventKind = EventKind.MESSAGE
) -> Message | None:
    event = already_recorded(key, actor=actor, act=act, ticket=ticket)
    return event.message if event else None


def _require_may_answer(ticket: Ticket, *, actor: Actor, version: int | None) -> None:
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    require_fresh(ticket, actor=actor, version=version)
    record_earlier_breaches(ticket, now=timezone.now())
    if ticket.definition.check_standing:
        _require_standing(ticket)


def _require_standing(ticket: Ticket) -> None:
    """Raise `GuardFailed` unless the requester's standing was checked (S2.9) and is active.

    An inactive requester gets only the answer for inactive users (S2.10).
    """
    if ticket.requester is None or ticket.standing_checked_at is None:
        raise GuardFailed(
            _("Verifica primero el estatus administrativo del solicitante."), guard="standing_checked"
        )
    if ticket.requester.is_inactive_standing:
        raise GuardFailed(
            _("El solicitante está inactivo: responde con la respuesta para usuarios inactivos."),
            guard="requester_active",
        )


def _record_answer(
    ticket: Ticket, message: Message, *, actor: Actor, notify: Sequence[tuple[str, str]], key: str | None
) -> None:
    if ticket.first_response_at is None:
        record_overtaken(ticket, actor=actor, now=message.created_at)
    clocks.desk_wrote(ticket, now=message.created_at)
    ticket.late_reply_at = None
    record(ticket, EventKind.MESSAGE, actor=actor, public=True, message=message, notify=notify, key=key)


def _write_message(
    ticket: Ticket,
    kind: MessageKind,
    *,
    actor: Actor,
    body: str,
    steps: str = "",
    draft_key: str = "",
    channel: Channel | None = None,
) -> Message:
    text = _cleaned(body, field="body")
    message = write_message(
        ticket, kind, author=actor, body=text, steps=steps, channel=channel, at=timezone.now()
    )
    attach_drafts(ticket, draft_key, actor=actor, message=message)
    forget_draft(ticket, kind, author=actor)
    return message


def _cleaned(text: str, *, field: str, required: bool = True) -> str:
    try:
        cleaned = clean_text(text)
    except TextTooLong as error:
        raise InvalidData({field: [str(error)]}) from error
    if required and not cleaned:
        raise InvalidData({field: [_("Escribe un mensaje antes de enviar.")]})
    return cleaned


def _mention(ticket: Ticket, message: Message, *, actor: Actor) -> list[User]:
    addresses = {address.lower() for address in MENTION.findall(message.body)}
    if not addresses:
        return []
    users = [user for user in policies.staff_on(ticket).filter(email__in=addresses) if user != actor]
    Mention.objects.bulk_create(Mention(message=message, user=user) for user in users)
    return users


@transaction.atomic
def save_draft(
    ticket: Ticket, *, actor: User, mode: MessageKind, body: str, steps: str = "", key: str | None = None
) -> Draft | None:
    """Save the typed text as a draft and return the draft. If the text is empty, delete the draft and return None.

    `key` is that of the page's form. If its message was sent meanwhile, nothing is saved: the request came late.
    Records no event, because nothing happened to the ticket.
    """
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    if key:
        act = EventKind.NOTE if mode == MessageKind.NOTE else EventKind.MESSAGE
        if _already_written(key, locked(ticket), actor=actor, act=act):
            return None
    text = _cleaned(body, field="body", required=False)
    steps = _cleaned(steps, field="steps", required=False)
    if not text and not steps:
        Draft.objects.filter(user=actor, ticket=ticket, mode=mode).delete()
        return None
    draft, _created = Draft.objects.update_or_create(
        user=actor, ticket=ticket, mode=mode, defaults={"body": text, "steps": steps}
    )
    return draft


def public_conversation(ticket: Ticket) -> dict[str, Any]:
    """Return the messages and events that a customer may read, in order.

    They are filtered here, so that no page can forget to do it.
    """
    return {
        "messages": ticket.messages.public().prefetch_related("attachments"),
        "events": ticket.events.filter(is_public=True),
    }
