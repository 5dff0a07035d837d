"""Bring what the desk offers into line with a new version of a process: its categories, and the departments, groups and
customer kinds that it declares. Says what changes for people."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import CustomerKind, Department

from ..definitions.definition import CalendarNeed, CategoryDefinition, Definition, Need
from ..models import Calendar, CalendarVersion, Category, Process, Ticket


@dataclass(frozen=True)
class Offer:
    """The columns of a category that the process file decides. Desks may edit each of them afterwards."""

    name: str
    name_en: str
    description: str
    description_en: str
    notice: str
    notice_en: str
    icon: str
    department: str
    case_kind: str
    severity: str
    position: int

    @classmethod
    def of_file(cls, item: CategoryDefinition, definition: Definition, position: int) -> "Offer":
        return cls(
            name=item.label.es,
            name_en=item.label.en,
            description=item.description.es,
            description_en=item.description.en,
            notice=item.notice.es,
            notice_en=item.notice.en,
            icon=item.icon,
            department=item.department or definition.department,
            case_kind=item.case_kind,
            severity=item.severity,
            position=position,
        )

    @classmethod
    def of_row(cls, row: Category) -> "Offer":
        values = {field.name: getattr(row, field.name) for field in fields(cls)}
        return cls(**{**values, "department": row.department.key if row.department else ""})

    def columns(self, departments: dict[str, Department]) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "department": departments.get(self.department)}


def offers_of(definition: Definition | None) -> dict[str, Offer]:
    """Return what the file says of each category, by key."""
    if definition is None:
        return {}
    return {
        item.key: Offer.of_file(item, definition, position)
        for position, item in enumerate(definition.categories)
    }


def update_categories(process: Process, before: Definition | None, now: Definition) -> Iterator[str]:
    """Create, change, rename and retire the categories of the locked process. Yields a sentence for each change that
    people notice.

    A column that the desk has edited stays; the others follow the file. A category that was renamed is retired, and a
    new one with the same key takes its place, so that stored tickets keep the name under which they were filed.
    """
    old, new = offers_of(before), offers_of(now)
    departments = {row.key: row for row in Department.objects.all()}
    rows: dict[str, list[Category]] = {}
    for row in process.categories.select_related("department").order_by("-is_active", "-pk"):
        rows.setdefault(row.key, []).append(row)
    held = _open_tickets(process, "category")
    for key, stored in rows.items():
        if key not in new and stored[0].is_active:
            _retire(stored[0])
            yield _("«%(name)s» se retira.") % {"name": stored[0].name} + _kept(held.get(stored[0].pk, 0))
    for key, offer in new.items():
        stored = rows.get(key, [])
        active = stored[0] if stored and stored[0].is_active else None
        if active is not None:
            yield from _change(active, old.get(key), offer, departments, held.get(active.pk, 0))
        elif key in old and stored:
            yield _("«%(name)s» está desactivada en la administración y sigue sin ofrecerse.") % {
                "name": stored[0].name
            }
        else:
            again = next((row for row in stored if row.name == offer.name), None)
            row = again or Category(process=process, key=key)
            _write(row, offer.columns(departments) | {"is_active": True})
            if before is not None:
                yield _("«%(name)s» se ofrece desde ahora.") % {"name": offer.name}


def _change(
    row: Category, old: Offer | None, new: Offer, departments: dict[str, Department], held: int
) -> Iterator[str]:
    there = Offer.of_row(row)
    edited = {
        field.name
        for field in fields(Offer)
        if old is None or getattr(there, field.name) != getattr(old, field.name)
    }
    columns = {name: value for name, value in new.columns(departments).items() if name not in edited}
    if "name" in edited and old is not None and new.name != old.name and new.name != row.name:
        yield _("«%(name)s» conserva el nombre que le puso la administración; el archivo dice «%(new)s».") % {
            "name": row.name,
            "new": new.name,
        }
    if columns.get("name", row.name) == row.name:
        _write(row, columns)
        return
    _retire(row)
    kept = {field.name: getattr(row, field.name) for field in fields(Offer)}
    _write(Category(process=row.process, key=row.key), kept | columns)
    yield _("«%(name)s» pasa a llamarse «%(new)s».") % {"name": row.name, "new": new.name} + _kept(held)


def _write(row: Category, columns: dict[str, Any]) -> None:
    for name, value in columns.items():
        setattr(row, name, value)
    row.save()


def _retire(row: Category) -> None:
    row.is_active = False
    row.save(update_fields=["is_active"])


def _kept(count: int) -> str:
    if not count:
        return ""
    return " " + ngettext(
        "%(n)d ticket abierto conserva ese nombre.", "%(n)d tickets abiertos conservan ese nombre.", count
    ) % {"n": count}


def _open_tickets(process: Process, column: str) -> dict[Any, int]:
    """Return how many open tickets of the process have each value of `column`."""
    tickets = Ticket.objects.open().filter(process_version__process=process).order_by()
    return dict(tickets.values_list(column).annotate(Count("pk")))


def gone_stages(process: Process, before: Definition | None, now: Definition) -> Iterator[str]:
    """Yield a sentence for each stage that the new version lacks, with the open tickets that are still in it."""
    gone = [
        stage for stage in (before.stages if before else ()) if stage.key not in {s.key for s in now.stages}
    ]
    held = _open_tickets(process, "stage") if gone else {}
    for stage in gone:
        count = held.get(stage.key, 0)
        yield _("La etapa «%(name)s» ya no existe.") % {"name": stage.label} + (
            " "
            + ngettext(
                "%(n)d ticket abierto sigue en ella, con su versión.",
                "%(n)d tickets abiertos siguen en ella, con su versión.",
                count,
            )
            % {"n": count}
            if count
            else ""
        )


# --- Departments, groups and customer kinds -------------------------------------------------------------------


def update_needs(before: Definition | None, now: Definition) -> Iterator[str]:
    """Create the departments, groups and customer kinds that the file declares and the desk lacks. Yields a sentence
    for each that the file renames or no longer declares.

    A name that the desk has edited stays. Nothing is removed, because other processes and people may use it.
    """
    yield from _update_named(Department.objects.all(), before.departments if before else (), now.departments)
    kinds = before.customer_kinds if before else ()
    yield from _update_named(CustomerKind.objects.all(), kinds, now.customer_kinds)
    for group in now.groups:
        if not Group.objects.filter(name__iexact=group.key).exists():
            Group.objects.create(name=group.key)
    yield from _gone(before.groups if before else (), now.groups)
    for need in now.calendars:
        yield from _offer_calendar(need)


def _offer_calendar(need: CalendarNeed) -> Iterator[str]:
    """Create the calendar if the desk lacks it. One that is there stays as it is: its hours are the desk's."""
    names = {"name": need.label.es, "name_en": need.label.en}
    calendar, is_new = Calendar.objects.get_or_create(key=need.key, defaults=names)
    rules = need.rules.as_json()
    if is_new:
        calendar.current = CalendarVersion.objects.create(calendar=calendar, number=1, rules=rules)
        calendar.save(update_fields=["current"])
    elif calendar.current and calendar.current.rules != rules:
        yield _("«%(name)s» conserva su horario de la mesa; el del archivo es otro.") % {
            "name": calendar.name
        }


