"""Publishing of process files: their versions, and the departments, groups and categories that they need."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import CustomerKind, Department

from ..definitions.definition import Definition, Need, Who
from ..definitions.lines import LineIndex, Path
from ..definitions.problems import DefinitionError, Problem
from ..models import Category, Process, ProcessVersion
from .checking import load


@transaction.atomic
def publish(source: str, *, position: int | None = None) -> ProcessVersion:
    """Check a process file, make it the current version of its process, and return that version.

    Tickets filed before keep their version. The same text as the current version publishes nothing new. Departments,
    customer kinds, groups and categories of the file are created where the desk has none with that key; existing ones
    stay as the desk has edited them. Raises `DefinitionError`.
    """
    definition = check_for_desk(source)
    _create_needs(definition)
    process, _created = Process.objects.get_or_create(
        key=definition.key, defaults={"position": Process.objects.count() if position is None else position}
    )
    process = Process.objects.select_for_update(of=("self",)).select_related("current").get(pk=process.pk)
    if process.current and process.current.source == source:
        return process.current
    latest = process.versions.order_by("-number").first()
    version = ProcessVersion.objects.create(
        process=process, number=latest.number + 1 if latest else 1, source=source
    )
    process.current = version
    process.save(update_fields=["current"])
    _create_categories(process, definition)
    return version


def check_for_desk(source: str) -> Definition:
    """Check a process file, also that its departments exist or are declared in it, and return its definition. Raises
    `DefinitionError`."""
    definition = load(source)
    named = list(_named_departments(definition))
    known = {department.key for department in definition.departments}
    known |= set(
        Department.objects.filter(key__in={key for _path, key in named}).values_list("key", flat=True)
    )
    missing = [(path, key) for path, key in named if key not in known]
    if missing:
        index, message = (
            LineIndex(source),
            _("no hay un departamento «%s»: créalo o decláralo en [[departments]]"),
        )
        raise DefinitionError(
            [Problem(index.line(path), str(path[0]), message % key) for path, key in missing]
        )
    return definition


def _named_departments(definition: Definition) -> Iterator[tuple[Path, str]]:
    """Yield every department that the file refers to, with its path in the file."""
    if definition.department:
        yield ("department",), definition.department
    for position, category in enumerate(definition.categories):
        if category.department:
            yield ("categories", position, "department"), category.department
    for path, who in _named_people(definition):
        if who.kind == "department" and who.name:
            yield path, who.name


def _named_people(definition: Definition) -> Iterator[tuple[Path, Who]]:
    """Yield every `Who` of the file, with its path in the file."""
    for position, stage in enumerate(definition.stages):
        yield ("stages", position, "owner"), stage.owner
    for entry in definition.on_filed:
        yield ("intake", "notify"), entry.to
    for position, action in enumerate(definition.actions):
        for who in action.by:
            yield ("actions", position, "by"), who
        for entry in action.notify:
            yield ("actions", position, "notify"), entry.to


def _create_needs(definition: Definition) -> None:
    Department.objects.bulk_create(
        [Department(**_need_values(need, position)) for position, need in enumerate(definition.departments)],
        ignore_conflicts=True,
    )
    CustomerKind.objects.bulk_create(
        [
            CustomerKind(**_need_values(need, position))
            for position, need in enumerate(definition.customer_kinds)
        ],
        ignore_conflicts=True,
    )
    for group in definition.groups:
        if not Group.objects.filter(name__iexact=group.key).exists():
            Group.objects.create(name=group.key)


def _need_values(need: Need, position: int) -> dict[str, Any]:
    return {"key": need.key, "name": need.label.es, "name_en": need.label.en, "position": position}


def _create_categories(process: Process, definition: Definition) -> None:
    keys = {definition.department, *(category.department for category in definition.categories)}
    departments = {department.key: department for department in Department.objects.filter(key__in=keys)}
    Category.objects.bulk_create(
        [
            Category(
                process=process,
                key=item.key,
                name=item.label.es,
                name_en=item.label.en,
                description=item.description.es,
                description_en=item.description.en,
                notice=item.notice.es,
                notice_en=item.notice.en,
                icon=item.icon,
                department=departments.get(item.department or definition.department),
                case_kind=item.case_kind,
                severity=item.severity,
                position=position,
            )
            for position, item in enumerate(definition.categories)
        ],
        ignore_conflicts=True,
    )
