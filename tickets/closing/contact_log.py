"""Log calls and WhatsApp conversations with the requester (S2.22, S2.45, S2.46)."""

from django import forms
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from content.errors import InvalidData
from content.form_fields import LineField, cleaned_values

from .. import policies
from ..enums import ContactKind, ContactOutcome, EventKind
from ..exceptions import NotAllowed
from ..models import ContactEntry, Ticket
from ..record.events import already_recorded, record
from ..record.locking import locked
from .checklist import set_tick


@transaction.atomic
def log_contact(
    ticket: Ticket,
    *,
    actor: User,
    kind: ContactKind,
    outcome: ContactOutcome,
    url: str = "",
    note: str = "",
    item: str = "",
    key: str | None = None,
) -> Ticket:
    """Log a call or a WhatsApp conversation with its outcome and return the ticket (S2.22, S2.45, S2.46).

    `item` names the item of the closing checklist for which the contact was made: a successful one ticks it, if the
    actor may tick it. A WhatsApp conversation needs its `url`, which is the evidence. Raises `NotAllowed` or
    `InvalidData`.
    """
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
    if kind == ContactKind.CALL:
        ticket.call_due_since = None
    data = {"contact": entry.pk, "kind": kind, "outcome": outcome}
    record(ticket, EventKind.CONTACT, actor=actor, public=False, data=data, key=key)
    point = next((point for point in ticket.definition.closing.checklist if point.key == item), None)
    succeeded = point is not None and point.needs == kind and outcome == ContactOutcome.SUCCESSFUL
    if point and succeeded and policies.can_tick(actor, ticket, point):
        set_tick(ticket, actor=actor, item=item)
    return ticket
