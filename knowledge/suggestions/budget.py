"""Keep what a language model costs below a daily cap, whatever the number of processes (decision 49)."""

from datetime import date

from django.db.models import F
from django.utils import timezone

from ..models import ModelUse


def reserve(tokens: int, *, cap: int) -> date | None:
    """Count `tokens` before they are used. Returns the day they were counted on; None if the day's cap does not allow
    them."""
    day = timezone.now().date()
    ModelUse.objects.get_or_create(day=day)
    allowed = ModelUse.objects.filter(day=day, tokens__lte=cap - tokens)
    counted = allowed.update(tokens=F("tokens") + tokens, calls=F("calls") + 1)
    return day if counted else None


def settle(day: date, *, reserved: int, used: int | None) -> None:
    """Replace what was reserved by what was used, if that is known. A model that tells nonsense is not believed: at
    least a quarter of the estimate counts, and at most four times as much."""
    if used is None:
        return
    change = min(max(used, reserved // 4), 4 * reserved) - reserved
    ModelUse.objects.filter(day=day).update(tokens=F("tokens") + change)


def record_failure(day: date) -> None:
    """Count a call that failed. What was reserved for it stays counted: it may have cost."""
    ModelUse.objects.filter(day=day).update(failures=F("failures") + 1)
