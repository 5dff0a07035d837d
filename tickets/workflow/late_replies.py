"""Replies to closed tickets: what they do is for the process to decide, and no reply is lost.

The first of these that applies:

1. The ticket was closed as a duplicate: the reply goes to the surviving ticket.
2. The process has an action for it (`on = "requester_message"` from an end stage): the reply reopens the ticket.
3. An earlier late reply has opened a ticket that is still open: the reply goes there.
4. `closing.late_reply`: the reply opens a linked ticket, or stays here and waits in «Respuestas en cerrados».
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from .. import policies
from ..actors import Actor, Guest
from ..definitions.conditions import available_until, is_offered
from ..definitions.definition import Action
from ..enums import EventKind, LateReply, Purpose, Trigger
from ..exceptions import NotAllowed
from ..models import Message, Ticket
from ..record.events import already_recorded, record
from ..record.locking import locked


@dataclass(frozen=True)
class Outlook:
    """What a reply to a closed ticket will do. `elsewhere` is the ticket that it goes to if that is another open one;
    `until` is when a reply will no longer reopen the ticket, None without such a time."""

    kind: LateReply
    elsewhere: Ticket | None = None
    until: datetime | None = None


def outlook(ticket: Ticket) -> Outlook:
    """Return what a reply to the closed `ticket` will do now."""
    survivor = ticket.duplicate_of
    if survivor is not None and survivor.duplicate_of_id != ticket.pk and _same_requester(ticket, survivor):
        return Outlook(LateReply.CONTINUES, survivor)
    if action := _reopening(ticket):
        return Outlook(LateReply.REOPENS, until=available_until(action, ticket))
    following = ticket.followed_by.open().order_by("-pk").first()
    if following is not None and _same_requester(ticket, following):
        return Outlook(LateReply.CONTINUES, following)
    return Outlook(LateReply(ticket.definition.closing.late_reply))


def _reopening(ticket: Ticket) -> Action | None:
    actions = ticket.definition.triggered(ticket.stage, Trigger.REQUESTER_MESSAGE)
    return next((action for action in actions if action.to and is_offered(action, ticket)), None)


def _same_requester(ticket: Ticket, other: Ticket) -> bool:
    """Whether both tickets have the same requester. An administrator may have given one of them to another account."""
    if ticket.requester_id or other.requester_id:
        return ticket.requester_id == other.requester_id
    return ticket.requester_email == other.requester_email


def as_requester_of(other: Ticket, actor: Actor) -> Actor:
    """Return `actor` as the requester of `other`, a ticket of the same requester. A guest acts on one ticket only."""
    return replace(actor, ticket_id=other.pk, purpose=Purpose.FOLLOW) if isinstance(actor, Guest) else actor


def record_continuation(ticket: Ticket, message: Message, *, actor: Actor, key: str | None) -> None:
    """Record on the closed `ticket` that the requester's reply became `message` of another ticket."""
    data = {"folio": message.ticket.folio, "message": message.pk}
    record(ticket, EventKind.CONTINUED, actor=actor, public=True, data=data, key=key)


def continued_before(key: str | None, ticket: Ticket, *, actor: Actor) -> Message | None:
    """Return the message on another ticket that the reply with this `key` became; None if there is none."""
    event = already_recorded(key, actor=actor, act=EventKind.CONTINUED, ticket=ticket)
    return Message.objects.select_related("ticket").get(pk=event.data["message"]) if event else None


@transaction.atomic
def put_aside(ticket: Ticket, *, actor: Actor, key: str | None = None) -> Ticket:
    """Take a closed ticket out of «Respuestas en cerrados»: the late reply was read and needs no answer. Returns the
    ticket. Does nothing if the reply has been answered meanwhile. Raises `NotAllowed`."""
    ticket = locked(ticket)
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    if ticket.late_reply_at is not None:
        ticket.late_reply_at = None
        record(ticket, EventKind.LATE_REPLY_READ, actor=actor, public=False, key=key)
    return ticket
