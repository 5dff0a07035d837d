"""Create messages and delete the drafts they were written from. No other module creates messages."""

from datetime import datetime

from ..actors import Actor, Guest, name_of, user_of
from ..enums import Channel, MessageKind
from ..models import Draft, Message, Ticket
from .texts import mark_text


def write_message(
    ticket: Ticket,
    kind: MessageKind,
    *,
    author: Actor,
    body: str,
    steps: str = "",
    channel: Channel | None = None,
    at: datetime,
    answers: bool = True,
) -> Message:
    """Create a message on the locked ticket, mark its words to be written again, and return the message.

    Sets `last_requester_message_at` or `last_staff_message_at` of the ticket. A note sets neither, nor does what the
    desk writes without answering (`answers=False`). `body` and `steps` must be cleaned already. The calling verb saves
    the ticket and records the event.
    """
    message = Message.objects.create(
        ticket=ticket,
        kind=kind,
        channel=channel or written_from(author),
        author=user_of(author),
        author_name=name_of(author)[:120],
        from_requester=kind in (MessageKind.REPORT, MessageKind.REPLY),
        body=body,
        steps=steps,
        created_at=at,
    )
    if kind != MessageKind.REPORT:  # a report is marked with its ticket
        mark_text(ticket)
    if message.from_requester:
        ticket.last_requester_message_at = at
    elif message.is_public and answers:
        ticket.last_staff_message_at = at
    return message


def written_from(author: Actor) -> Channel:
    """Return the channel of what `author` writes in a browser: guests come from a link in a mail."""
    return Channel.LINK if isinstance(author, Guest) else Channel.WEB


def forget_draft(ticket: Ticket, kind: MessageKind, *, author: Actor) -> None:
    """Delete the author's draft of this kind on the ticket, because the message has been sent."""
    if user := user_of(author):
        Draft.objects.filter(user=user, ticket=ticket, mode=kind).delete()
