"""Helpers of the back office's tests: signing in, the text of a page, the rows of a ticket, and a picture to upload."""

import io
import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import User
from tickets.models import Ticket


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """Return the page as one line, so that a sentence is found wherever the template breaks it."""
    return re.sub(r"\s+", " ", response.content.decode())


def snapshot(ticket: Ticket) -> list[tuple[Any, ...]]:
    """Return the rows of the ticket, its events and its messages, to compare before and after."""
    return [
        *Ticket.objects.filter(pk=ticket.pk).values_list(),
        *ticket.events.values_list(),
        *ticket.messages.values_list(),
    ]


def picture(name: str = "captura.png") -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    return SimpleUploadedFile(name, content.getvalue(), content_type="image/png")
