"""The `Step` that guards and effects get: one action while it is carried out."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..actors import Actor
from ..definitions.definition import Action, Definition
from ..models import Message, Ticket


@dataclass
class Step:
    """One action being carried out on a locked ticket, whose answers in `data` have been applied.

    Guards read the step and effects change it. They do not save the ticket: `perform` does, with the event.
    """

    ticket: Ticket
    definition: Definition
    action: Action
    actor: Actor
    data: dict[str, Any]
    now: datetime
    message: Message | None = None
    notify: list[tuple[str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """Plain values that go into the event's `data`, beside the stages and the changes."""
