"""Signal receivers of the back office."""

from typing import Any

from django.contrib import messages
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import ngettext

from accounts.models import User
from accounts.signals import left_desk
from tickets.lists import queues
from tickets.models import Ticket

from .templatetags.desk import bounded


@receiver(left_desk)
def offer_to_hand_over(sender: Any, request: HttpRequest, person: User, **kwargs: Any) -> None:
    """Tell the administrator how many open tickets nobody has now, with a link to give them to somebody."""
    left = queues.count(Ticket.objects.open().assigned_to(person).order_by())
    if not left:
        return
    text = ngettext(
        "%(name)s tiene %(n)s ticket abierto, que ahora cuenta como sin asignar.",
        "%(name)s tiene %(n)s tickets abiertos, que ahora cuentan como sin asignar.",
        left,
    ) % {"name": person, "n": bounded(left)}
    link = format_html(
        '{} <a href="{}">{}</a>',
        text,
        reverse("agents:hand_over", args=[person.pk]),
        ngettext("Entregarlo a otra persona", "Entregarlos a otra persona", left),
    )
    messages.warning(request, link)
