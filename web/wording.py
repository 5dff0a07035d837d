"""Format names, amounts and durations for people, in the active language. Dates are in `content.dates`.

Templates use these functions as filters (`{% load ui %}`).
"""

import re
import zlib
from datetime import timedelta
from math import ceil
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from content.dates import spanish_is_active
from content.text import normalize
from tickets.calendars import Target
from tickets.enums import TargetUnit
from tickets.facts.experience import Experience
from tickets.sla import ClockStatus

NBSP = "\N{NO-BREAK SPACE}"
MINUTE = timedelta(minutes=1)


def initials(name: str) -> str:
    """Return up to two capitals: «Lucía Fernández» → LF, «Garaje El Roble» → GR; «?» if there is no letter. An email
    address counts only up to its @, and what stands in brackets not at all."""
    words = re.findall(r"[^\W_]+", re.split(r"@|\s\(", str(name or ""))[0])
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return normalize("NFC", "".join(letters)).upper() or "?"


def avatar_color(key: Any) -> int:
    """Return a number from 1 to 6, always the same for the same `key`."""
    return zlib.crc32(str(key or "").strip().lower().encode()) % 6 + 1


# --- Quantities -------------------------------------------------------------------------------------------


def duration(value: timedelta | float | None) -> str:
    """Format seconds or a timedelta as «22 min», «2 h 05 min» or «1 d 2 h», without the sign. None gives ""."""
    if value is None:
        return ""
    seconds = abs(value.total_seconds() if isinstance(value, timedelta) else float(value))
    minutes = int(seconds // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}{NBSP}d {hours}{NBSP}h" if hours and days < 10 else f"{days}{NBSP}d"
    if hours:
        return f"{hours}{NBSP}h {minutes:02d}{NBSP}min" if minutes else f"{hours}{NBSP}h"
    return f"{minutes}{NBSP}min" if minutes else f"<{NBSP}1{NBSP}min"


def until_due(status: ClockStatus) -> str:
    """Format `status.left`: what is left in minutes rounded up, a delay rounded down. So it makes the target together
    with the time used, which is rounded down."""
    left = status.left
    if status.state in ("ok", "risk", "paused"):
        left = -(-left // MINUTE) * MINUTE
    return duration(left)


def brief_duration(value: timedelta | float | None) -> str:
    """Return only the first unit of `duration`, for narrow columns: «22 min», «2 h», «8 d»."""
    return duration(value).partition(" ")[0]


def duration_in_words(value: timedelta | None, *, short: bool = False) -> str:
    """Format a round duration, such as a target, in words: «1 hora», «4 horas», «5 días».

    Uses the largest unit that divides the duration without remainder. `short` shortens hours and minutes («4 h»,
    «30 min») but not days. None gives "".
    """
    if value is None:
        return ""
    minutes = max(1, round(value.total_seconds() / 60))
    if minutes % (24 * 60) == 0:
        days = minutes // (24 * 60)
        return ngettext("%(n)d día", "%(n)d días", days) % {"n": days}
    if minutes % 60 == 0:
        hours = minutes // 60
        return f"{hours} h" if short else ngettext("%(n)d hora", "%(n)d horas", hours) % {"n": hours}
    return f"{minutes} min" if short else ngettext("%(n)d minuto", "%(n)d minutos", minutes) % {"n": minutes}


def hours_and_minutes(value: timedelta) -> str:
    """Format an amount of working time, which knows no days: «12 h 10 min», «4 h», «35 min»."""
    hours, minutes = divmod(int(value.total_seconds() // 60), 60)
    parts = [f"{hours}{NBSP}h"] if hours else []
    return " ".join([*parts, f"{minutes}{NBSP}min"] if minutes or not hours else parts)


def days_and_minutes(value: timedelta) -> str:
    """Format an amount of time that passes day and night, under a target in days: «8 d 20 h», «3 h 5 min»."""
    days, rest = divmod(value, timedelta(days=1))
    if not days:
        return hours_and_minutes(rest)
    return f"{days}{NBSP}d {hours_and_minutes(rest)}" if rest >= MINUTE else f"{days}{NBSP}d"


def usual_time(experience: Experience | None) -> str:
    """Say how long comparable tickets took: «Casi siempre en 1 a 2 días». None gives ""."""
    if experience is None:
        return ""
    unit = 3600 if experience.high < 24 * 3600 else 24 * 3600
    low, high = (max(1, ceil(seconds / unit)) for seconds in (experience.low, experience.high))
    if unit == 3600:
        if low == high:
            return ngettext("Casi siempre en %(n)d hora", "Casi siempre en %(n)d horas", high) % {"n": high}
        return _("Casi siempre en %(low)d a %(high)d horas") % {"low": low, "high": high}
    if low == high:
        return ngettext("Casi siempre en %(n)d día", "Casi siempre en %(n)d días", high) % {"n": high}
    return _("Casi siempre en %(low)d a %(high)d días") % {"low": low, "high": high}


def target_in_words(target: Target | None, *, short: bool = False) -> str:
    """Format a promised time with the way it is counted: «4 horas», «8 horas hábiles», «5 días hábiles». None gives
    ""."""
    if target is None:
        return ""
    amount = target.amount
    days, hours, minutes = amount.days, int(amount.total_seconds() // 3600), int(amount.total_seconds() // 60)
    is_odd = minutes > 120 and minutes % 60 != 0  # as when a person agreed on a date
    match target.unit:
        case TargetUnit.WORKING if is_odd:
            return _("%(amount)s hábiles") % {"amount": hours_and_minutes(amount)}
        case TargetUnit.ELAPSED if is_odd:
            return hours_and_minutes(amount)
        case TargetUnit.WORKING if minutes % 60:
            return ngettext("%(n)d minuto hábil", "%(n)d minutos hábiles", minutes) % {"n": minutes}
        case TargetUnit.WORKING:
            return ngettext("%(n)d hora hábil", "%(n)d horas hábiles", hours) % {"n": hours}
        case TargetUnit.WORKING_DAYS:
            return ngettext("%(n)d día hábil", "%(n)d días hábiles", days) % {"n": days}
        case TargetUnit.CALENDAR_DAYS | TargetUnit.ROLLED_DAYS:
            return ngettext("%(n)d día calendario", "%(n)d días calendario", days) % {"n": days}
    return duration_in_words(amount, short=short)


def percent(value: float | None) -> str:
    """Format a percentage: «80 %» in Spanish, «80%» in English. None counts as 0."""
    return f"{number_format(value or 0)}{NBSP if spanish_is_active() else ''}%"
