"""Signal receivers that put mail for ticket events into the outbox, in the transaction that recorded the event."""

from typing import Any

from django.dispatch import receiver

from knowledge.models import ReviewRequest
from knowledge.reviews import review_answered, review_asked
from tickets.actors import Actor
from tickets.models import Delivery, DeskAddress, IncomingEmail, Ticket, TicketEvent
from tickets.record.deliveries import retry_asked
from tickets.record.events import event_recorded
from tickets.workflow.mails import mail_let_in
from tickets.workflow.retention import mails_expired

from .models import OutgoingEmail
from .outgoing import outbox, reviews


@receiver(event_recorded, dispatch_uid="notifications.tell_people")
def tell_people(event: TicketEvent, **kwargs: Any) -> None:
    outbox.enqueue_event(event)


@receiver(retry_asked, dispatch_uid="notifications.send_again")
def send_again(delivery: Delivery, **kwargs: Any) -> None:
    outbox.requeue(OutgoingEmail.objects.filter(delivery=delivery))


@receiver(mails_expired, dispatch_uid="notifications.forget_mails")
def forget_mails(ticket: Ticket, **kwargs: Any) -> None:
    OutgoingEmail.objects.settled().filter(ticket=ticket).delete()


@receiver(mail_let_in, dispatch_uid="notifications.let_mail_in")
def let_mail_in(
    mail: IncomingEmail,
    actor: Actor | None,
    ticket: Ticket | None,
    address: DeskAddress | None,
    **kwargs: Any,
) -> None:
    from .incoming import releasing  # reading mails takes libraries that web processes need for this alone

    releasing.release(mail, actor=actor, ticket=ticket, address=address)


@receiver(review_asked, dispatch_uid="notifications.tell_reviewer")
def tell_reviewer(request: ReviewRequest, **kwargs: Any) -> None:
    reviews.tell_reviewer(request)


@receiver(review_answered, dispatch_uid="notifications.tell_who_asked")
def tell_who_asked(request: ReviewRequest, **kwargs: Any) -> None:
    reviews.tell_who_asked(request)
