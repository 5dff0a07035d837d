"""A calendar as people describe it and as it is stored: plain data, read with an error for each mistake."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from content.errors import InvalidData

from ..enums import TargetUnit
from .base import ELAPSED, Calendar
from .days import CountedDays, DayCount
from .hours import Hours, WorkingHours, hours_between
from .zones import UnknownZone, zone_named

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEARS = range(1970, 2201)
"""In which own days and closures may lie: what computers and their time zones know, and no typing error."""
MAX_ROWS = 2000
"""How many own days or closures a calendar may have: a century of holidays, and no more than can be read at once."""


@dataclass(frozen=True)
class OwnDay:
    """A day with other hours than its weekday. Without hours it is a holiday. `source` is the country or region whose
    holiday it is, such as CO or ES-CT; empty for a day that the desk set itself."""

    day: date
    name: str
    hours: Hours = ()
    name_en: str = ""
    source: str = ""


@dataclass(frozen=True)
class Closure:
    """The desk is closed from `start` until `end`, as the clock on its wall shows them."""

    start: datetime
    end: datetime
    name: str
    name_en: str = ""


@dataclass(frozen=True)
class CalendarRules:
    """Describes a calendar: its zone, the hours of Monday to Sunday, own days and closures. With `always` every second
    counts and there are no hours."""

    zone: str
    week: tuple[Hours, ...] = ((),) * 7
    days: tuple[OwnDay, ...] = ()
    closures: tuple[Closure, ...] = ()
    always: bool = False

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "CalendarRules":
        """Return the rules that `as_json` wrote or a person typed. Raises InvalidData with the path of each mistake,
        also for a calendar in which no time ever counts."""
        return _Reading(data).rules()

    def counting(self, unit: str) -> Calendar:
        """Return the calendar for targets in this `TargetUnit`."""
        if unit == TargetUnit.ELAPSED or (unit == TargetUnit.WORKING and self.always):
            return ELAPSED
        if unit == TargetUnit.WORKING:
            return self.working_hours()
        only_working, rolls = unit == TargetUnit.WORKING_DAYS, unit == TargetUnit.ROLLED_DAYS
        names = {own.day: own.name for own in self.days if not own.hours} | self.days_closed_whole()
        return CountedDays(self.day_count(only_working=only_working, rolls=rolls), names)

    def working_hours(self) -> WorkingHours:
        return WorkingHours(
            zone_named(self.zone),
            self.week,
            days={own.day: own.hours for own in self.days},
            closures=[(closure.start, closure.end, closure.name) for closure in self.closures],
            names={own.day: own.name for own in self.days if not own.hours},
        )

    def day_count(self, *, only_working: bool = False, rolls: bool = False) -> DayCount:
        """Return how deadlines in days are counted. A day is worked if its weekday has hours, it is no holiday, and
        closures leave some of its hours."""
        return DayCount(
            zone_named(self.zone),
            holidays={own.day for own in self.days if not own.hours} | self.days_closed_whole().keys(),
            working={weekday for weekday in range(7) if self.always or self.week[weekday]},
            only_working=only_working,
            rolls=rolls,
        )

    def days_closed_whole(self) -> dict[date, str]:
        """Return the days of which closures take away all hours, each with the name of a closure."""
        own_hours = {own.day: own.hours for own in self.days}
        hours_left: dict[date, int] = {}
        names: dict[date, str] = {}
        for start, end, name in self._joined_closures():
            for number in range((end.date() - start.date()).days + 1):
                day = start.date() + timedelta(days=number)
                hours, midnight = (
                    own_hours.get(day, self.week[day.weekday()]),
                    datetime.combine(day, time.min),
                )
                for begin, until in hours:
                    if (
                        start
                        <= midnight + timedelta(seconds=begin)
                        < midnight + timedelta(seconds=until)
                        <= end
                    ):
                        hours_left[day] = hours_left.get(day, len(hours)) - 1
                        names.setdefault(day, name)
        return {day: names[day] for day, left in hours_left.items() if not left}

    def _joined_closures(self) -> Iterator[tuple[datetime, datetime, str]]:
        """Yield the closures from the first to the last, those that touch or overlap as one."""
        joined: list[tuple[datetime, datetime, str]] = []
        for closure in sorted(self.closures, key=lambda own: own.start):
            if joined and closure.start <= joined[-1][1]:
                start, end, name = joined.pop()
                joined.append((start, max(end, closure.end), name))
            else:
                joined.append((closure.start, closure.end, closure.name))
        yield from joined

    def as_json(self) -> dict[str, Any]:
        """Return the rules as plain data; `read` gives them back."""
        return {
            "zone": self.zone,
            "always": self.always,
            "week": {name: _times(hours) for name, hours in zip(WEEKDAYS, self.week, strict=True) if hours},
            "days": [
                {
                    "date": own.day.isoformat(),
                    "name": own.name,
                    "name_en": own.name_en,
                    "hours": _times(own.hours),
                    **({"source": own.source} if own.source else {}),
                }
                for own in self.days
            ],
            "closures": [
                {
                    "from": closure.start.isoformat(timespec="minutes"),
                    "until": closure.end.isoformat(timespec="minutes"),
                    "name": closure.name,
                    "name_en": closure.name_en,
                }
                for closure in self.closures
            ],
        }


def _times(hours: Hours) -> list[list[str]]:
    return [[_clock(begin), _clock(end)] for begin, end in hours]


def _clock(seconds: int) -> str:
    """Return the time that `hours_between` reads: 24:00 for the midnight after, the clock's time for the next day."""
    minutes = (seconds if seconds <= 86_400 else seconds - 86_400) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


