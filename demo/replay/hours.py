"""The organisation's opening hours, and the promises that count in them. The app for parking answers day and night; the
workshop and the software house work in office hours."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from tickets.calendars import CalendarRules
from tickets.definitions.targets import read_targets
from tickets.models import Calendar, Process
from tickets.schedules.applying import confirm
from tickets.schedules.job import go_on
from tickets.schedules.proposing import choose_for_phone, create_calendar, propose_targets

from .clock import time_is

KEY = "oficina"
IN_FORCE = timedelta(days=120)
"""For how long the hours have been in force: since before the earliest ticket."""
WEEKDAY = [["08:00", "12:00"], ["13:00", "18:00"]]
WEEK = {**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), WEEKDAY), "sat": [["09:00", "13:00"]]}
HOLIDAYS = (
    (1, 1, "Año Nuevo", "New Year"),
    (4, 19, "Declaración de la Independencia", "Declaration of Independence"),
    (5, 1, "Día del Trabajador", "Labour Day"),
    (6, 24, "Batalla de Carabobo", "Battle of Carabobo"),
    (7, 5, "Día de la Independencia", "Independence Day"),
    (7, 24, "Natalicio de Simón Bolívar", "Birthday of Simón Bolívar"),
    (10, 12, "Día de la Resistencia Indígena", "Day of Indigenous Resistance"),
    (12, 24, "Nochebuena", "Christmas Eve"),
    (12, 25, "Navidad", "Christmas"),
    (12, 31, "Fin de año", "New Year's Eve"),
)
TARGETS: dict[str, dict[str, Any]] = {
    "reporte-de-incidentes": {
        "first_response": {
            "critical": "2 working hours",
            "high": "4 working hours",
            "medium": "9 working hours",
            "low": "18 working hours",
        },
        "resolution": {
            "critical": "16 working hours",
            "high": "40 working hours",
            "medium": "90 working hours",
            "low": "180 working hours",
        },
    },
    "reparacion-de-dispositivo": {
        "first_response": {"problem": "1 working day", "procedure": "1 working day"},
        "resolution": {"problem": "10 working days", "procedure": "10 working days"},
    },
}


def load(supervisor: User, *, holidays_from: date) -> None:
    """Open the office, with the holidays of the year that begins with that day, unless it is open already."""
    if Calendar.objects.filter(key=KEY).exists():
        return
    with time_is(timezone.now() - IN_FORCE):
        calendar = create_calendar(
            actor=supervisor,
            key=KEY,
            name="Horario de oficina",
            name_en="Office hours",
            rules=CalendarRules.read(
                {
                    "zone": "America/Caracas",
                    "week": WEEK,
                    "days": list(map(_as_row, _year_from(holidays_from))),
                }
            ),
        )
        choose_for_phone(calendar, actor=supervisor, chosen=True)
        for process in Process.objects.filter(key__in=TARGETS):
            targets = read_targets({"calendar": KEY, **TARGETS[process.key]})
            change = propose_targets(
                process, targets, actor=supervisor, reason="Plazos en horario de oficina"
            )
            go_on(confirm(change, actor=supervisor))


def _year_from(first: date) -> list[tuple[date, str, str]]:
    found = []
    for month, day, name, name_en in HOLIDAYS:
        own = date(first.year, month, day)
        found.append((own if own >= first else own.replace(year=first.year + 1), name, name_en))
    return sorted(found)


def _as_row(holiday: tuple[date, str, str]) -> dict[str, Any]:
    day, name, name_en = holiday
    return {"date": day.isoformat(), "name": name, "name_en": name_en, "hours": [], "source": "VE"}
