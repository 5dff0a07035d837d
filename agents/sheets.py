"""Drawn lists and sheets of the back office, kept for some seconds until the person changes something
(docs/decisions/0042)."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.dispatch import receiver

from accounts.models import User
from tickets.models import TicketEvent
from tickets.record.events import event_recorded
from web.kept import kept as kept_until_changed
from web.kept import mark_change

T = TypeVar("T")


def kept(name: str, seen_as: tuple[Any, ...], make: Callable[[], T], *, person: User | None = None) -> T:
    """Return what `web.kept` keeps of `make`. `person` is for parts that only one person sees: who has changed a ticket
    since gets the part made anew."""
    if person is None:
        return kept_until_changed(name, seen_as, make)
    return kept_until_changed(name, (*seen_as, person.pk), make, until_changed=_changes_by(person))


@receiver(event_recorded, dispatch_uid="agents.sheets")
def mark_event(event: TicketEvent, **kwargs: Any) -> None:
    """Let the parts that were made for the staff member before their change count no longer."""
    if (actor := event.actor) is not None and actor.is_desk_staff:
        mark_change_by(actor)


def mark_change_by(person: User) -> None:
    """Let the parts that were made for the person count no longer. Views call this after a change that is no event of a
    ticket, such as other hours."""
    mark_change(_changes_by(person))


def _changes_by(person: User) -> str:
    return f"by:{person.pk}"
