"""Replay a file of known due dates through the desk's own calendars and clocks; docs/operations.md explains it."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from content.errors import InvalidData
from tickets import sla
from tickets.calendars import CalendarRules, DayCount, UnknownZone, WorkingHours, zone_named

FORMAT = "sla-vectors/1"
RULES: dict[str, dict[str, Any]] = {
    "es-nat": {},
    "es-nat-roll": {"rolls": True},
    "es-habiles": {"only_working": True},
    "es-mes": {"rolls": True},
}
END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)
MAX_LINES = 40

Vector = dict[str, Any]


class Miss(Exception):
    """The desk gives another answer than the file. The lines say which, and how the desk came to it."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines


class Command(BaseCommand):
    help = "Repite por los calendarios y relojes de la mesa un archivo de vencimientos conocidos."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="un archivo .json, o - para leer la entrada estándar")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        replay = Replay(self.read(file))
        passed = failed = 0
        for vector in replay.vectors:
            try:
                replay.check(vector)
            except Miss as miss:
                failed += 1
                self.stdout.write(f"{_id_of(vector)}: {miss.lines[0]}")
                for line in miss.lines[1:]:
                    self.stdout.write(f"    {line}")
            else:
                passed += 1
        self.stdout.write(f"{passed} passed, {failed} failed")
        if failed:
            sys.exit(1)

    def read(self, name: str) -> dict[str, Any]:
        try:
            if name == "-":
                data = json.load(sys.stdin)
            else:
                with open(name, encoding="utf-8") as file:
                    data = json.load(file)
        except (OSError, ValueError) as error:
            raise CommandError(f"{name}: {error}") from error
        if (
            not isinstance(data, dict)
            or data.get("format") != FORMAT
            or not isinstance(data.get("vectors"), list)
        ):
            raise CommandError(f"{name}: se esperaba un archivo en el formato {FORMAT}")
        return data


def _id_of(vector: Any) -> Any:
    return vector.get("id", "?") if isinstance(vector, dict) else "?"


