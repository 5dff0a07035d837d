"""Presence: which staff have a ticket open right now, so that two people on one ticket know of each other."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User

from ..models import Presence, Ticket

PRESENCE_SECONDS = 20


def mark_present(ticket: Ticket, *, user: User, is_writing: bool = False) -> None:
    """Record that `user` has the ticket open now, and whether they are writing."""
    sign = {"seen_at": timezone.now(), "is_writing": is_writing}
    # Every open page calls this every few seconds, so the row nearly always exists.
    if not Presence.objects.filter(ticket=ticket, user=user).update(**sign):
        Presence.objects.update_or_create(ticket=ticket, user=user, defaults=sign)


def others_on(ticket: Ticket, *, user: User) -> QuerySet[Presence]:
    """Return the presences of other staff on the ticket in the last `PRESENCE_SECONDS`, writers first."""
    since = timezone.now() - timedelta(seconds=PRESENCE_SECONDS)
    return (
        Presence.objects.filter(ticket=ticket, seen_at__gte=since)
        .exclude(user=user)
        .select_related("user")
        .only("is_writing", "user__name", "user__email")
        .order_by("-is_writing", "user__name")
    )


def forget_absent() -> int:
    """Delete presences not renewed for three times `PRESENCE_SECONDS`. Returns how many."""
    since = timezone.now() - timedelta(seconds=PRESENCE_SECONDS * 3)
    count, _rows = Presence.objects.filter(seen_at__lt=since).delete()
    return count