class _Reading:
    """Reads one description, and collects what is wrong by the path of the value."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.errors: dict[str, list[str]] = {}

    def rules(self) -> CalendarRules:
        always = self.data.get("always", False)
        if not isinstance(always, bool):
            self.wrong("always", _("se esperaba sí o no"))
        rules = CalendarRules(
            zone=self.zone(),
            week=tuple(self.week()),
            days=tuple(sorted(self.days(), key=lambda own: own.day)),
            closures=tuple(sorted(self.closures(), key=lambda closure: closure.start)),
            always=always is True,
        )
        for key in sorted(self.data.keys() - {"zone", "always", "week", "days", "closures"}):
            self.wrong(str(key), _("no conocemos esta clave"))
        if not self.errors and not rules.always and not any(rules.week):
            self.wrong("week", _("El calendario no tiene ningún horario: nada vencería nunca."))
        if self.errors:
            raise InvalidData(self.errors)
        return rules

    def wrong(self, path: str, message: str) -> None:
        self.errors.setdefault(path, []).append(message)

    def zone(self) -> str:
        name = self.data.get("zone", "")
        try:
            zone_named(name if isinstance(name, str) else "")
        except UnknownZone:
            self.wrong("zone", _("No conocemos esa zona horaria; ejemplo: America/Bogota."))
        return str(name)

    def week(self) -> Iterator[Hours]:
        week = self.data.get("week", {})
        if not isinstance(week, Mapping):
            self.wrong("week", _("se esperaba una tabla con los días de la semana"))
            week = {}
        for key in sorted(map(str, week.keys() - set(WEEKDAYS))):
            self.wrong(f"week.{key}", _("se esperaba uno de: %(names)s") % {"names": ", ".join(WEEKDAYS)})
        for name in WEEKDAYS:
            yield self.hours(week.get(name, []), f"week.{name}")

    def hours(self, value: Any, path: str) -> Hours:
        """Return the hours of one day. They may not overlap one another, and no day has more than ten stretches."""
        try:
            if not isinstance(value, list) or len(value) > 10:
                raise TypeError
            hours = hours_between(*((begin, end) for begin, end in value))
        except (TypeError, ValueError, AttributeError):
            self.wrong(path, _("Escribe cada horario como 08:00 y 17:30."))
            return ()
        if any(later[0] < earlier[1] for earlier, later in pairwise(hours)):
            self.wrong(path, _("Hay dos horarios que se enciman."))
        if hours and hours[-1][1] - hours[0][0] > 86_400:
            self.wrong(path, _("Los horarios de un día no pasan de 24 horas."))
        return hours

    def days(self) -> Iterator[OwnDay]:
        seen: set[date] = set()
        for number, row in self.rows("days"):
            path = f"days.{number}"
            hours = self.hours(row.get("hours", []), f"{path}.hours")
            name, name_en = self.names(row, path)
            try:
                day = date.fromisoformat(row.get("date", ""))
            except (TypeError, ValueError):
                self.wrong(f"{path}.date", _("Escribe la fecha como 2026-12-25."))
                continue
            if day.year not in YEARS:
                self.wrong(f"{path}.date", _("Escribe un año entre 1970 y 2200."))
                continue
            if day in seen:
                self.wrong(f"{path}.date", _("Ese día está dos veces."))
            seen.add(day)
            yield OwnDay(day, name, hours, name_en, self.source(row, path))

    def closures(self) -> Iterator[Closure]:
        for number, row in self.rows("closures"):
            path = f"closures.{number}"
            name, name_en = self.names(row, path)
            start, end = self.wall_time(row, "from", path), self.wall_time(row, "until", path)
            if not start or not end:
                continue
            if end <= start:
                self.wrong(f"{path}.until", _("El cierre termina antes de empezar."))
            elif (end - start).days > 366:
                self.wrong(f"{path}.until", _("Un cierre dura un año como máximo."))
            else:
                yield Closure(start, end, name, name_en)

    def rows(self, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        rows = self.data.get(key, [])
        if not isinstance(rows, list) or len(rows) > MAX_ROWS:
            self.wrong(key, _("se esperaba una lista de %(most)d como máximo") % {"most": MAX_ROWS})
            return
        for number, row in enumerate(rows):
            if isinstance(row, Mapping):
                yield number, row
            else:
                self.wrong(f"{key}.{number}", _("se esperaba una tabla"))

    def names(self, row: Mapping[str, Any], path: str) -> tuple[str, str]:
        """Return the names of a day or closure in Spanish and English. Only the first is required."""
        name, name_en = row.get("name", ""), row.get("name_en", "")
        if not isinstance(name, str) or not name.strip() or len(name) > 120:
            self.wrong(
                f"{path}.name", _("Ponle un nombre, de 120 letras como máximo: se lee en las explicaciones.")
            )
        if not isinstance(name_en, str) or len(name_en) > 120:
            self.wrong(f"{path}.name_en", _("El nombre tiene 120 letras como máximo."))
        return str(name).strip(), str(name_en).strip()

    def source(self, row: Mapping[str, Any], path: str) -> str:
        source = row.get("source", "")
        if not isinstance(source, str) or len(source) > 12:
            self.wrong(f"{path}.source", _("Escribe un país o una región, como CO o ES-CT."))
            return ""
        return source

    def wall_time(self, row: Mapping[str, Any], key: str, path: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(row.get(key, ""))
        except (TypeError, ValueError):
            moment = None
        if moment is None or moment.tzinfo is not None:
            self.wrong(f"{path}.{key}", _("Escribe fecha y hora como 2026-11-27T11:00."))
            return None
        if moment.year not in YEARS:
            self.wrong(f"{path}.{key}", _("Escribe un año entre 1970 y 2200."))
            return None
        return moment
