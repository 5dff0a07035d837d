"""A quarter of ended tickets before the stories: recorded once from a simulation, and loaded with its dates moved.

`manage.py simulate --record FILE` writes the file. People, departments, categories and processes stand in it by their
keys, moments as seconds before its end. It is moved by whole weeks, so that weekdays and hours stay what they were; the
time that it was recorded in has no holidays, which would stay behind. A column that is younger than the file keeps its
default.
"""

import json
import lzma
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import DateTimeField, DurationField, ForeignKey, GeneratedField, JSONField
from django.utils.dateparse import parse_datetime

from accounts.models import Department, User
from tickets.models import (
    Breach,
    Calendar,
    CalendarVersion,
    Category,
    ChangedText,
    ChecklistEntry,
    Clock,
    ContactEntry,
    FolioCounter,
    Message,
    Pause,
    PolicyVersion,
    Process,
    ProcessVersion,
    StageVisit,
    Survey,
    Ticket,
    TicketEvent,
)
from tickets.record.days import mark_tickets

FILE = Path(__file__).with_name("history.json.xz")
RECORDED: tuple[type[models.Model], ...] = (
    Ticket, Message, TicketEvent, Clock, Pause, Breach, Survey, StageVisit, ChecklistEntry, ContactEntry,
)  # fmt: skip
"""In this order, because later ones refer to earlier ones."""
LEFT_OUT = {"id", "folio", "idempotency_key"}
WEEK = timedelta(days=7)
USERS, DEPARTMENTS = ("assignee_id", "requester_id", "requester"), ("department_id", "department")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")
Row = list[Any]


def _columns(model: type[models.Model]) -> list[Any]:
    return [
        field
        for field in model._meta.concrete_fields
        if field.name not in LEFT_OUT and not isinstance(field, GeneratedField)
    ]


# --- Recording ------------------------------------------------------------------------------------------------------


def record(path: Path, *, until: datetime) -> int:
    """Write the tickets that have ended, with all their rows. Returns how many they are."""
    ended = Ticket.objects.filter(
        closed_at__lt=until - timedelta(days=1), follows__isnull=True, followed_by__isnull=True,
        duplicate_of__isnull=True, duplicates__isnull=True, late_reply_at__isnull=True, nonconformities__isnull=True,
    ).order_by("created_at", "id")  # fmt: skip
    pks = list(ended.values_list("pk", flat=True))
    keys = _Keys(until)
    data: dict[str, Any] = {"until": until.isoformat(), "columns": {}, "rows": {}}
    for model in RECORDED:
        path_to = {Ticket: "pk__in", Pause: "clock__ticket__in"}.get(model, "ticket__in")
        rows = model._default_manager.filter(**{path_to: pks}).order_by(
            "created_at" if model is Ticket else "pk"
        )
        columns = _columns(model)
        data["columns"][model.__name__] = [field.name for field in columns]
        data["rows"][model.__name__] = [
            [row.pk, *(keys.written(field, row) for field in columns)] for row in rows
        ]
    path.write_bytes(lzma.compress(json.dumps(data, separators=(",", ":")).encode()))
    return len(pks)


