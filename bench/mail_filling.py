"""`python -m bench.mail_filling N`: migrate the database of the settings and put N mails into its outbox.

The first mails come from tickets that the product's own verb files, for customers with an account and guests, in both
languages. The others repeat them, each about an event of its own.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from notifications.models import OutgoingEmail

TICKETS = 150
AT_ONCE = 500
CUSTOMERS = 2000  # as `bench.people.customers` counts: tickets
STORY = "Me sale «Error 500» al entrar.\n\nDesde ayer **no** funciona:\n\n- en la oficina\n- en casa"


def fill(count: int) -> None:
    """Empty the outbox and put `count` mails into it."""
    from django.db.models import F

    from notifications.models import MailBatch, OutgoingEmail

    OutgoingEmail.objects.all().delete()
    MailBatch.objects.all().delete()
    _file_tickets(count)
    too_many = OutgoingEmail.objects.order_by("pk").values_list("pk", flat=True)[count:]
    OutgoingEmail.objects.filter(pk__in=list(too_many)).delete()
    first = list(OutgoingEmail.objects.select_related("event", "delivery").order_by("pk"))
    for start in range(len(first), count, AT_ONCE):
        wanted = min(AT_ONCE, count - start)
        _repeat([first[(start + number) % len(first)] for number in range(wanted)], version=100_000 + start)
    OutgoingEmail.objects.update(next_attempt_at=F("created_at"))  # none is held back


def _file_tickets(mails: int) -> None:
    from accounts.models import User
    from bench.people import customers, departments, staff
    from notifications.models import OutgoingEmail
    from tickets.definitions.loading import library
    from tickets.workflow.intake import Requester, file_ticket
    from tickets.workflow.publishing import publish

    processes = {key: publish(source).process for key, source in library().items()}
    staff(departments())
    people = customers(CUSTOMERS)
    User.objects.filter(pk__in=[person.pk for person in people[::2]]).update(language="en")
    for number in range(TICKETS):
        is_guest = number % 3 == 0
        process = processes["incidencia-tecnica" if is_guest else "soporte-con-aprobacion"]
        categories = list(process.categories.all())
        guest = Requester(
            email=f"invitada{number}@bench.test", name="Ana Invitada", language="en" if number % 2 else "es"
        )
        file_ticket(
            process,
            actor=None if is_guest else people[number % len(people)],
            category=categories[number % len(categories)],
            requester=guest if is_guest else None,
            title=f"No puedo entrar a la plataforma {number}",
            description=STORY,
        )
        if OutgoingEmail.objects.count() >= mails:
            break


def _repeat(mails: "Sequence[OutgoingEmail]", *, version: int) -> None:
    from notifications.enums import Audience
    from notifications.models import OutgoingEmail
    from notifications.outgoing import outbox
    from tickets.models import Delivery, TicketEvent

    events = [
        TicketEvent(
            ticket_id=told.ticket_id,
            kind=told.kind,
            actor_id=told.actor_id,
            actor_name=told.actor_name,
            is_public=told.is_public,
            notify=told.notify,
            version=version + number,
        )
        for number, told in enumerate(mail.event for mail in mails if mail.event)
    ]
    TicketEvent.objects.bulk_create(events)
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            event=event,
            template=mail.template,
            to_requester=mail.audience == Audience.REQUESTER,
            email=mail.recipient,
        )
        for event, mail in zip(events, mails, strict=True)
    )
    OutgoingEmail.objects.bulk_create(
        OutgoingEmail(
            event=event,
            ticket_id=mail.ticket_id,
            delivery=delivery,
            template=mail.template,
            audience=mail.audience,
            recipient=mail.recipient,
            user_id=mail.user_id,
            language=mail.language,
            message_id=outbox.message_id(event, mail.recipient, mail.template),
        )
        for event, mail, delivery in zip(events, mails, deliveries, strict=True)
    )


if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    fill(int(sys.argv[1]))
