"""Guests' links: each is for one ticket and one purpose, mailed to one address, and stored as a hash (DESIGN §6)."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone

from content.tokens import hash_token, new_token

from .. import folios, policies
from ..actors import SYSTEM, Guest
from ..enums import EventKind, Purpose, Template
from ..exceptions import EndedLink, InvalidToken
from ..models import GuestToken, LinkRequest, Ticket, TicketEvent
from ..record.events import record
from ..record.locking import locked

logger = logging.getLogger(__name__)

link_asked = Signal()
"""Sent with every `LinkRequest`, inside its transaction if there is one."""
LIFETIME = {
    Purpose.FOLLOW: timedelta(days=180),
    Purpose.CONTRIBUTE: timedelta(days=30),
    Purpose.APPROVE: timedelta(days=30),
    Purpose.SURVEY: timedelta(days=30),
}
TOUCH_AFTER = timedelta(minutes=5)
"""`last_used_at` is written at most this often."""
NEW_LINKS_PER_HOUR = 3
RESULT_SEEN_WITHIN = timedelta(hours=1)
"""How long a guest may go on reading after their link was revoked: what they did with it may be what revoked it."""


def issue(ticket: Ticket, *, purpose: Purpose, email: str) -> str:
    """Create a link for `email` and return its secret, which goes into the mail. Only its hash is stored."""
    raw, token = new_link(ticket, purpose=purpose, email=email)
    token.save()
    return raw


def new_link(ticket: Ticket, *, purpose: Purpose, email: str) -> tuple[str, GuestToken]:
    """Return the secret of a new link for `email`, and its token, not saved yet: the caller saves many at once."""
    raw, digest = new_token()
    return raw, GuestToken(
        ticket=ticket,
        purpose=purpose,
        digest=digest,
        email=email.lower(),
        expires_at=timezone.now() + LIFETIME[purpose],
    )


def discard_unsent(raw: str) -> None:
    """Delete the token of a link whose mail was not sent: nobody can have received it."""
    GuestToken.objects.filter(digest=hash_token(raw)).delete()


def redeem(raw: str) -> GuestToken:
    """Return the valid token of a link's secret.

    Raises `EndedLink` for an expired or revoked link of the requester, and `InvalidToken` for every other: unknown, or
    mailed to somebody who is no longer the requester.

    The token is looked up by hash, so the time of the query tells nothing about the secret. Nothing is written, because
    mail scanners open links that nobody clicked (B16); `record_use` records that the guest really acted.
    """
    token = GuestToken.objects.select_related("ticket__requester").filter(digest=hash_token(raw)).first()
    if token is None or not _is_theirs(token):
        raise InvalidToken
    if not token.is_valid(timezone.now()):
        raise EndedLink(token) if _was_mailed_to_requester(token) else InvalidToken()
    return token


def find_valid(tokens: Iterable[int], *, folio: str, purposes: Iterable[Purpose]) -> GuestToken | None:
    """Return the token among `tokens` that is valid now for the ticket `folio` and one of `purposes`; None without one.

    `tokens` are the primary keys of the tokens that a browser has redeemed. The purpose named first wins, then the
    newest token. Every request asks again, so that a revoked or expired link stops working at once.
    """
    wanted, now = list(purposes), timezone.now()
    valid = [token for token in _theirs(tokens, folio, purpose__in=wanted) if token.is_valid(now)]
    return min(valid, key=lambda token: (wanted.index(Purpose(token.purpose)), -token.pk), default=None)


def find_ended(tokens: Iterable[int], *, folio: str) -> GuestToken | None:
    """Return the newest token among `tokens` for the ticket `folio` that was revoked or has expired; None without
    one."""
    now = timezone.now()
    ended = [
        token
        for token in _theirs(tokens, folio)
        if not token.is_valid(now) and _was_mailed_to_requester(token)
    ]
    return max(ended, key=lambda token: token.pk, default=None)


def find_readable(tokens: Iterable[int], *, folio: str, purposes: Iterable[Purpose]) -> GuestToken | None:
    """Return the token with which the ticket may be read now: a valid one, else one that its own use has just revoked
    (`may_see_result`); None without one."""
    wanted = list(purposes)
    token = find_valid(tokens, folio=folio, purposes=wanted)
    if token is not None:
        return token
    ended = find_ended(tokens, folio=folio)
    return ended if ended and ended.purpose in wanted and may_see_result(ended) else None


def find_followed(tokens: Iterable[int]) -> list[GuestToken]:
    """Return the valid tokens among `tokens` with which a ticket may be read, one for each ticket, newest first."""
    now = timezone.now()
    found = GuestToken.objects.filter(pk__in=list(tokens), purpose__in=policies.READING_PURPOSES)
    related = found.select_related("ticket__category", "ticket__requester").order_by("-pk")
    valid = [token for token in related if token.is_valid(now) and _is_theirs(token)]
    return list({token.ticket_id: token for token in reversed(valid)}.values())[::-1]


def may_see_result(token: GuestToken) -> bool:
    """Whether the bearer of this revoked token used it shortly before, so that they may still read the ticket.

    What a guest does with a link may revoke it, as an answer ends the contribution: they must see that it arrived. Such
    a link writes nothing any more (S2.7).
    """
    now = timezone.now()
    return (
        token.revoked_at is not None
        and token.last_used_at is not None
        and now < token.expires_at
        and now - token.revoked_at < RESULT_SEEN_WITHIN
        and now - token.last_used_at < RESULT_SEEN_WITHIN
        and token.purpose in policies.READING_PURPOSES
    )


def _theirs(tokens: Iterable[int], folio: str, **filters: Any) -> list[GuestToken]:
    found = GuestToken.objects.filter(pk__in=list(tokens), ticket__folio=folio, **filters)
    related = found.select_related(
        "ticket__category", "ticket__department", "ticket__assignee", "ticket__requester"
    )
    return [token for token in related if _is_theirs(token)]


def _is_theirs(token: GuestToken) -> bool:
    """Whether the requester has no account, or an active one with the address that the link was mailed to."""
    requester = token.ticket.requester
    return requester is None or (requester.is_active and token.email == requester.email)


def _was_mailed_to_requester(token: GuestToken) -> bool:
    """Whether the link was mailed to the requester's address of today: only they may read why it ended."""
    return token.email == _address_of_requester(token.ticket)


