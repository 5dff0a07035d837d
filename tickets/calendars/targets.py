"""Targets: how much time is promised, and how it is counted."""

import re
from dataclasses import dataclass
from datetime import timedelta

from ..enums import TargetUnit

ELAPSED_TIME = re.compile(r"^(\d{1,4})\s*(m|h|d)$")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
COUNTED_TIME = re.compile(r"^(\d{1,4}) (working minute|working hour|working day|calendar day)s?( rolled)?$")


@dataclass(frozen=True)
class Target:
    """A promised time. Units that count days have whole days as `amount`."""

    amount: timedelta
    unit: TargetUnit = TargetUnit.ELAPSED

    @property
    def needs_calendar(self) -> bool:
        return self.unit != TargetUnit.ELAPSED

    @property
    def text(self) -> str:
        """The text that `parse` reads as this target."""
        minutes = int(self.amount.total_seconds() // 60)
        if self.unit in (TargetUnit.ELAPSED, TargetUnit.WORKING):
            number, short, word = (minutes, "m", "minute") if minutes % 60 else (minutes // 60, "h", "hour")
            if self.unit == TargetUnit.ELAPSED:
                return f"{minutes // 1440}d" if minutes % 1440 == 0 else f"{number}{short}"
            return f"{number} working {word}{'' if number == 1 else 's'}"
        days, many = self.amount.days, "" if self.amount.days == 1 else "s"
        if self.unit == TargetUnit.WORKING_DAYS:
            return f"{days} working day{many}"
        return f"{days} calendar day{many}{' rolled' if self.unit == TargetUnit.ROLLED_DAYS else ''}"

    @classmethod
    def parse(cls, text: str) -> "Target | None":
        """Return the target that a process file writes, None for another text.

        `30m`, `8h` and `5d` are time on the wall. `30 working minutes` and `8 working hours` count opening hours;
        `5 working days`, `30 calendar days` and `30 calendar days rolled` end with the last second of a day.
        """
        if match := ELAPSED_TIME.match(text):
            amount, unit = timedelta(**{UNITS[match[2]]: int(match[1])}), TargetUnit.ELAPSED
        elif (match := COUNTED_TIME.match(text)) and not (match[3] and match[2] != "calendar day"):
            amount = timedelta(**{match[2].split()[1] + "s": int(match[1])})
            unit = {
                "working day": TargetUnit.WORKING_DAYS,
                "calendar day": TargetUnit.ROLLED_DAYS if match[3] else TargetUnit.CALENDAR_DAYS,
            }.get(match[2], TargetUnit.WORKING)
        else:
            return None
        return cls(amount, unit) if amount else None
