"""One action being carried out: what guards look at and effects work on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..actors import Actor
from ..definitions.definition import Action, Definition
from ..models import Message, Ticket


@dataclass
class Step:
    """The ticket is locked and already holds the answers in `data`; saving it is the workflow's business."""

    ticket: Ticket
    definition: Definition
    action: Action
    actor: Actor
    data: dict[str, Any]
    now: datetime
    message: Message | None = None
    notify: list[tuple[str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What the event will say beyond the stages; keys and plain values."""
