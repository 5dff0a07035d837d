"""Make the links of mails. The pages behind it change nothing on GET: mail scanners open links too (B16)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from tickets.closing import surveys
from tickets.enums import Purpose, StageKind
from tickets.models import GuestToken, Ticket
from tickets.record.locking import locked, locked_if_free
from tickets.requesters import guests

from ..enums import Audience
from ..models import OutgoingEmail

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Link:
    url: str
    token: str = ""
    """Token of a link that works without signing in, else empty. It is written only in the mail, never stored."""

    def discard(self) -> None:
        """Delete the token. Call it only if the mail certainly did not leave."""
        if self.token:
            guests.discard_unsent(self.token)


@dataclass(frozen=True)
class Wish:
    """The link that a mail's button needs, and whether it offers the survey beside it."""

    mail: OutgoingEmail
    ticket: Ticket
    purpose: Purpose
    offers_survey: bool = False

    @property
    def needs_lock(self) -> bool:
        """Whether a token may have to be made. Staff, and requesters with an account who only follow their ticket, get
        the address of its page."""
        if self.mail.audience == Audience.STAFF:
            return False
        return self.mail.user_id is None or self.purpose != Purpose.FOLLOW or self.offers_survey


Links = tuple[Link, ...]
"""The link of the button and, if the mail offers the survey and it is open, the link to the survey."""


def links_for(wishes: Sequence[Wish]) -> list[Links | Exception]:
    """Return the links of each mail, or the error that kept it from having them.

    Staff and requesters with an account get the address of the ticket's page. Guests, and every requester whose mail
    asks for a contribution, an approval or a survey, get a link with a new token. Whether such a purpose is still
    wanted is checked under the ticket's lock: a mail that leaves late must not bring a new link for a purpose whose
    links were revoked. If it is not wanted, the link only leads to the ticket.

    All tickets are locked with one query. A ticket that somebody else has locked is not waited for while other tickets
    are held, as that might wait for ever: it gets its turn alone.
    """
    made: dict[int, Links | Exception] = {}
    tokens: list[GuestToken] = []
    with_tokens = [place for place, wish in enumerate(wishes) if wish.needs_lock]
    if len(with_tokens) > 1:
        try:
            with transaction.atomic():
                tickets = locked_if_free({wishes[place].ticket.pk for place in with_tokens})
                for place in with_tokens:
                    if ticket := tickets.get(wishes[place].ticket.pk):
                        made[place] = _links(wishes[place], ticket, tokens)
                GuestToken.objects.bulk_create(tokens)
        except Exception:
            logger.exception("the links of %d mails are made one by one", len(with_tokens))
            made.clear()  # the tokens were rolled back
    for place, wish in enumerate(wishes):
        if place not in made:
            made[place] = _links_alone(wish)
    return [made[place] for place in range(len(wishes))]


def _links_alone(wish: Wish) -> Links | Exception:
    tokens: list[GuestToken] = []
    if not wish.needs_lock:
        return _links(wish, wish.ticket, tokens)
    try:
        with transaction.atomic():
            links = _links(wish, locked(wish.ticket), tokens)
            GuestToken.objects.bulk_create(tokens)
            return links
    except Exception as error:  # noqa: BLE001  (this mail fails alone)
        return error


def _links(wish: Wish, ticket: Ticket, tokens: list[GuestToken]) -> Links:
    """Return the links of one mail, and add their tokens, which the caller saves, to `tokens`."""
    link = _link(wish.mail, ticket, wish.purpose, tokens)
    is_offered = wish.offers_survey and wish.mail.audience != Audience.STAFF
    if not is_offered or not is_wanted(ticket, Purpose.SURVEY):
        return (link,)
    # A guest rates with the link to follow the ticket; with an account, the survey needs a link of its own.
    survey = Link(f"{link.url}encuesta/") if link.token else _link(wish.mail, ticket, Purpose.SURVEY, tokens)
    return (link, survey)


def _link(mail: OutgoingEmail, ticket: Ticket, purpose: Purpose, tokens: list[GuestToken]) -> Link:
    """Return a link for `purpose`, with a new token if the reader needs one. The ticket is locked if `mail` is the
    requester's and may need a token."""
    if mail.audience == Audience.STAFF:
        return Link(f"{settings.DESK_BASE_URL}/agentes/tickets/{ticket.folio}/")
    if purpose == Purpose.FOLLOW or not is_wanted(ticket, purpose):
        if mail.user_id is not None:
            return Link(f"{settings.DESK_BASE_URL}/tickets/{ticket.folio}/")
        purpose = Purpose.FOLLOW
    secret, token = guests.new_link(ticket, purpose=purpose, email=mail.recipient)
    tokens.append(token)
    return Link(f"{settings.DESK_BASE_URL}/enlace/{secret}/", secret)


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
