"""What «Horarios y plazos» shows: the week, the next seven days and the year as drawings, and what a change does."""

import calendar as months
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.dateformat import format as format_date
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from accounts.models import User
from content.dates import in_case, short_day
from tickets.calendars import CalendarRules
from tickets.calendars.rules import WEEKDAYS, Closure, OwnDay
from tickets.enums import ChangeState
from tickets.models import Calendar, DueChange, Process, ScheduleChange, Ticket
from tickets.promises import targets_of
from web.opening_hours import hours_of

DAY = 86_400
WIDTH = 240
"""The width of a day's bar, in units of the drawing."""
SHOWN = 5
MOST_NEXT = 6
MOST_CLOSURES = 20
"""How many of the last closures are compared with the rules, to find the one that each can be undone by."""

Pieces = list[tuple[int, int]]


@dataclass(frozen=True)
class Bar:
    """A piece of a day's bar. `kind` is open, add (only the new hours have it) or del (only the old ones had it)."""

    x: str
    width: str
    kind: str


@dataclass(frozen=True)
class WeekRow:
    key: str
    name: str
    short: str
    bars: list[Bar]
    total: timedelta


def week_rows(rules: CalendarRules, before: CalendarRules) -> list[WeekRow]:
    """Return Monday to Sunday, each with its bar: what is open, what the change adds and what it takes away."""
    monday = date(2024, 1, 1)
    rows = []
    for number, key in enumerate(WEEKDAYS):
        new, old = _of_day(rules, number), _of_day(before, number)
        bars = [
            *(Bar(*_span(piece), "open") for piece in _both(new, old)),
            *(Bar(*_span(piece), "add") for piece in _without(new, old)),
            *(Bar(*_span(piece), "del") for piece in _without(old, new)),
        ]
        day = monday + timedelta(days=number)
        total = timedelta(seconds=sum(end - begin for begin, end in new))
        rows.append(WeekRow(key, date_format(day, "l"), format_date(day, "D"), bars, total))
    return rows


def week_total(rules: CalendarRules) -> timedelta:
    return sum((timedelta(seconds=sum(b - a for a, b in _of_day(rules, n))) for n in range(7)), timedelta())


def _of_day(rules: CalendarRules, number: int) -> Pieces:
    """Return the open pieces of a weekday between its two midnights, in seconds."""
    if rules.always:
        return [(0, DAY)]
    own = [(begin, min(end, DAY)) for begin, end in rules.week[number]]
    rest = [(0, end - DAY) for _begin, end in rules.week[number - 1] if end > DAY]
    return sorted(rest + own)


def _span(piece: tuple[int, int]) -> tuple[str, str]:
    begin, end = piece
    return (
        f"{begin * WIDTH / DAY:.1f}",
        f"{(end - begin) * WIDTH / DAY:.1f}",
    )  # a decimal point in all languages


def _both(one: Pieces, other: Pieces) -> Pieces:
    pieces = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return sorted(piece for piece in pieces if piece[0] < piece[1])


def _without(one: Pieces, other: Pieces) -> Pieces:
    left = one
    for begin, end in other:
        left = [part for a, b in left for part in ((a, min(b, begin)), (max(a, end), b)) if part[0] < part[1]]
    return left


@dataclass(frozen=True)
class ComingDay:
    """One of the next seven days. `kind` is today, closed, changed (other hours than before the change) or empty."""

    day: date
    hours: list[str]
    total: timedelta
    kind: str
    note: str


def coming_days(rules: CalendarRules, before: CalendarRules, *, now: datetime) -> list[ComingDay]:
    """Return today and the six days after it, in the calendar's zone, with the hours of each."""
    today = now.astimezone(ZoneInfo(rules.zone)).date()
    result = []
    for number in range(7):
        day = today + timedelta(days=number)
        hours, total, reason = hours_of(rules, day)
        is_changed = hours != hours_of(before, day)[0]
        kind = "today" if not number else "closed" if not hours else "changed" if is_changed else ""
        note = _("hoy") if not number else _("cambia") if is_changed else ""
        result.append(ComingDay(day, hours, total, kind, reason or note))
    return result


