"""Forms of «Horarios y plazos»: the hours of a calendar, an extraordinary closure, and a new calendar."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from django.utils import timezone
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from content.errors import InvalidData
from content.form_fields import LineField
from tickets.calendars import CalendarRules
from tickets.calendars.rules import WEEKDAYS, Closure, OwnDay
from tickets.enums import ClosureReason
from tickets.models import Calendar, CalendarVersion
from tickets.schedules.holidays import COUNTRIES
from web.zone_choices import zone_choices

LAST_DAY = date(9999, 12, 28)
MAX_SLOTS = 10
MAX_DAYS = 120
EMPTY_DAYS = 2
_TIME = re.compile(r"(\d{1,2})(?:[:.h ]?(\d{2}))?\s*h?")
WORKDAYS = WEEKDAYS[:5]
Slot = tuple[BoundField, BoundField]


class TimeField(forms.CharField):
    """A time of the day, «8», «8:00», «8.30» or «24:00», as `hours_between` reads it: "08:00"."""

    def __init__(self, label: str, *, value: str = "") -> None:
        attrs = {"inputmode": "numeric", "autocomplete": "off", "size": 5, "maxlength": 5}
        super().__init__(
            label=label, required=False, initial=value, max_length=8, widget=forms.TextInput(attrs=attrs)
        )

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        found = _TIME.fullmatch(text)
        if not found or not (int(found[1]) < 24 or (found[1], found[2] or "00") == ("24", "00")):
            raise forms.ValidationError(_("Escribe una hora como 8:00 o 17:30."))
        if int(found[2] or 0) > 59:
            raise forms.ValidationError(_("Escribe una hora como 8:00 o 17:30."))
        return f"{int(found[1]):02}:{found[2] or '00'}"


class HoursForm(forms.Form):
    """The zone, the week and the own days of one year of a calendar. `rules` returns what they make of `before`, whose
    closures and other years stay as they are.

    Fields are named after the day and the number of the row: `mon_0_begin`, `day_3_date`. A row whose fields are empty
    is left out, so emptying one takes it away.
    """

    base = forms.IntegerField(widget=forms.HiddenInput)
    zone = forms.ChoiceField(label=gettext_lazy("Zona horaria"))
    always = forms.TypedChoiceField(
        label=pgettext_lazy("clock", "Cuenta"),
        choices=[("", gettext_lazy("Horas hábiles")), ("1", gettext_lazy("24 horas, todos los días"))],
        coerce=bool,
        empty_value=None,
        required=False,
    )
    reason = LineField(
        label=gettext_lazy("Motivo del cambio"),
        max_length=160,
        required=False,
        help_text=gettext_lazy("Se lee en «Versiones» y en la explicación de cada fecha."),
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Festivos de"), required=False, choices=[("", ""), *COUNTRIES.items()]
    )
    region = forms.CharField(label=gettext_lazy("Región"), required=False, max_length=6)

    def __init__(
        self, data: Any = None, *, before: CalendarRules, base: CalendarVersion, year: int, reason: str = ""
    ) -> None:
        always = "1" if before.always else ""
        super().__init__(
            data, initial={"zone": before.zone, "always": always, "base": base.pk, "reason": reason}
        )
        self.before, self.year = before, year
        self.fields["zone"].choices = zone_choices(before.zone)  # type: ignore[attr-defined]
        self.own_days = [own for own in before.days if own.day.year == year][:MAX_DAYS]
        plain = before.as_json()
        for day in WEEKDAYS:
            self._add_slots(day, plain["week"].get(day, []))
        self.day_rows = self._count("day", len(self.own_days) + EMPTY_DAYS, MAX_DAYS + EMPTY_DAYS)
        for number in range(self.day_rows):
            self._add_day(number, self.own_days[number] if number < len(self.own_days) else None)

    def _count(self, prefix: str, least: int, most: int) -> int:
        """Return how many rows to make: what was sent may have more than the stored rules."""
        numbers = [
            int(found[1]) for name in self.data if (found := re.fullmatch(rf"{prefix}_(\d{{1,3}})_\w+", name))
        ]
        return min(most, max([least, *(number + 1 for number in numbers)]))

    def _add_slots(self, day: str, slots: list[list[str]]) -> None:
        name = {"day": str(WEEKDAY_NAMES[WEEKDAYS.index(day)]).capitalize()}
        for number in range(self._count(day, len(slots), MAX_SLOTS - 1) + 1):
            begin, end = slots[number] if number < len(slots) else ("", "")
            self.fields[f"{day}_{number}_begin"] = TimeField(_("%(day)s, desde") % name, value=_shown(begin))
            self.fields[f"{day}_{number}_end"] = TimeField(_("%(day)s, hasta") % name, value=_shown(end))

    def _add_day(self, number: int, own: OwnDay | None) -> None:
        hours = _plain_hours(own) if own else []
        begin, end = hours[0] if hours else ("", "")
        name = own.name if own else ""
        which = {"day": date_format(own.day, "j b") if own else _("Día nuevo")}
        self.fields[f"day_{number}_date"] = forms.DateField(
            label=_("%(day)s, fecha") % which,
            required=False,
            initial=own.day if own else None,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )
        self.fields[f"day_{number}_name"] = LineField(
            label=_("%(day)s, nombre") % which, max_length=120, required=False, initial=name
        )
        self.fields[f"day_{number}_begin"] = TimeField(_("%(day)s, abre a las") % which, value=_shown(begin))
        self.fields[f"day_{number}_end"] = TimeField(_("%(day)s, cierra a las") % which, value=_shown(end))

    # --- What the template draws -----------------------------------------------------------------

    def slots(self, day: str) -> tuple[list[Slot], Slot | None]:
        """Return the intervals of a weekday up to the last one with a time, and an empty one for one more; None if it
        has as many as it may."""
        pairs: list[Slot] = []
        while f"{day}_{len(pairs)}_begin" in self.fields:
            pairs.append((self[f"{day}_{len(pairs)}_begin"], self[f"{day}_{len(pairs)}_end"]))
        used = max(
            (number for number, pair in enumerate(pairs, 1) if any(each.value() for each in pair)), default=0
        )
        return pairs[:used], pairs[used] if used < len(pairs) else None

    def days(self) -> Iterator[dict[str, Any]]:
        for number in range(self.day_rows):
            own = self.own_days[number] if number < len(self.own_days) else None
            yield {
                "fields": [self[f"day_{number}_{name}"] for name in ("date", "name", "begin", "end")],
                "source": own.source if own else "",
                "is_new": own is None,
            }

    # --- What it means ---------------------------------------------------------------------------

    def rules(self) -> CalendarRules:
        """Return the rules that the valid form describes. Raises `InvalidData` with the names of fields."""
        values = self.cleaned_data
        week: dict[str, list[list[str]]] = {}
        names: dict[str, str] = {}  # the path of a value in the rules, and the field that it came from
        for day in WEEKDAYS:
            names[f"week.{day}"] = f"{day}_0_begin"
            for number in range(MAX_SLOTS):
                begin, end = (values.get(f"{day}_{number}_{side}", "") for side in ("begin", "end"))
                if begin or end:
                    week.setdefault(day, []).append([begin, end])
        rows = [row for row in self.before.as_json()["days"] if not row["date"].startswith(f"{self.year}-")]
        for number in range(self.day_rows):
            if row := self._day_row(number):
                for key, field in {"date": "date", "name": "name", "hours": "begin"}.items():
                    names[f"days.{len(rows)}.{key}"] = f"day_{number}_{field}"
                rows.append(row)
        data = self.before.as_json() | {
            "zone": values["zone"],
            "always": bool(values["always"]),
            "week": week,
            "days": rows,
        }
        try:
            return CalendarRules.read(data)
        except InvalidData as error:
            raise InvalidData(_by_field(error, names)) from error

    def _day_row(self, number: int) -> dict[str, Any] | None:
        day, name, begin, end = (
            self.cleaned_data.get(f"day_{number}_{field}") for field in ("date", "name", "begin", "end")
        )
        if not any((day, name, begin, end)):
            return None
        stored = self.own_days[number] if number < len(self.own_days) else None
        kept = stored if stored and stored.day == day and stored.name == name else None
        return {
            "date": day.isoformat() if day else "",
            "name": name or "",
            "name_en": kept.name_en if kept else "",
            "hours": [[begin, end]] if begin or end else [],
            **({"source": kept.source} if kept and kept.source else {}),
        }

    def show(self, error: InvalidData) -> None:
        """Put the messages of `error` beside the fields that they are about; see `web.refusals.Refusal`."""
        for name, messages in error.errors.items():
            self.add_error(name if name in self.fields else None, messages)

    def copy_monday(self) -> QueryDict:
        """Return the data of the form with Monday's hours on every working day."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        for day in WORKDAYS[1:]:
            for number in range(MAX_SLOTS):
                for side in ("begin", "end"):
                    data[f"{day}_{number}_{side}"] = data.get(f"mon_{number}_{side}", "")
        return data


