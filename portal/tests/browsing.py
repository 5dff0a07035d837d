"""Helpers that open a ticket's page and read it."""

import re
from html import unescape
from typing import Any

from django.test import Client

from tickets.models import Ticket


def url(ticket: Ticket, rest: str = "") -> str:
    return f"/tickets/{ticket.folio}/{rest}"


def html(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return unescape(response.content.decode())


def snapshot(ticket: Ticket) -> tuple[Any, ...]:
    ticket.refresh_from_db()
    return ticket.version, ticket.public_version, ticket.stage, ticket.messages.count(), ticket.events.count()


def buttons(page: str) -> list[str]:
    return re.findall(r'action="/(?:tickets|invitado)/[^/]+/acciones/([^/]+)/"', page)


def stamp(page: str, action: str) -> dict[str, str]:
    return {
        f"{action}-{name}": re.search(rf'name="{action}-{name}" value="([^"]*)"', page)[1]
        for name in ("version", "key")
    }
