"""Give a guest's ticket an account: an existing one, a new one, or that of the guest who proves the address."""

from django import forms
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import CustomerKind, User
from accounts.validators import phone_validator, validate_address
from content.errors import InvalidData
from content.form_fields import LineField, cleaned_values

from .. import policies
from ..actors import Actor, user_of
from ..enums import EventKind, Template
from ..exceptions import GuardFailed, NotAllowed
from ..models import Ticket
from ..record.events import already_recorded, record
from ..record.locking import locked
from .guests import revoke_links_to_others


def set_requester(ticket: Ticket, user: User) -> None:
    """Make `user` the requester of the locked ticket. Clears `standing_checked_at` and revokes links mailed to others.

    Does nothing if `user` is the requester already. The calling verb saves the ticket.
    """
    if ticket.requester_id == user.pk:
        return
    ticket.requester, ticket.requester_name, ticket.requester_email = user, user.name, user.email
    ticket.standing_checked_at = None
    revoke_links_to_others(ticket)


def require_another(ticket: Ticket, user: User, *, actor: Actor) -> None:
    """Raise `GuardFailed` if the actor would become the requester of another person's ticket: they could then approve,
    reject and rate their own work."""
    if user == user_of(actor) and user.email != ticket.requester_email.lower():
        raise GuardFailed(_("No puedes quedar como solicitante del ticket de otra persona."))


@transaction.atomic
def link_account(ticket: Ticket, *, actor: Actor, user: User, key: str | None = None) -> Ticket:
    """Make the account `user` the requester of a guest's ticket (S2.26, S2.27). Returns the ticket.

    Raises `NotAllowed`, or `GuardFailed` if the requester has an account already or would be the actor
    (`require_another`).
    """
    ticket = locked(ticket)
    if done := already_recorded(key, actor=actor, act=EventKind.REQUESTER, ticket=ticket):
        return done.ticket
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    if ticket.requester_id is not None:
        raise GuardFailed(_("El ticket ya tiene un solicitante con cuenta."))
    require_another(ticket, user, actor=actor)
    set_requester(ticket, user)
    record(ticket, EventKind.REQUESTER, actor=actor, public=False, data={"requester": user.pk}, key=key)
    return ticket


@transaction.atomic
def create_account(
    ticket: Ticket,
    *,
    actor: Actor,
    email: str,
    name: str,
    phone: str = "",
    kind: CustomerKind | None = None,
    key: str | None = None,
) -> Ticket:
    """Create an account for the guest who filed the ticket and make it the requester (S2.27). Returns the ticket.

    The account has no password: a mail tells the person that they sign in with a code sent to that address. Empty
    `name` and `phone` are taken from the ticket. Raises `NotAllowed`, `GuardFailed` if the requester has an account
    already, and `InvalidData` for values that are not valid or an address that has an account (use `link_account`).
    """
    ticket = locked(ticket)
    if done := already_recorded(key, actor=actor, act=EventKind.REQUESTER, ticket=ticket):
        return done.ticket
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    if ticket.requester_id is not None:
        raise GuardFailed(_("El ticket ya tiene un solicitante con cuenta."))
    cleaned = cleaned_values(
        {"email": email, "name": name or ticket.requester_name, "phone": phone or ticket.requester_phone},
        email=forms.EmailField(max_length=254, validators=[validate_address]),
        name=LineField(max_length=120),
        phone=LineField(max_length=32, required=False, validators=[phone_validator]),
    )
    try:
        with transaction.atomic():
            user = User.objects.create_user(**cleaned, kind=kind, language=ticket.requester_language)
    except IntegrityError as error:
        raise InvalidData({"email": [_("Ya hay una cuenta con ese correo. Selecciónala.")]}) from error
    set_requester(ticket, user)
    record(
        ticket,
        EventKind.REQUESTER,
        actor=actor,
        public=False,
        data={"requester": user.pk},
        notify=[("requester", Template.ACCOUNT_CREATED)],
        key=key,
    )
    return ticket


@transaction.atomic
def claim_guest_tickets(user: User, *, verified_email: str) -> int:
    """Make `user` the requester of all tickets that were filed by a guest with `verified_email`. Returns how many.

    Call it only once the person has proved that the address is theirs.
    """
    # Addresses are stored in lower case, so that an index finds them: this runs at every sign-in.
    tickets = Ticket.objects.filter(requester=None, requester_email=verified_email.lower())
    count = 0
    for ticket in tickets:
        ticket = locked(ticket)
        if ticket.requester_id is not None:  # staff linked an account before we got the lock
            continue
        set_requester(ticket, user)
        record(ticket, EventKind.REQUESTER, actor=user, public=False, data={"requester": user.pk})
        count += 1
    return count