def _shown(time: str) -> str:
    return time.removeprefix("0") if time.startswith("0") and len(time) > 4 else time


def _plain_hours(own: OwnDay) -> list[list[str]]:
    rules = CalendarRules("UTC", days=(own,))
    hours: list[list[str]] = rules.as_json()["days"][0]["hours"]
    return hours


def _by_field(error: InvalidData, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Name the errors of a calendar's rules after the fields of the form."""
    found: dict[str, list[str]] = {}
    for path, messages in error.errors.items():
        found.setdefault(names.get(path, path if path == "zone" else ""), []).extend(messages)
    return found


EARLIEST, LATEST = timedelta(days=31), timedelta(days=366)
"""For which days a closure can be said: before, every ticket that it could move has ended."""


class ClosureForm(forms.Form):
    """An extraordinary closure: from when, until when, and why. Times are those of the calendar's zone."""

    day = forms.DateField(
        label=gettext_lazy("Día"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.ChoiceField(label=gettext_lazy("Motivo"), choices=ClosureReason.choices)
    other = LineField(
        label=gettext_lazy("Qué leerán los clientes"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Solo si el motivo es otro: «inventario anual»."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        zone: str,
        is_open_at_night: bool = False,
        proposed: Closure | None = None,
    ) -> None:
        """`is_open_at_night` says that shifts go past midnight: then a closure may too. `proposed` is the closure of
        the draft that the page shows: the form has it again."""
        self.zone, self.is_open_at_night = zone, is_open_at_night
        now = timezone.now().astimezone(ZoneInfo(zone))
        start, end = now.replace(minute=0) + timedelta(hours=1), ""
        initial = {"reason": "power"}
        if proposed is not None:
            start, initial = proposed.start, _reason_of(proposed)
            is_until_midnight = proposed.end == datetime.combine(start.date() + timedelta(days=1), time.min)
            end = "" if is_until_midnight else f"{proposed.end:%-H:%M}"
        # another form of the page has a reason, too
        super().__init__(data, auto_id="id_closure_%s", initial={"day": start.date(), **initial})
        self.fields["begin"] = TimeField(_("Cerramos a las"), value=f"{start:%-H:%M}")
        self.fields["begin"].required = True
        self.fields["end"] = TimeField(_("Reabrimos a las"), value=end)
        self.fields["end"].help_text = _("Vacío: el siguiente día de atención.")
        self.order_fields(["day", "begin", "end", "reason", "other"])

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("reason") == "other" and not values.get("other"):
            self.add_error("other", _("Escribe el motivo: lo leen tus clientes."))
        day, today = values.get("day"), timezone.now().astimezone(ZoneInfo(self.zone)).date()
        if day and not today - EARLIEST <= day <= today + LATEST:
            self.add_error("day", _("Escribe un día desde hace un mes hasta dentro de un año."))
        begin, end = values.get("begin"), values.get("end")
        if begin and end and _minutes(end) <= _minutes(begin) and not self.is_open_at_night:
            self.add_error(
                "end", _("Reabres antes de cerrar. Para cerrar hasta el día siguiente, deja la hora vacía.")
            )
        return values

    def closure(self) -> dict[str, Any]:
        """Return the arguments of `propose_closure` that the valid form describes."""
        values, reason = self.cleaned_data, ClosureReason(self.cleaned_data["reason"])
        is_other = reason == ClosureReason.OTHER
        start, end = (_at(values["day"], values[side]) for side in ("begin", "end"))
        if start and end and end <= start:
            end += timedelta(days=1)
        return {
            "start": start,
            "end": end,
            "name": values["other"] if is_other else reason.named_in("es"),
            "name_en": "" if is_other else reason.named_in("en"),
        }

    def show(self, error: InvalidData) -> None:
        fields = {"start": "begin", "end": "end", "name": "other"}
        for name, messages in error.errors.items():
            self.add_error(fields.get(name), messages)


def _reason_of(closure: Closure) -> dict[str, str]:
    """Return the reason that the form offers for the closure, or what was typed."""
    for reason in ClosureReason:
        if reason != ClosureReason.OTHER and closure.name == reason.named_in("es"):
            return {"reason": reason.value}
    return {"reason": ClosureReason.OTHER.value, "other": closure.name}


def _minutes(time: str) -> int:
    hour, minute = map(int, time.split(":"))
    return 60 * hour + minute


def _at(day: Any, time: str) -> datetime | None:
    if not time:
        return None
    day = min(day, LAST_DAY)  # the verb refuses it; adding an hour to the last day of all would fail first
    return datetime.combine(day, datetime.min.time()) + timedelta(minutes=_minutes(time))


class NewCalendarForm(forms.Form):
    """A calendar to begin with: its name, zone and first hours, which are edited afterwards."""

    name = LineField(label=gettext_lazy("Nombre"), max_length=120)
    name_en = LineField(label=gettext_lazy("Nombre en inglés"), max_length=120, required=False)
    zone = forms.ChoiceField(label=gettext_lazy("Zona horaria"))
    hours = forms.ChoiceField(
        label=gettext_lazy("Empezar con"),
        choices=[
            ("office", gettext_lazy("Lunes a viernes, de 8:00 a 17:00")),
            ("always", gettext_lazy("24 horas, todos los días")),
        ],
        widget=forms.RadioSelect,
        initial="office",
    )

    def __init__(self, data: Any = None, *, zone: str) -> None:
        super().__init__(data, initial={"zone": zone, "hours": "office"})
        self.fields["zone"].choices = zone_choices(zone)  # type: ignore[attr-defined]

    def key(self) -> str:
        """Return a key for the calendar, made of its name, that no other has."""
        stem = slugify(self.cleaned_data["name"])[:36] or "calendario"
        taken = set(Calendar.objects.filter(key__startswith=stem).values_list("key", flat=True))
        return next(
            key for n in range(1, len(taken) + 2) if (key := stem if n == 1 else f"{stem}-{n}") not in taken
        )

    def rules(self) -> CalendarRules:
        empty = CalendarRules(self.cleaned_data["zone"])
        if self.cleaned_data["hours"] == "always":
            return replace(empty, always=True)
        office = ((8 * 3600, 17 * 3600),)
        return replace(empty, week=(office,) * 5 + ((), ()))
