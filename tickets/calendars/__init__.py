"""Calendars: they decide which time counts towards a due date (DESIGN §4).

- `ELAPSED`: every second counts.
- `WorkingHours`: only opening hours count, in a time zone, with holidays and closures.
- `DayCount`: whole days count, as laws and contracts count them.

`CalendarRules` is a calendar as people describe it and as it is stored.

All moments are aware datetimes. The arithmetic is closed form: what it costs does not grow with the days between two
moments.
"""

from .base import ELAPSED, Calendar, ElapsedTime, NoWorkingTime, Part
from .days import CountedDays, DayCount
from .hours import Hours, WorkingHours, hours_between
from .rules import CalendarRules
from .targets import Target
from .zones import UnknownZone, zone_named

__all__ = [
    "ELAPSED",
    "Calendar",
    "CalendarRules",
    "CountedDays",
    "DayCount",
    "ElapsedTime",
    "Hours",
    "NoWorkingTime",
    "Part",
    "Target",
    "UnknownZone",
    "WorkingHours",
    "hours_between",
    "zone_named",
]
