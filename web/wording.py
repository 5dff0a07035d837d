"""Format names, amounts, durations and dates for people, in the active language and time zone.

Templates use these functions as filters (`{% load ui %}`).
"""

import re
import zlib
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext, ngettext, pgettext

from content.text import normalize

NBSP = "\N{NO-BREAK SPACE}"


def initials(name: str) -> str:
    """Return up to two capitals: «Lucía Fernández» → LF, «Garaje El Roble» → GR; «?» if there is no letter. An email
    address counts only up to its @."""
    words = re.findall(r"[^\W_]+", str(name or "").split("@")[0])
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
    minutes = round(value.total_seconds() / 60)
    if minutes % (24 * 60) == 0:
        days = minutes // (24 * 60)
        return ngettext("%(n)d día", "%(n)d días", days) % {"n": days}
    if minutes % 60 == 0:
        hours = minutes // 60
        return f"{hours} h" if short else ngettext("%(n)d hora", "%(n)d horas", hours) % {"n": hours}
    return f"{minutes} min" if short else ngettext("%(n)d minuto", "%(n)d minutos", minutes) % {"n": minutes}


def percent(value: float | None) -> str:
    """Format a percentage: «80 %» in Spanish, «80%» in English. None counts as 0."""
    return f"{number_format(value or 0)}{NBSP if _spanish() else ''}%"


# --- Dates ------------------------------------------------------------------------------------------------


def _spanish() -> bool:
    return (get_language() or "es").startswith("es")


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def short_day(value: datetime | date | None) -> str:
    """Format a day: «hoy», «ayer», «mañana», «mié 18 nov», or «18 nov 2025» in another year. None gives ""."""
    if value is None:
        return ""
    day = _local(value).date() if isinstance(value, datetime) else value
    today = timezone.localdate()
    if day == today:
        return gettext("hoy")
    if day == today - timedelta(days=1):
        return gettext("ayer")
    if day == today + timedelta(days=1):
        return gettext("mañana")
    text = format_date(day, "D j b" if day.year == today.year else "j b Y")
    return text.lower() if _spanish() else text.title()


def short_date(value: datetime | None) -> str:
    """Format day and time: «mié 18 nov, 8:30», «hoy, 10:36». None gives ""."""
    if value is None:
        return ""
    return f"{short_day(value)}, {format_date(_local(value), 'G:i')}"


def long_date(value: datetime | None) -> str:
    """Format the whole date: «miércoles 18 de noviembre de 2026, 8:30», for screen readers and titles."""
    if value is None:
        return ""
    local = _local(value)
    if _spanish():
        return format_date(local, r"l j \d\e F \d\e Y, G:i").lower()
    return format_date(local, "l j F Y, G:i")


def ago(value: datetime | None) -> str:
    """Format how long ago: «hace 12 min», «hace 3 h», and after a day the date. js/behaviours/relative-time.js updates
    the same words in an open page."""
    if value is None:
        return ""
    seconds = (timezone.now() - value).total_seconds()
    if not 0 <= seconds < 24 * 3600:
        return short_date(value)
    if seconds < 60:
        return pgettext("time", "ahora")
    if seconds < 3600:
        return gettext("hace %(minutes)d min") % {"minutes": seconds // 60}
    return gettext("hace %(hours)d h") % {"hours": seconds // 3600}