class Replay:
    """Answer the questions of one file. Vectors that the file lists as `disputed` are not among its `vectors`."""

    def __init__(self, data: dict[str, Any]) -> None:
        disputed = {_id_of(vector) for vector in data.get("disputed") or []}
        self.vectors = [vector for vector in data["vectors"] if _id_of(vector) not in disputed - {"?"}]
        self._calendars = data.get("calendars", {})
        self._holidays = data.get("holiday_sets", {})
        self._built: dict[str, WorkingHours] = {}

    def check(self, vector: Vector) -> None:
        """Raises Miss if the desk gives another answer, or if the vector cannot be understood."""
        kinds: dict[str, Callable[[Vector], None]] = {
            "due": self._due,
            "elapsed": self._elapsed,
            "next_open": self._next_open,
            "business_days": self._business_days,
            "day_deadline": self._day_deadline,
        }
        if not isinstance(vector, dict):
            raise Miss("no es un objeto")
        kind = vector.get("kind")
        if kind not in kinds:
            raise Miss(f"no conocemos «kind» = {kind!r}")
        try:
            kinds[kind](vector)
        except InvalidData as error:
            told = (f"{path}: {message}" for path, messages in error.errors.items() for message in messages)
            raise Miss("su calendario no se puede usar", *told) from None
        except UnknownZone as error:
            raise Miss(f"no conocemos la zona horaria {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Miss(f"no se entiende: {type(error).__name__} {error}") from None

    def _due(self, vector: Vector) -> None:
        calendar, start, pauses = self._calendar(vector), _moment(vector["start"]), _pauses(vector)
        budget = timedelta(seconds=vector["budget_seconds"])
        found = sla.due_at(start=start, target=budget, pauses=pauses, now=END_OF_TIME, calendar=calendar)
        expected = _moment(vector["expected"])
        # At closing time other desks say when the calendar opens again; the format accepts both.
        if expected not in (found, calendar.next_open(found)):
            raise _miss(expected, found, calendar, start, pauses)

    def _elapsed(self, vector: Vector) -> None:
        calendar, start, pauses = self._calendar(vector), _moment(vector["start"]), _pauses(vector)
        end = _moment(vector["end"])
        found = sla.elapsed(start=start, pauses=pauses, now=end, calendar=calendar)
        if found.total_seconds() != vector["expected"]:
            lines = _explanation(calendar, start, pauses, end)
            raise Miss(f"se esperaban {vector['expected']} s y son {found.total_seconds():g} s", *lines)

    def _next_open(self, vector: Vector) -> None:
        calendar, start = self._calendar(vector), _moment(vector["start"])
        found, expected = calendar.next_open(start), _moment(vector["expected"])
        if found != expected:
            raise _miss(expected, found, calendar, start, [])

    def _business_days(self, vector: Vector) -> None:
        calendar, start = self._calendar(vector), _moment(vector["start"])
        found = calendar.working_days_later(start, vector["days"])
        expected = _moment(vector["expected"])
        if found != expected:
            raise _miss(expected, found, calendar, start, [])

    def _day_deadline(self, vector: Vector) -> None:
        rule, amount = vector["rule"], vector["amount"]
        if rule not in RULES:
            raise Miss(f"no conocemos «rule» = {rule!r}")
        holidays = self._days(vector.get("holiday_set", []))
        count = DayCount(zone_named(vector["timezone"]), holidays=holidays, **RULES[rule])
        event = date.fromisoformat(vector["event_date"])
        last = count.last_day_of_months(event, amount) if rule == "es-mes" else count.last_day(event, amount)
        due = count.due(last)
        answers = {"expected_last_day": last.isoformat(), "expected_due_utc": due}
        wanted = {
            "expected_last_day": vector.get("expected_last_day", last.isoformat()),
            "expected_due_utc": _moment(vector.get("expected_due_utc", due.isoformat())),
        }
        if answers != wanted:
            skipped = sorted(day for day in holidays if event < day <= last)
            day, moment = wanted.values()
            raise Miss(
                f"se esperaba {day} ({moment:%FT%TZ}) y es {last} ({due:%FT%TZ})",
                f"{amount} por la regla {rule}, sin contar el {event}",
                *(f"festivo   {day}" for day in skipped),
            )

    def _calendar(self, vector: Vector) -> WorkingHours:
        name = vector["calendar"]
        if name not in self._built:
            self._built[name] = self._build(self._calendars[name])
        return self._built[name]

    def _build(self, data: dict[str, Any]) -> WorkingHours:
        """Make the desk's calendar from that of a file. `overrides` replace a day's hours, also on a holiday."""
        holidays = self._days(data.get("holidays", [])) | self._days(data.get("holiday_set", []))
        own = {day.isoformat(): [] for day in holidays} | data.get("overrides", {})
        days = [{"date": day, "name": "festivo", "hours": hours} for day, hours in own.items()]
        return CalendarRules.read(
            {"zone": data["tz"], "week": data.get("hours", {}), "days": days}
        ).working_hours()

    def _days(self, given: str | list[str]) -> set[date]:
        """Return the days of a list, or of the set with that name."""
        return {
            date.fromisoformat(day) for day in (self._holidays[given] if isinstance(given, str) else given)
        }


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _pauses(vector: Vector) -> list[sla.Interval]:
    return [
        sla.Interval(_moment(begin), None if end is None else _moment(end))
        for begin, end in vector.get("pauses", [])
    ]


def _miss(
    expected: datetime, found: datetime, calendar: WorkingHours, start: datetime, pauses: list[sla.Interval]
) -> Miss:
    lines = _explanation(calendar, start, pauses, max(expected, found))
    return Miss(f"se esperaba {expected:%FT%TZ} y es {found:%FT%T.%fZ}", *lines)


def _explanation(
    calendar: WorkingHours, start: datetime, pauses: list[sla.Interval], end: datetime
) -> Iterator[str]:
    """Return the stretches that counted and those that did not, in the calendar's own time."""
    names = {"counted": "cuenta", "paused": "en pausa", "closed": "cerrado"}
    stretches = sla.explain(start=start, pauses=pauses, now=end, calendar=calendar)
    for stretch in stretches[:MAX_LINES]:
        begin, until = (moment.astimezone(calendar.zone) for moment in (stretch.start, stretch.end))
        yield f"{names[stretch.kind]:9} {begin:%F %T%z} – {until:%F %T%z}  {stretch.reason}".rstrip()
    if len(stretches) > MAX_LINES:
        yield f"… y {len(stretches) - MAX_LINES} tramos más"