class _Keys:
    """Writes the values of rows by keys that other databases know."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        self.users = dict(User.objects.values_list("pk", "email"))
        self.departments = dict(Department.objects.values_list("pk", "key"))
        self.categories = {
            row.pk: f"{row.process.key}.{row.key}" for row in Category.objects.select_related("process")
        }
        self.processes = {row.pk: row.process.key for row in ProcessVersion.objects.select_related("process")}
        self.calendars = {
            row.pk: row.calendar.key for row in CalendarVersion.objects.select_related("calendar")
        }
        self.policies = {row.pk: row.process.key for row in PolicyVersion.objects.select_related("process")}

    def written(self, field: Any, row: models.Model) -> Any:
        value = getattr(row, field.attname)
        if value is None:
            return None
        if isinstance(field, DateTimeField):
            is_no_date = (
                value.year > self.until.year + 1000
            )  # such as `sla.FAR_FUTURE`, which moves with nothing
            return value.isoformat() if is_no_date else round((value - self.until).total_seconds(), 6)
        if isinstance(field, DurationField):
            return value.total_seconds()
        if isinstance(field, JSONField):
            return self.plain(value)
        if isinstance(field, ForeignKey):
            named: dict[Any, dict[int, str]] = {
                User: self.users,
                Department: self.departments,
                Category: self.categories,
                ProcessVersion: self.processes,
                CalendarVersion: self.calendars,
                PolicyVersion: self.policies,
            }
            related = field.related_model
            return value if related in RECORDED else named[related][value]
        return value

    def plain(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self.plain(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [self.plain(each, name) for each in value]
        if isinstance(value, int) and not isinstance(value, bool) and name in USERS and value in self.users:
            return {"$user": self.users[value]}
        if isinstance(value, int) and not isinstance(value, bool) and name in DEPARTMENTS:
            return {"$department": self.departments[value]}
        if (
            isinstance(value, str)
            and ISO.fullmatch(value)
            and (moment := parse_datetime(value))
            and moment.tzinfo
        ):
            return {"$at": (moment - self.until).total_seconds()}
        return value


# --- Loading --------------------------------------------------------------------------------------------------------


def load(now: datetime, *, path: Path = FILE) -> int:
    """Load the recorded tickets so that they end within the week before `now`, with the first folios. Returns how many
    they are."""
    data = json.loads(lzma.decompress(path.read_bytes()))
    until = datetime.fromisoformat(data["until"])
    read = _Reader(until + (now - until) // WEEK * WEEK)
    for model in RECORDED:
        rows = data["rows"][model.__name__]
        columns = [model._meta.get_field(name) for name in data["columns"][model.__name__]]
        made = [read.row(model, columns, row[1:]) for row in rows]
        if model is Ticket:
            _number(made)
        model._default_manager.bulk_create(made, batch_size=500)
        read.known[model] = {row[0]: each for row, each in zip(rows, made, strict=True)}
    tickets = list(read.known[Ticket].values())
    mark_tickets(tickets)
    ChangedText.objects.bulk_create(ChangedText(ticket=ticket) for ticket in tickets)
    return len(tickets)


def _number(tickets: Iterable[Any]) -> None:
    last = settings.DESK_FOLIO_START
    for ticket in tickets:
        last += 1
        ticket.folio = f"{settings.DESK_FOLIO_PREFIX}-{last}"
    FolioCounter.objects.update_or_create(name=settings.DESK_FOLIO_PREFIX, defaults={"last": last})


class _Reader:
    """Makes rows of what was recorded."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        self.known: dict[type[models.Model], dict[int, Any]] = {}
        self.users = {user.email: user for user in User.objects.all()}
        self.departments = {row.key: row for row in Department.objects.all()}
        categories = Category.objects.select_related("process")
        self.categories = {f"{row.process.key}.{row.key}": row for row in categories}
        processes = Process.objects.filter(current__isnull=False).select_related("current")
        self.processes = {row.key: row.current for row in processes}
        self.calendars = {row.key: row.current for row in Calendar.objects.select_related("current")}
        policies = Process.objects.filter(policy__isnull=False).select_related("policy")
        self.policies = {row.key: row.policy for row in policies}

    def row(self, model: type[models.Model], columns: list[Any], values: Row) -> Any:
        pairs = zip(columns, values, strict=True)
        return model(**{field.name: self._value(field, value) for field, value in pairs})

    def _value(self, field: Any, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(field, DateTimeField):
            if isinstance(value, str):
                return datetime.fromisoformat(value)
            return self.until + timedelta(seconds=value)
        if isinstance(field, DurationField):
            return timedelta(seconds=value)
        if isinstance(field, JSONField):
            return self._filled(value)
        if isinstance(field, ForeignKey):
            related: Any = field.related_model
            named: dict[Any, dict[str, Any]] = {
                User: self.users,
                Department: self.departments,
                Category: self.categories,
                ProcessVersion: self.processes,
                CalendarVersion: self.calendars,
                PolicyVersion: self.policies,
            }
            return named[related][value] if related in named else self.known[related][value]
        return value

    def _filled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if not isinstance(value, dict):
            return value
        marks: dict[str, Callable[[Any], Any]] = {
            "$user": lambda email: self.users[email].pk,
            "$department": lambda key: self.departments[key].pk,
            "$at": lambda seconds: (self.until + timedelta(seconds=seconds)).isoformat(),
        }
        for mark, made in marks.items():
            if mark in value:
                return made(value[mark])
        return {key: self._filled(each) for key, each in value.items()}
