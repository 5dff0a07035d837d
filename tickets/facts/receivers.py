"""Notice changes outside the tickets that move their counts: a customer gets another kind."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver

from accounts.models import User

from ..models import Ticket
from ..record.days import MOMENTS, mark_tickets

_MOVES = "_moves_to_another_kind"


@receiver(pre_save, sender=User, dispatch_uid="tickets.facts.kind_before")
def note_another_kind(instance: User, update_fields: Collection[str] | None = None, **kwargs: Any) -> None:
    """Note on the user whether this save gives them another kind. One query, unless the kind is not saved."""
    is_saved = update_fields is None or "kind" in update_fields
    known = User.objects.filter(pk=instance.pk) if is_saved and instance.pk else None
    setattr(instance, _MOVES, known is not None and known.exclude(kind=instance.kind_id).exists())


@receiver(post_save, sender=User, dispatch_uid="tickets.facts.kind_after")
def count_their_days_again(instance: User, **kwargs: Any) -> None:
    """Mark the days of the customer's tickets, if they have another kind now."""
    if getattr(instance, _MOVES, False):
        mark_tickets(Ticket.objects.requested_by(instance).only(*MOMENTS))