def _update_named(rows: "QuerySet[Any]", before: Iterable[Need], now: tuple[Need, ...]) -> Iterator[str]:
    before = tuple(before)
    rows.model.objects.bulk_create(
        [
            rows.model(key=need.key, name=need.label.es, name_en=need.label.en, position=position)
            for position, need in enumerate(now)
        ],
        ignore_conflicts=True,
    )
    there = {row.key: row for row in rows.filter(key__in=[need.key for need in now])}
    for need in now:
        old = next((item for item in before if item.key == need.key), None)
        row = there[need.key]
        if old is None or (old.label.es, old.label.en) == (need.label.es, need.label.en):
            continue
        if (row.name, row.name_en) != (old.label.es, old.label.en):
            yield _(
                "«%(name)s» conserva el nombre que le puso la administración; el archivo dice «%(new)s»."
            ) % {
                "name": row.name,
                "new": need.label.es,
            }
            continue
        row.name, row.name_en = need.label.es, need.label.en
        row.save(update_fields=["name", "name_en"])
        if old.label.es != need.label.es:
            yield _("«%(name)s» pasa a llamarse «%(new)s».") % {"name": old.label.es, "new": need.label.es}
    yield from _gone(before, now)


def _gone(before: Iterable[Need], now: Iterable[Need]) -> Iterator[str]:
    kept = {need.key for need in now}
    for need in before:
        if need.key not in kept:
            yield _("El archivo ya no nombra «%(name)s», que sigue en la mesa por si otros lo usan.") % {
                "name": need.label.es
            }
