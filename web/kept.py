"""Parts of pages that take long to make, kept for some seconds for who asks again (docs/decisions/0042)."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import cache, caches
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from tickets.lists.figures import KEPT_SECONDS

T = TypeVar("T")


def kept(name: str, seen_as: tuple[Any, ...], make: Callable[[], T], *, until_changed: str = "") -> T:
    """Return what `make` returned within the last `KEPT_SECONDS` for the same `seen_as`, language and time zone, or
    else what it returns now. What it raises is not kept.

    `until_changed` names what the part shows: after `mark_change` of that name it is made anew at once.
    """
    asked = (seen_as, get_language(), timezone.get_current_timezone_name())
    key = f"{name}:{hashlib.sha256(repr(asked).encode()).hexdigest()}"
    pages, mark = caches["pages"], cache.get(_mark_key(until_changed)) if until_changed else None
    part = pages.get(key)
    if part is not None and part[0] == mark:
        return part[1]
    made = make()
    pages.set(key, (mark, made), KEPT_SECONDS)
    return made


def mark_change(of: str) -> None:
    """Let the parts that show it count no longer, once the transaction is committed."""
    transaction.on_commit(lambda: cache.set(_mark_key(of), uuid4().hex, 2 * KEPT_SECONDS))


def _mark_key(of: str) -> str:
    return f"changed:{of}"
