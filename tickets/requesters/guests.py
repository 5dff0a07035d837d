"""Links for people without a session: issued for one purpose, sent to one address, hashed at rest (DESIGN §6)."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from content.tokens import hash_token, new_token

from ..actors import SYSTEM, Guest
from ..enums import EventKind, Purpose, Template
from ..exceptions import InvalidToken
from ..models import GuestToken, Ticket
from ..record.events import record
from ..record.locking import locked

LIFETIME = {
    Purpose.FOLLOW: timedelta(days=180),
    Purpose.CONTRIBUTE: timedelta(days=30),
    Purpose.APPROVE: timedelta(days=30),
    Purpose.SURVEY: timedelta(days=30),
}
TOUCH_AFTER = timedelta(minutes=5)


def issue(ticket: Ticket, *, purpose: Purpose, email: str) -> str:
    """A new secret for `email`. It is returned once, for the mail, and cannot be read again."""
    raw, digest = new_token()
    GuestToken.objects.create(
        ticket=ticket,
        purpose=purpose,
        digest=digest,
        email=email.lower(),
        expires_at=timezone.now() + LIFETIME[purpose],
    )
    return raw


def discard_unsent(raw: str) -> None:
    """Delete the token of a link whose mail did not leave: nobody can have received it."""
    GuestToken.objects.filter(digest=hash_token(raw)).delete()


def redeem(raw: str) -> GuestToken:
    """The valid token behind a secret. Raises `InvalidToken`, the same for unknown, expired and revoked ones.

    Looking a digest up by index compares no secret bytes: the secret itself is never stored. Nothing is written: mail
    scanners open links that nobody clicked (B16); `note_use` says when the bearer really did something.
    """
    token = GuestToken.objects.select_related("ticket__requester").filter(digest=hash_token(raw)).first()
    if token is None or not _opens(token):
        raise InvalidToken
    return token


def still_valid(tokens: Iterable[int], *, folio: str, purposes: Iterable[Purpose]) -> GuestToken | None:
    """Of the tokens a browser has redeemed, one that opens `folio` for any of `purposes` at this very moment; the
    purpose named first wins. Asked on every request: a link that was revoked or ran out stops at once."""
    wanted = list(purposes)
    found = GuestToken.objects.filter(pk__in=list(tokens), ticket__folio=folio, purpose__in=wanted)
    related = found.select_related(
        "ticket__process_version",
        "ticket__category",
        "ticket__department",
        "ticket__assignee",
        "ticket__requester",
    )
    valid = [token for token in related if _opens(token)]
    return min(valid, key=lambda token: (wanted.index(Purpose(token.purpose)), -token.pk), default=None)


def _opens(token: GuestToken) -> bool:
    """Whoever may not sign in any more does not come in by a link either, nor who reads an address that the account
    no longer has."""
    requester = token.ticket.requester
    is_theirs = requester is None or (requester.is_active and token.email == requester.email)
    return token.is_valid(timezone.now()) and is_theirs


def note_use(token: GuestToken) -> None:
    """The bearer acted with this link."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > TOUCH_AFTER:
        GuestToken.objects.filter(pk=token.pk).update(last_used_at=now)


@transaction.atomic
def send_again(*, folio: str, email: str) -> None:
    """Mail a new link to the ticket's own requester, if `email` is theirs. Says nothing either way: whoever asks must
    not learn which folios exist, or whose they are (B15, B26)."""
    address = email.strip().lower()
    theirs = Q(requester=None, requester_email=address) | Q(requester__email=address)
    ticket = Ticket.objects.filter(theirs, folio__iexact=folio.strip()).first()
    if ticket is None:
        return
    notify = [("requester", Template.NEW_LINK)]
    record(locked(ticket), EventKind.LINK, actor=SYSTEM, public=False, notify=notify)


def actor_of(token: GuestToken) -> Guest:
    """The bearer, as verbs know them."""
    return Guest(token.ticket_id, token.email, token.ticket.requester_name, Purpose(token.purpose))


def revoke_links_to_others(ticket: Ticket) -> None:
    """Revoke the ticket's links that were mailed to any address but its present requester's."""
    ticket.guest_tokens.filter(revoked_at__isnull=True).exclude(email__iexact=ticket.requester_email).update(
        revoked_at=timezone.now()
    )


def switch_contribution(ticket: Ticket, *, is_open: bool) -> None:
    """Set «aporte de usuario» on the locked ticket. Off, the links for it stop working (S2.7)."""
    ticket.contribution_open = is_open
    if not is_open:
        revoke(ticket, Purpose.CONTRIBUTE)


def revoke(ticket: Ticket, *purposes: Purpose) -> int:
    """Make the ticket's links for `purposes` (all, when none is named) useless from now on."""
    tokens = ticket.guest_tokens.filter(revoked_at__isnull=True)
    if purposes:
        tokens = tokens.filter(purpose__in=purposes)
    revoked: int = tokens.update(revoked_at=timezone.now())
    return revoked
