"""The requester's standing, and the calls and conversations that go with a case."""

from datetime import datetime

from django import forms
from django.core.validators import URLValidator
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.enums import Standing
from accounts.models import CustomerKind, User
from accounts.validators import phone_validator, validate_address
from content.errors import InvalidData
from content.form_fields import LineField, cleaned_values

from . import policies
from .actors import Actor
from .enums import ContactKind, ContactOutcome, EventKind, Template
from .exceptions import GuardFailed, NotAllowed
from .guests import hand_over
from .models import ChecklistEntry, ContactEntry, Ticket
from .record.events import already_recorded, record
from .record.locking import locked


@transaction.atomic
def check_standing(ticket: Ticket, *, actor: Actor, standing: Standing, key: str | None = None) -> Ticket:
    """Somebody looked the requester's standing up, as must happen before any answer (S2.9)."""
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
    """Note the check on the locked ticket, and the standing on the person when it changed."""
    if ticket.requester is None:
        raise GuardFailed(_("El solicitante no tiene cuenta. Selecciona o crea su cuenta antes de seguir."))
    if ticket.requester.standing != standing:
        ticket.requester.standing = standing
        ticket.requester.standing_since = timezone.localdate(now, timezone.get_default_timezone())
        ticket.requester.save(update_fields=["standing", "standing_since"])
    ticket.standing_checked_at = now


def give_to(ticket: Ticket, user: User) -> None:
    """The locked ticket is this person's from now on, who has yet to be looked up."""
    if ticket.requester_id == user.pk:
        return
    ticket.requester, ticket.requester_name, ticket.requester_email = user, user.name, user.email
    ticket.standing_checked_at = None
    hand_over(ticket)


@transaction.atomic
def link_account(ticket: Ticket, *, actor: Actor, user: User, key: str | None = None) -> Ticket:
    """Say whose ticket it is (S2.26, S2.27): the guest who filed it has, or has been given, an account."""
    ticket = locked(ticket)
    if done := already_recorded(key, actor=actor, act=EventKind.REQUESTER, ticket=ticket):
        return done.ticket
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    if ticket.requester_id is not None:
        raise GuardFailed(_("El ticket ya tiene un solicitante con cuenta."))
    give_to(ticket, user)
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
    """Open an account for the guest who asks, and say whose ticket it is (S2.27). It has no password: they are told by
    mail that a code sent to that address lets them in.

    Raises `InvalidData` for an address that has an account already (that one is selected, not created) or is none.
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
    give_to(ticket, user)
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
    """A person proved that an address is theirs: what they filed as a guest becomes theirs. Returns how many."""
    # Addresses are kept in lower case: an equality that the index answers, at every sign-in.
    tickets = Ticket.objects.filter(requester=None, requester_email=verified_email.lower())
    count = 0
    for ticket in tickets:
        ticket = locked(ticket)
        if ticket.requester_id is not None:  # somebody of the desk was quicker
            continue
        give_to(ticket, user)
        record(ticket, EventKind.REQUESTER, actor=user, public=False, data={"requester": user.pk})
        count += 1
    return count


@transaction.atomic
def log_contact(
    ticket: Ticket,
    *,
    actor: User,
    kind: ContactKind,
    outcome: ContactOutcome,
    url: str = "",
    note: str = "",
    key: str | None = None,
) -> Ticket:
    """Put a call or a WhatsApp conversation on record, with its outcome and evidence (S2.22, S2.45, S2.46)."""
    ticket = locked(ticket)
    if done := already_recorded(key, actor=actor, act=EventKind.CONTACT, ticket=ticket):
        return done.ticket
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    if kind == ContactKind.WHATSAPP and not url:
        raise InvalidData({"url": [_("Pega el enlace de la conversación: es la evidencia del contacto.")]})
    cleaned = cleaned_values(
        {"url": url, "note": note},
        url=forms.CharField(
            required=False, max_length=200, validators=[URLValidator(schemes=["http", "https"])]
        ),
        note=LineField(required=False, max_length=300),
    )
    entry = ContactEntry.objects.create(ticket=ticket, kind=kind, outcome=outcome, by=actor, **cleaned)
    data = {"contact": entry.pk, "kind": kind, "outcome": outcome}
    record(ticket, EventKind.CONTACT, actor=actor, public=False, data=data, key=key)
    return ticket


@transaction.atomic
def tick_checklist(
    ticket: Ticket, *, actor: User, item: str, done: bool = True, key: str | None = None
) -> Ticket:
    """Mark a point of the closing checklist as done, or take the mark back. Points that need evidence want it on
    record first (S2.44–S2.46)."""
    ticket = locked(ticket)
    if earlier := already_recorded(key, actor=actor, act=EventKind.CHECKLIST, ticket=ticket):
        return earlier.ticket
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    definition = next((i for i in ticket.definition.closing.checklist if i.key == item), None)
    if definition is None:
        raise InvalidData({"item": [_("Ese punto no está en la lista de cierre.")]})
    if done and definition.needs and not ticket.contacts.filter(kind=definition.needs).exists():
        raise GuardFailed(ContactKind(definition.needs).missing)
    entries = ChecklistEntry.objects.filter(ticket=ticket, item=item)
    if entries.exists() == done:
        return ticket
    if done:
        ChecklistEntry.objects.create(ticket=ticket, item=item, done_by=actor)
    else:
        entries.delete()
    record(ticket, EventKind.CHECKLIST, actor=actor, public=False, data={"item": item, "done": done}, key=key)
    return ticket