def _address_of_requester(ticket: Ticket) -> str:
    """Return the address that the requester has today. With an account it may have changed since the ticket was
    filed, and `requester_email` has not."""
    return ticket.requester.email if ticket.requester else ticket.requester_email.lower()


def record_use(token: GuestToken) -> None:
    """Set `last_used_at`, because the guest acted with this link. Written at most once per `TOUCH_AFTER`."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > TOUCH_AFTER:
        GuestToken.objects.filter(pk=token.pk).update(last_used_at=now)


def ask_again(*, folio: str, email: str) -> None:
    """Note that somebody asks for a new link, for `send_asked`. Nothing is looked up, so that the answer takes as long
    whether or not the folio exists and the address belongs to it (B15, B26)."""
    LinkRequest.objects.create(folio=folio[: folios.LONGEST], email=email.strip().lower())
    link_asked.send(LinkRequest)


def send_asked() -> int:
    """Answer the requests of `ask_again` (`send_again`), and forget them. Returns how many there were.

    One that cannot be answered is logged and forgotten too: it must not hold up the others.
    """
    count = 0
    while _send_next():
        count += 1
    return count


@transaction.atomic
def _send_next() -> bool:
    """Answer the oldest request that no other worker has. Returns False if there is none."""
    asked = LinkRequest.objects.select_for_update(skip_locked=True).order_by("pk").first()
    if asked is None:
        return False
    try:
        with transaction.atomic():
            send_again(folio=asked.folio, email=asked.email)
    except Exception:
        logger.exception("a new link could not be mailed")
    asked.delete()
    return True


@transaction.atomic
def send_again(*, folio: str, email: str, is_known: bool = False) -> None:
    """Mail a new link to the requester of ticket `folio` if `email` is their address; otherwise do nothing.

    `folio` is as the person typed or pasted it. If it names several tickets of theirs, the newest is meant. Only
    `NEW_LINKS_PER_HOUR` are mailed to one address, whoever asks, and beyond them one for each ticket: those before
    still work, so a stranger can neither flood nor lock out the requester, not even from another ticket of theirs.
    `is_known` says that a link to the ticket was opened in this browser, so the requester asks: then it is mailed all
    the same.

    It returns None and raises nothing in either case: a stranger must not learn which folios exist or who requested
    them (B15, B26).
    """
    address = email.strip().lower()
    theirs = Q(requester=None, requester_email=address) | Q(requester__email=address)
    ticket = Ticket.objects.filter(theirs, folio__in=folios.named_in(folio)).order_by("-id").first()
    if ticket is None:
        return
    ticket = locked(ticket)
    hour = timezone.now() - timedelta(hours=1)
    mailed = TicketEvent.objects.filter(
        kind=EventKind.LINK, at__gt=hour, ticket__in=Ticket.objects.filter(theirs).order_by()
    )
    enough = mailed.count() >= NEW_LINKS_PER_HOUR and mailed.filter(ticket=ticket).exists()
    if enough and not is_known:
        return
    notify = [("requester", Template.NEW_LINK)]
    record(ticket, EventKind.LINK, actor=SYSTEM, public=False, notify=notify)


def link_to(token: GuestToken, other: Ticket) -> GuestToken:
    """Return a new link to follow `other`, for the guest who has just acted with `token` on an earlier ticket of the
    same case.

    The new ticket has the same requester, so whoever may follow the old one may follow it. Raises `InvalidToken` if the
    link was mailed to somebody else than the requester of `other`.
    """
    if token.email != _address_of_requester(other):
        raise InvalidToken
    raw = issue(other, purpose=Purpose.FOLLOW, email=token.email)
    linked = redeem(raw)
    record_use(linked)
    return linked


def guest_of(token: GuestToken) -> Guest:
    """Return the guest who holds the link, as the `actor` of verbs. A link that has ended only lets them read."""
    only_reads = not token.is_valid(timezone.now())
    return Guest(
        token.ticket_id, token.email, token.ticket.requester_name, Purpose(token.purpose), only_reads
    )


def revoke_links_to_others(ticket: Ticket) -> None:
    """Revoke the ticket's links that were mailed to another address than `requester_email`."""
    ticket.guest_tokens.filter(revoked_at__isnull=True).exclude(email__iexact=ticket.requester_email).update(
        revoked_at=timezone.now()
    )


def switch_contribution(ticket: Ticket, *, is_open: bool) -> None:
    """Switch «aporte de usuario» on or off on the locked ticket. Off also revokes the links for it (S2.7). The calling
    verb saves the ticket."""
    ticket.contribution_open = is_open
    if not is_open:
        revoke(ticket, Purpose.CONTRIBUTE)


def revoke(ticket: Ticket, *purposes: Purpose) -> int:
    """Revoke the ticket's links for `purposes`, or all of them if none is named. Returns how many."""
    tokens = ticket.guest_tokens.filter(revoked_at__isnull=True)
    if purposes:
        tokens = tokens.filter(purpose__in=purposes)
    revoked: int = tokens.update(revoked_at=timezone.now())
    return revoked