@dataclass(frozen=True)
class Cell:
    x: int
    y: int
    number: int
    kind: str
    """Holiday, own (other hours), closure, weekend or empty."""
    is_today: bool
    title: str


def year_months(rules: CalendarRules, year: int, *, today: date) -> list[dict[str, Any]]:
    """Return the twelve months with the place of each day in a drawing of 146 × 150."""
    own = {each.day: each for each in rules.days if each.day.year == year}
    closed = {day: closure for closure in rules.closures for day in _days_of(closure) if day.year == year}
    result = []
    for month in range(1, 13):
        cells = []
        for week, row in enumerate(months.monthcalendar(year, month)):
            for weekday, number in enumerate(row):
                if not number:
                    continue
                day = date(year, month, number)
                kind = "weekend" if not rules.always and not rules.week[weekday] else ""
                title = ""
                if each := own.get(day):
                    kind, title = ("own" if each.hours else "holiday"), own_name(each)
                elif closure := closed.get(day):
                    kind, title = "closure", own_name(closure)
                if title:
                    title = f"{date_format(day, 'j F')}: {title}"
                cells.append(Cell(10 + weekday * 21, 36 + week * 21, number, kind, day == today, title))
        name = date_format(date(year, month, 1), "F").capitalize()
        result.append({"name": name, "cells": cells})
    return result


def own_name(each: OwnDay | Closure) -> str:
    """Return the name of a holiday or closure in the reader's language, if the desk has one."""
    return each.name_en if each.name_en and get_language() == "en" else each.name


@dataclass(frozen=True)
class NextDay:
    """A holiday, a day with other hours or a closure that is still to come. `source` is empty for the desk's own."""

    when: str
    name: str
    source: str


def next_days(rules: CalendarRules, *, now: datetime) -> list[NextDay]:
    """Return the first holidays, own days and closures that are not over, in the order in which they begin."""
    wall = now.astimezone(ZoneInfo(rules.zone)).replace(tzinfo=None)
    days = [
        (datetime.combine(own.day, time.min), NextDay(short_day(own.day), own_name(own), own.source))
        for own in rules.days
        if own.day >= wall.date()
    ]
    closures = [
        (each.start, NextDay(closure_times(each), own_name(each), ""))
        for each in rules.closures
        if each.end > wall
    ]
    return [row for _start, row in sorted(days + closures, key=lambda each: each[0])[:MOST_NEXT]]


def closure_times(closure: Closure) -> str:
    """Return from when until when, with the date once if both are on one day: «mar 1 dic, 10:00–15:00»."""
    first, last = closure.start.date(), (closure.end - timedelta(seconds=1)).date()
    begin, end = f"{closure.start:%-H:%M}", f"{closure.end:%-H:%M}"
    if first == last:
        return f"{_dated(first)}, {begin}–{'24:00' if closure.end.date() > last else end}"
    return f"{_dated(first)}, {begin} – {_dated(closure.end.date())}, {end}"


def _dated(day: date) -> str:
    """Format the day of a closure: with its date, because «mañana» may be another day in the calendar's zone."""
    return in_case(format_date(day, "D j b"))


def _days_of(closure: Closure) -> Iterable[date]:
    day = closure.start.date()
    while day <= (closure.end - timedelta(seconds=1)).date():
        yield day
        day += timedelta(days=1)


def users_of(calendar: Calendar) -> list[str]:
    """Return the names of the processes whose targets in force count in this calendar."""
    processes = Process.objects.filter(current__isnull=False).select_related("current", "policy")
    return [
        str(process.definition.name) for process in processes if targets_of(process).calendar == calendar.key
    ]


# --- What a change does ---------------------------------------------------------------------------

