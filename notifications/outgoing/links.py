"""Make the link of a mail's button. The pages behind it change nothing on GET: mail scanners open links too (B16)."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from tickets.closing import surveys
from tickets.enums import Purpose, StageKind
from tickets.models import Ticket
from tickets.record.locking import locked
from tickets.requesters import guests

from ..enums import Audience
from ..models import OutgoingEmail


@dataclass(frozen=True)
class Link:
    url: str
    token: str = ""
    """Token of a link that works without signing in, else empty. It is written only in the mail, never stored."""


def link_for(mail: OutgoingEmail, ticket: Ticket, purpose: Purpose) -> Link:
    """Return the link of the mail's button.

    Staff and requesters with an account get the address of the ticket's page. Guests, and every requester whose mail
    asks for a contribution, an approval or a survey, get a link with a new token. Whether such a purpose is still
    wanted is checked under the ticket's lock: a mail that leaves late must not bring a new link for a purpose whose
    links were revoked. If it is not wanted, the link only leads to the ticket.
    """
    if mail.audience == Audience.STAFF:
        return Link(f"{settings.DESK_BASE_URL}/agentes/tickets/{ticket.folio}/")
    with transaction.atomic():
        ticket = locked(ticket)
        if purpose == Purpose.FOLLOW or not is_wanted(ticket, purpose):
            if mail.user_id is not None:
                return Link(f"{settings.DESK_BASE_URL}/tickets/{ticket.folio}/")
            purpose = Purpose.FOLLOW
        token = guests.issue(ticket, purpose=purpose, email=mail.recipient)
    return Link(f"{settings.DESK_BASE_URL}/enlace/{token}/", token)


def is_wanted(ticket: Ticket, purpose: Purpose) -> bool:
    """Whether the ticket still waits for what links of this purpose allow (a contribution, an approval, a survey)."""
    match purpose:
        case Purpose.CONTRIBUTE:
            return ticket.awaits_contribution
        case Purpose.APPROVE:
            return ticket.kind == StageKind.CLOSURE_APPROVAL
        case Purpose.SURVEY:
            return surveys.is_open(ticket)
    return True
