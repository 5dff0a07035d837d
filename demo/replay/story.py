"""What a story is: who filed what and when, and what happened then. Each step says how long after the one before."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tickets.enums import Channel

REQUESTER = "requester"
UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True)
class Step:
    after: str
    by: str
    do: Callable[[Any, Any], object]
    """Called with the `Scene` and the actor."""


@dataclass(frozen=True)
class Story:
    """`by` is a customer's key, or the address of a guest. `filed` is how long ago: «3h», «9d 10:20» (nine days
    ago at twenty past ten)."""

    process: str
    category: str
    by: str
    filed: str
    title: str
    text: str
    steps: tuple[Step, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    phone: str = ""
    name: str = ""  # a guest's
    channel: Channel = Channel.WEB
    taken_by: str = ""  # staff who filed it for the customer


def span(words: str) -> timedelta:
    """«1d 2h 30m» as a length of time."""
    parts = re.findall(r"(\d+)([dhm])\b", words)
    if not parts:
        raise ValueError(f"no length of time: {words!r}")
    return timedelta(**{UNITS[unit]: int(number) for number, unit in parts})
