"""The satisfaction survey, which the requester answers after closing (S0.25)."""

from django.db import transaction
from django.utils.translation import gettext as _

from content.errors import InvalidData
from content.text import TextTooLong, clean_text

from .. import policies
from ..actors import Actor
from ..enums import EventKind
from ..exceptions import GuardFailed, NotAllowed
from ..models import Survey, Ticket
from ..record.events import already_recorded, record
from ..record.locking import locked

COMMENT_LENGTH = 2_000


def is_open(ticket: Ticket) -> bool:
    """Whether the survey can be answered: the process has one, the ticket is done, and no answer exists yet. Test
    tickets and duplicates have no survey."""
    wanted = ticket.definition.closing.survey and ticket.kind == "done" and not ticket.is_test
    return wanted and ticket.duplicate_of_id is None and not Survey.objects.filter(ticket=ticket).exists()


@transaction.atomic
def rate(ticket: Ticket, *, actor: Actor, score: int, comment: str = "", key: str | None = None) -> Survey:
    """Save the requester's answer to the survey: `score` from 1 (bad) to 5 (very good) and a comment.

    Raises `NotAllowed`, `GuardFailed` if the survey is answered or not open, and `InvalidData` for a wrong score or a
    comment that is too long.
    """
    ticket = locked(ticket)
    if done := already_recorded(key, actor=actor, act=EventKind.SURVEY, ticket=ticket):
        return done.ticket.survey
    if not policies.can_rate(actor, ticket):
        raise NotAllowed
    if not is_open(ticket):
        raise GuardFailed(_("Esta encuesta ya fue respondida o todavía no está abierta."))
    if score not in range(1, 6):
        raise InvalidData({"score": [_("Elige una de las cinco respuestas.")]})
    try:
        text = clean_text(comment, max_length=COMMENT_LENGTH)
    except TextTooLong as error:
        raise InvalidData({"comment": [str(error)]}) from error
    survey = Survey.objects.create(ticket=ticket, score=score, comment=text)
    record(ticket, EventKind.SURVEY, actor=actor, public=False, data={"score": score}, key=key)
    return survey