KINDS = {
    "vencidos": {"is_breached": True},
    "anulados": {"is_cleared": True},
    "despues": {"is_later": True},
    "antes": {"is_later": False},
}
LABELS = {
    "vencidos": gettext_lazy("Vencidos"),
    "anulados": gettext_lazy("Anulados"),
    "despues": gettext_lazy("Después"),
    "antes": gettext_lazy("Antes"),
}
TALLIED = {"vencidos": "breached", "anulados": "cleared", "despues": "later", "antes": "earlier"}


def dues_of(change: ScheduleChange, kind: str, user: User) -> "QuerySet[DueChange]":
    """Return the due dates of one kind that the change moves, of tickets that the person may see."""
    rows = change.dues.filter(**KINDS[kind], ticket__in=Ticket.objects.visible_to(user))
    return rows.select_related("ticket", "clock").order_by("id")


def impact(change: ScheduleChange, user: User, chosen: str = "") -> dict[str, Any]:
    """Return what the panel «Qué cambia» shows: the figures, each with its list, and the first rows of one list."""
    tally = change.tally
    figures = [
        {
            "key": key,
            "label": LABELS[key],
            "count": tally.get(TALLIED[key], 0),
            "sentence": _sentence(key, tally),
        }
        for key in ("despues", "antes", "anulados", "vencidos")
    ]
    lists = [each for each in reversed(figures) if each["count"]]
    kind = chosen if chosen in KINDS else next((each["key"] for each in lists), "")
    return {
        "figures": figures,
        "same": tally.get("same", 0),
        "done": tally.get("done", 0),
        "overlaps": bool(lists),
        "lists": lists,
        "kind": kind,
        "rows": list(dues_of(change, kind, user)[:SHOWN]) if kind and not change.is_at_work else [],
        "more": max(0, tally.get(TALLIED.get(kind, ""), 0) - SHOWN),
        "raised": tally.get("raised", 0),
        "released": tally.get("released", 0),
    }


def _sentence(key: str, tally: dict[str, int]) -> str:
    count = tally.get(TALLIED[key], 0)
    return {
        "despues": ngettext("vence después", "vencen después", count),
        "antes": ngettext("vence antes", "vencen antes", count),
        "anulados": ngettext("vencimiento se anula", "vencimientos se anulan", count),
        "vencidos": ngettext("queda vencido", "quedan vencidos", count),
    }[key]


def proposed_closure(change: ScheduleChange | None) -> Closure | None:
    """Return the closure that a draft would add, None if it adds none."""
    if change is None or change.state != ChangeState.DRAFT or not change.is_closure:
        return None
    return next(iter(_added_closures(change)), None)


def _added_closures(change: ScheduleChange) -> set[Closure]:
    before = change.base.as_rules.closures if change.base else ()
    return set(CalendarRules.read(change.rules).closures) - set(before)


def closures_of(calendar: Calendar, rules: CalendarRules, *, now: datetime) -> list[dict[str, Any]]:
    """Return the closures that are not over yet or ended less than a week ago, with the change to undo each."""
    wall = now.astimezone(ZoneInfo(rules.zone)).replace(tzinfo=None)
    recent = [each for each in rules.closures if each.end > wall - timedelta(days=7)]
    if not recent:
        return []
    changes = calendar.changes.filter(is_closure=True, state__in=[ChangeState.APPLYING, ChangeState.APPLIED])
    by_closure: dict[Closure, ScheduleChange] = {}
    for change in changes.select_related("author", "base")[:MOST_CLOSURES]:
        for closure in _added_closures(change):
            by_closure.setdefault(closure, change)
    return [{"closure": each, "change": by_closure.get(each)} for each in recent]


def counts_in_words(rules: CalendarRules) -> str:
    """Return how a week of the calendar is summed up beside its name: «49 h» or «24/7»."""
    if rules.always:
        return "24/7"
    hours = week_total(rules) / timedelta(hours=1)
    return f"{hours:g} h".replace(".", ",") if hours % 1 else f"{hours:.0f} h"
