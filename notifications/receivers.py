"""Where the domain's news become mail and work for the workers. All run inside the transaction that made the news."""

from typing import Any

from django.dispatch import receiver

from tickets.attachments import picture_kept
from tickets.models import Delivery, TicketEvent
from tickets.record.deliveries import retry_asked
from tickets.record.events import event_recorded

from . import outbox
from .models import OutgoingEmail
from .nudge import nudge_on_commit


@receiver(event_recorded, dispatch_uid="notifications.tell_people")
def tell_people(event: TicketEvent, **kwargs: Any) -> None:
    outbox.enqueue_event(event)


@receiver(retry_asked, dispatch_uid="notifications.send_again")
def send_again(delivery: Delivery, **kwargs: Any) -> None:
    outbox.requeue(OutgoingEmail.objects.filter(delivery=delivery))


@receiver(picture_kept, dispatch_uid="notifications.draw_thumbnail")
def draw_thumbnail(**kwargs: Any) -> None:
    nudge_on_commit("draw_thumbnails")
