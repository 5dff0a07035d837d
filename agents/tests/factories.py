"""What the back office's tests share: people at the door, and what a page says."""

import re
from typing import Any

from django.test import Client

from accounts.models import User
from tickets.models import Ticket


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """The page as one line, so that a sentence is found wherever the template broke it."""
    return re.sub(r"\s+", " ", response.content.decode())


def snapshot(ticket: Ticket) -> list[tuple[Any, ...]]:
    """Everything of a ticket that a page could have changed."""
    return [
        *Ticket.objects.filter(pk=ticket.pk).values_list(),
        *ticket.events.values_list(),
        *ticket.messages.values_list(),
    ]
