"""The lines of a conversation with the assistant, as components/_chat_lines.html draws them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tickets.enums import Channel
from tickets.models import Chat, Ticket


def shown_lines(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return stored lines: each with `mine`, `text`, `at` and the `articles` that it names."""
    return [
        {
            "mine": line.get("mine", False),
            "text": line.get("text", ""),
            "at": datetime.fromisoformat(line["at"]),
            "articles": [{"title": title, "href": href} for title, href in line.get("articles", [])],
        }
        for line in lines
    ]


def chat_of(ticket: Ticket) -> list[dict[str, Any]]:
    """Return the lines of the conversation in which the ticket was filed. Takes one query, and none for a ticket that
    came another way."""
    if ticket.channel != Channel.CHAT:
        return []
    chat = Chat.objects.filter(ticket=ticket).only("lines").first()
    return shown_lines(chat.lines) if chat else []
