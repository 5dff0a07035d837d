"""The types of a story: who filed what and when, and the steps that followed."""

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
    """One thing that happens to the ticket: `after` is the time since the previous step, `by` who acts."""

    after: str
    by: str
    do: Callable[[Any, Any], object]
    """Called with the `Scene` and the actor."""
    files: tuple[str, ...] = ()
    """Names of the files that it uploads."""


@dataclass(frozen=True)
class Story:
    """One ticket and its steps. `by` is a customer's key, or the email address of a guest. `filed` is how long ago the
    ticket was filed: «3h», or «9d 10:20» (nine days ago at 10:20)."""

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
    name: str = ""  # of a guest
    channel: Channel = Channel.WEB
    taken_by: str = ""  # staff who filed it for the customer


def span(words: str) -> timedelta:
    """Parse a duration such as «1d 2h 30m». Raises ValueError."""
    parts = re.findall(r"(\d+)([dhm])\b", words)
    if not parts:
        raise ValueError(f"no length of time: {words!r}")
    return timedelta(**{UNITS[unit]: int(number) for number, unit in parts})
