"""Delivery state on the ticket. Whoever carries mail reports here, so that pages show it without knowing who does."""

from collections.abc import Sequence

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import policies
from ..actors import Actor
from ..enums import DeliveryProblem, DeliveryState
from ..exceptions import GuardFailed, NotAllowed
from ..models import Delivery, Ticket

retry_asked = Signal()
"""Sent inside the transaction in which somebody asked to send a mail again, with `delivery=`."""

DETAIL_LENGTH = 300


def announce(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Put on record what is about to be sent, inside the transaction of the event."""
    return Delivery.objects.bulk_create(deliveries)


def report(
    delivery_id: int, state: DeliveryState, *, problem: DeliveryProblem | str = "", detail: str = ""
) -> None:
    """How far a mail got. `detail` is what the other server said; it is shown to staff as it came."""
    Delivery.objects.filter(pk=delivery_id).update(
        state=state, problem=problem, detail=detail[:DETAIL_LENGTH], at=timezone.now()
    )


def any_waiting(ticket: Ticket) -> bool:
    """Whether a mail about the ticket has yet to leave."""
    return Delivery.objects.filter(event__ticket=ticket, state=DeliveryState.WAITING).exists()


@transaction.atomic
def retry(delivery: Delivery, *, actor: Actor) -> Delivery:
    """A supervisor has a failed mail sent again, once whatever stopped it is mended. No event: to the ticket nothing
    happened."""
    row: Delivery = (
        Delivery.objects.select_for_update(of=("self",)).select_related("event__ticket").get(pk=delivery.pk)
    )
    if not policies.can_retry_delivery(actor, row.event.ticket):
        raise NotAllowed
    if not row.can_retry:
        raise GuardFailed(_("Ese correo ya salió o está por salir."))
    report(row.pk, DeliveryState.WAITING)
    retry_asked.send(sender=Delivery, delivery=row)
    row.refresh_from_db(fields=["state", "problem", "detail", "at"])
    return row
