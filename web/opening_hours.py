"""Opening hours and closures in words, in the reader's language and time zone."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from content.dates import in_case, short_day
from tickets.calendars import CalendarRules
from tickets.calendars.rules import Closure, OwnDay
from tickets.schedules.openness import ClosureAhead, Opening

from .zone_choices import place_of


def hours_of(rules: CalendarRules, day: date) -> tuple[list[str], timedelta, str]:
    """Return the opening hours of a day as «8:00–12:30», their sum, and the name of what closes the day, in the
    reader's language."""
    zone = ZoneInfo(rules.zone)
    start = datetime.combine(day, datetime.min.time(), zone)
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)
    if rules.always:
        return [_("24 horas")], timedelta(days=1), ""
    parts = list(rules.working_hours().parts(start, end))
    hours, total = [], timedelta()
    for part in parts:
        if part.is_open:
            begin, until = part.start.astimezone(zone), part.end.astimezone(zone)
            shown = "24:00" if until.date() > day else f"{until:%-H:%M}"
            hours.append(f"{begin:%-H:%M}–{shown}")
            total += part.end - part.start
    reason = "" if hours else next((part.reason for part in parts if part.reason), "")
    if get_language() == "en":
        reason = _in_english(rules).get(reason, reason)
    return hours, total, reason


def _in_english(rules: CalendarRules) -> dict[str, str]:
    """Return the English names of the calendar's holidays and closures that have one."""
    named: tuple[OwnDay | Closure, ...] = (*rules.days, *rules.closures)
    return {own.name: own.name_en for own in named if own.name_en}


@dataclass(frozen=True)
class ClosureNotice:
    """What customers read about the closures of a day: a sentence, and what follows from it."""

    title: str
    text: str


def closure_notices(
    closures: Iterable[ClosureAhead], *, now: datetime, counted: Collection[Closure] = ()
) -> list[ClosureNotice]:
    """Return a notice for each day on which closures begin, those in force counting as today's, in the desk's time.

    «Hoy cerramos a las 15:00: corte de luz.», then when the desk opens again, and what else closes it on that day.
    `counted` are the closures that the dates of the reader's open tickets count, which is said.
    """
    days: dict[tuple[tzinfo | None, date], list[ClosureAhead]] = {}
    for ahead in closures:
        day = max(ahead.start, now.astimezone(ahead.start.tzinfo)).date()
        days.setdefault((ahead.start.tzinfo, day), []).append(ahead)
    notices = []
    for of_day in days.values():
        is_counted = any(ahead.closure in counted for ahead in of_day)
        known = [_("Las fechas de tus tickets ya lo tienen en cuenta.")] if is_counted else []
        told = [sentence for own in _joined(of_day) for sentence in _told(*own, now=now)]
        notices.append(ClosureNotice(told[0], " ".join([*filter(None, told[1:]), *known])))
    return notices


def _joined(closures: list[ClosureAhead]) -> Iterator[tuple[ClosureAhead, str]]:
    """Yield the first of the closures after which the desk opens at the same moment, and the names of all of them."""
    names: dict[datetime, tuple[ClosureAhead, dict[str, None]]] = {}
    for ahead in closures:
        closure = ahead.closure
        name = closure.name_en if closure.name_en and get_language() == "en" else closure.name
        names.setdefault(ahead.reopens, (ahead, {}))[1][name[:1].lower() + name[1:]] = None
    for first, own in names.values():
        yield first, ", ".join(own)


def _told(ahead: ClosureAhead, name: str, *, now: datetime) -> tuple[str, str]:
    """Return when the desk closes and why, and when it opens again; the second is empty where the first says it."""
    zone = ahead.start.tzinfo
    there = in_zone(zone.key, now) if isinstance(zone, ZoneInfo) else ""
    reader = timezone.get_current_timezone()
    with timezone.override(zone):
        reopens = timezone.localtime(ahead.reopens)
        is_same_day = reopens.date() == ahead.start.date()
        values = {
            "day": first_capital(_day(ahead.start.date(), now=now, reader=reader)),
            "time": date_format(reopens if not ahead.is_open_before and is_same_day else ahead.start, "G:i"),
            "name": name,
            "zone": there,
        }
        when = f"{_day(reopens.date(), now=now, reader=reader)}, {date_format(reopens, 'G:i')}"
    back = _("Volvemos %(when)s.") % {"when": when}
    if ahead.start <= now:
        return _("Ahora estamos cerrados: %(name)s.") % values, back
    if ahead.is_open_before:
        return _("%(day)s cerramos a las %(time)s%(zone)s: %(name)s.") % values, back
    if is_same_day:
        return _("%(day)s abrimos a las %(time)s%(zone)s: %(name)s.") % values, ""
    return _("%(day)s no abrimos: %(name)s.") % values, back


def _day(day: date, *, now: datetime, reader: tzinfo) -> str:
    """Return «hoy» or «mañana» of the active zone, which is the desk's; and the date if it is another day now where the
    reader is."""
    is_other_day = timezone.localtime(now).date() != now.astimezone(reader).date()
    return in_case(date_format(day, "D j b")) if is_other_day else short_day(day)


def first_capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def in_zone(zone: str, now: datetime) -> str:
    """Return « (hora de Bogotá)» if the reader's clock shows another time than one in that zone; else ""."""
    if now.astimezone(ZoneInfo(zone)).utcoffset() == timezone.localtime(now).utcoffset():
        return ""
    return f" ({_('hora de %(place)s') % {'place': place_of(zone)}})"


def until_in_words(opening: Opening, zone: str, *, now: datetime) -> str:
    """Return «hasta hoy, 17:00», «abre lun 23 nov, 8:00» or «24 horas, todos los días», in that zone's time."""
    if opening.until is None:
        return _("24 horas, todos los días")
    reader = timezone.get_current_timezone()
    with timezone.override(ZoneInfo(zone)):
        until = timezone.localtime(opening.until)
        words = {"when": f"{_day(until.date(), now=now, reader=reader)}, {date_format(until, 'G:i')}"}
    return _("hasta %(when)s") % words if opening.is_open else _("abre %(when)s") % words


def week_table(rules: CalendarRules, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield today and the six days after it, as components/_hours.html draws them."""
    today = now.astimezone(ZoneInfo(rules.zone)).date()
    is_other_day = today != timezone.localtime(now).date()
    for number in range(7):
        day = today + timedelta(days=number)
        hours, _total, reason = hours_of(rules, day)
        closed = f"{_('Cerrado')} · {reason}" if reason else _("Cerrado")
        name = in_case(date_format(day, "l"))
        yield {
            "days": first_capital(name) if number or is_other_day else _("Hoy, %(day)s") % {"day": name},
            "hours": ", ".join(hours) or closed,
            "today": not number and not is_other_day,
        }
