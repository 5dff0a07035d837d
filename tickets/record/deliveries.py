"""Record the state of each mail on its ticket.

The app that sends mail calls these functions, so that pages can show the state without importing that app.
"""

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
"""Sent by `retry` with `delivery=`, inside its transaction: the app that sends mail must send this one again."""

DETAIL_LENGTH = 300


def announce(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Save a row for each mail to be sent or withheld, and return the rows. Call it in the event's transaction."""
    return Delivery.objects.bulk_create(deliveries)


def report(
    delivery_id: int, state: DeliveryState, *, problem: DeliveryProblem | str = "", detail: str = ""
) -> None:
    """Set the state of one delivery. `detail` is the answer of the receiving mail server, shown to staff as it is; it
    is cut to `DETAIL_LENGTH` characters."""
    Delivery.objects.filter(pk=delivery_id).update(
        state=state, problem=problem, detail=detail[:DETAIL_LENGTH], at=timezone.now()
    )


def report_all(delivery_ids: Sequence[int], state: DeliveryState) -> None:
    """Set the state of these deliveries, which have no problem, with one query."""
    if delivery_ids:
        Delivery.objects.filter(pk__in=delivery_ids).update(
            state=state, problem="", detail="", at=timezone.now()
        )


def any_waiting(ticket: Ticket) -> bool:
    """Whether a mail about the ticket is waiting to be sent."""
    return Delivery.objects.filter(event__ticket=ticket, state=DeliveryState.WAITING).exists()


@transaction.atomic
def retry(delivery: Delivery, *, actor: Actor) -> Delivery:
    """Have a failed or uncertain mail sent again. Returns the delivery, now waiting.

    Records no event, because the ticket does not change. Raises `NotAllowed` if `actor` is no supervisor, and
    `GuardFailed` for a delivery in any other state.
    """
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
