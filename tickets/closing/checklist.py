"""Tick the items of the process's closing checklist (S2.44–S2.46)."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from content.errors import InvalidData

from .. import policies
from ..enums import ContactKind, EventKind, PlaceKind
from ..exceptions import GuardFailed, NotAllowed, Place
from ..models import ChecklistEntry, Ticket
from ..record.events import already_recorded, record
from ..record.locking import locked


@transaction.atomic
def tick_checklist(
    ticket: Ticket, *, actor: User, item: str, done: bool = True, key: str | None = None
) -> Ticket:
    """Tick an item of the closing checklist, or untick it with `done=False` (S2.44–S2.46). Returns the ticket.

    Raises `NotAllowed` if other people tick the item, `InvalidData` for an unknown item, and `GuardFailed` if the item
    needs a call or a WhatsApp conversation and none is logged since the solution was sent.
    """
    ticket = locked(ticket)
    if earlier := already_recorded(key, actor=actor, act=EventKind.CHECKLIST, ticket=ticket):
        return earlier.ticket
    if not policies.can_answer(actor, ticket):
        raise NotAllowed
    definition = next((i for i in ticket.definition.closing.checklist if i.key == item), None)
    if definition is None:
        raise InvalidData({"item": [_("Ese punto no está en la lista de cierre.")]})
    if not policies.can_tick(actor, ticket, definition):
        raise NotAllowed(_("Ese punto de la lista lo marca quien revisa la respuesta."))
    made = {contact.kind for contact in ticket.contacts_about_solution}
    if done and definition.needs and definition.needs not in made:
        missing = ContactKind(definition.needs).missing
        raise GuardFailed(missing, place=Place(PlaceKind.CONTACT, definition.needs))
    set_tick(ticket, actor=actor, item=item, done=done, key=key)
    return ticket


def set_tick(ticket: Ticket, *, actor: User, item: str, done: bool = True, key: str | None = None) -> None:
    """Tick or untick an item on the locked ticket and record it. Does nothing if it is so already. The caller has
    checked that the actor may."""
    entries = ChecklistEntry.objects.filter(ticket=ticket, item=item)
    if entries.exists() == done:
        return
    if done:
        ChecklistEntry.objects.create(ticket=ticket, item=item, done_by=actor)
    else:
        entries.delete()
    record(ticket, EventKind.CHECKLIST, actor=actor, public=False, data={"item": item, "done": done}, key=key)
