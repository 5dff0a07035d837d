"""Where a mail's button leads. Nothing behind these links acts on GET: mail scanners open them too (B16)."""

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
    secret: str = ""
    """What the link opens with, when it does so without a session: in the mail and nowhere else."""


def link_for(mail: OutgoingEmail, ticket: Ticket, purpose: Purpose) -> Link:
    """The address that does what the mail asks for.

    A link for one purpose is only made while there is use for it, looked at under the ticket's lock: otherwise a mail
    that leaves late would hand out again what has been revoked meanwhile. Then it leads to the ticket itself.
    """
    if mail.audience == Audience.STAFF:
        return Link(f"{settings.DESK_BASE_URL}/agentes/tickets/{ticket.folio}/")
    with transaction.atomic():
        ticket = locked(ticket)
        if purpose == Purpose.FOLLOW or not is_wanted(ticket, purpose):
            if mail.user_id is not None:
                return Link(f"{settings.DESK_BASE_URL}/tickets/{ticket.folio}/")
            purpose = Purpose.FOLLOW
        secret = guests.issue(ticket, purpose=purpose, email=mail.recipient)
    return Link(f"{settings.DESK_BASE_URL}/enlace/{secret}/", secret)


def is_wanted(ticket: Ticket, purpose: Purpose) -> bool:
    """Whether the desk still waits for what links of this purpose are for."""
    match purpose:
        case Purpose.CONTRIBUTE:
            return ticket.is_open and (ticket.contribution_open or ticket.kind == StageKind.WAITING_CUSTOMER)
        case Purpose.APPROVE:
            return ticket.kind == StageKind.CLOSURE_APPROVAL
        case Purpose.SURVEY:
            return surveys.is_open(ticket)
    return True
