"""Check the requester's administrative standing, which some processes require before any answer (S2.9)."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.enums import Standing

from .. import policies
from ..actors import Actor
from ..enums import EventKind
from ..exceptions import AccountMissing, NotAllowed
from ..models import Ticket
from ..record.events import already_recorded, record
from ..record.locking import locked


@transaction.atomic
def check_standing(ticket: Ticket, *, actor: Actor, standing: Standing, key: str | None = None) -> Ticket:
    """Record that staff looked up the requester's standing and found `standing` (S2.9). Returns the ticket.

    Raises `NotAllowed`, or `GuardFailed` if the requester has no account.
    """
    ticket = locked(ticket)
    if done := already_recorded(key, actor=actor, act=EventKind.STANDING_CHECKED, ticket=ticket):
        return done.ticket
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    apply_standing(ticket, standing, now=timezone.now())
    record(
        ticket, EventKind.STANDING_CHECKED, actor=actor, public=False, data={"standing": standing}, key=key
    )
    return ticket


def apply_standing(ticket: Ticket, standing: Standing, *, now: datetime) -> None:
    """Set `standing_checked_at` on the locked ticket, and save `standing` on the requester's account if it changed.

    The calling verb saves the ticket. Raises `GuardFailed` if the requester has no account.
    """
    if ticket.requester is None:
        raise AccountMissing
    if ticket.requester.standing != standing:
        ticket.requester.standing = standing
        ticket.requester.standing_since = timezone.localdate(now, timezone.get_default_timezone())
        ticket.requester.save(update_fields=["standing", "standing_since"])
    ticket.standing_checked_at = now
