"""Parts of pages that take long to make, kept for some seconds for who asks again (docs/decisions/0042)."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import cache, caches
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import get_language

from accounts.models import User
from tickets.lists.figures import KEPT_SECONDS
from tickets.models import TicketEvent
from tickets.record.events import event_recorded

T = TypeVar("T")


def kept(name: str, seen_as: tuple[Any, ...], make: Callable[[], T], *, person: User | None = None) -> T:
    """Return what `make` returned within the last `KEPT_SECONDS` for the same `seen_as`, language and time zone, or
    else what it returns now. What it raises is not kept.

    `person` is for parts that only one person sees. Who has changed a ticket since gets the part made anew.
    """
    asked = (seen_as, get_language(), timezone.get_current_timezone_name(), person.pk if person else None)
    key = f"{name}:{hashlib.sha256(repr(asked).encode()).hexdigest()}"
    pages, mark = caches["pages"], cache.get(_mark_key(person)) if person else None
    part = pages.get(key)
    if part is not None and part[0] == mark:
        return part[1]
    made = make()
    pages.set(key, (mark, made), KEPT_SECONDS)
    return made


def _mark_key(person: User) -> str:
    return f"changed-by:{person.pk}"


@receiver(event_recorded, dispatch_uid="agents.sheets")
def mark_change(event: TicketEvent, **kwargs: Any) -> None:
    """Let the parts that were made for the staff member before their change count no longer."""
    if (actor := event.actor) is not None and actor.is_desk_staff:
        mark_change_by(actor)


def mark_change_by(person: User) -> None:
    """Let the parts that were made for the person count no longer. Views call this after a change that is no event of a
    ticket, such as other hours."""
    transaction.on_commit(lambda: cache.set(_mark_key(person), uuid4().hex, 2 * KEPT_SECONDS))
