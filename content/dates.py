"""Format days and moments for people, in the active language and time zone.

A page writes all moments in one way:

- The home page with its unfinished reports, the search and the demo's mailbox say how long ago (`ago`, «hace 12 min»,
  «hace 4 d»), because people look there for what is new.
- Every other page says the date (`short_date`, «hoy, 10:36»), because people compare and quote it. What has no time of
  day is a day (`short_day`, «ayer»).
- What is quoted elsewhere or read later, such as the answer to a question that asks for a date, says the whole day
  (`whole_day`, «18 nov 2026»), as «hoy» would be wrong tomorrow. Mails have their own words, in `notifications`.

`long_date` is for titles and screen readers. No page writes dates with digits alone («26/11/2026»).
"""

from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import get_language, gettext, pgettext


def spanish_is_active() -> bool:
    return (get_language() or "es").startswith("es")


def in_case(text: str) -> str:
    """Write weekdays and months as the active language does: small in Spanish, with capitals in English."""
    return text.lower() if spanish_is_active() else text.title()


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def short_day(value: datetime | date | None) -> str:
    """Format a day: «hoy», «ayer», «mañana», «mié 18 nov», or «18 nov 2025» in another year. None gives ""."""
    if value is None:
        return ""
    day = _local(value).date() if isinstance(value, datetime) else value
    return _day(day, timezone.localdate(), get_language())


@lru_cache(maxsize=2000)
def _day(day: date, today: date, language: str | None) -> str:
    """Format a day in the active `language`. A list shows the same few days again and again."""
    if day == today:
        return gettext("hoy")
    if day == today - timedelta(days=1):
        return gettext("ayer")
    if day == today + timedelta(days=1):
        return gettext("mañana")
    return dated_day(day)


def dated_day(value: date) -> str:
    """Format a day for what is read later, never «ayer»: «mié 18 nov», or «18 nov 2025» in another year than this."""
    is_of_this_year = value.year == timezone.localdate().year
    return in_case(format_date(value, "D j b")) if is_of_this_year else whole_day(value)


def whole_day(value: date) -> str:
    """Format a day with its year: «18 nov 2026»."""
    return in_case(format_date(value, "j b Y"))


def short_date(value: datetime | None) -> str:
    """Format day and time: «mié 18 nov, 8:30», «hoy, 10:36». None gives ""."""
    if value is None:
        return ""
    local = _local(value)
    return f"{short_day(local.date())}, {local.hour}:{local.minute:02}"


def long_date(value: datetime | None) -> str:
    """Format the whole date: «miércoles 18 de noviembre de 2026, 8:30», for screen readers and titles."""
    if value is None:
        return ""
    local = _local(value)
    if spanish_is_active():
        return format_date(local, r"l j \d\e F \d\e Y, G:i").lower()
    return format_date(local, "l j F Y, G:i")


def age_words() -> dict[str, str]:
    """Return what an age says in each of its units, with `%(n)s` for the number."""
    return {
        "minutes": gettext("hace %(n)s min"),
        "hours": gettext("hace %(n)s h"),
        "days": gettext("hace %(n)s d"),
    }


def ago(value: datetime | None) -> str:
    """Format how long ago: «hace 12 min», «hace 3 h», «hace 4 d»; the date if it is still to come.
    js/behaviours/relative-time.js keeps the same words true in an open page."""
    if value is None:
        return ""
    seconds = int((timezone.now() - value).total_seconds() // 1)
    if seconds < 0:
        return short_date(value)
    if seconds < 60:
        return pgettext("time", "ahora")
    unit, size = (
        ("minutes", 60) if seconds < 3600 else ("hours", 3600) if seconds < 24 * 3600 else ("days", 24 * 3600)
    )
    return age_words()[unit] % {"n": seconds // size}
