"""Publishing of process files: their versions, and the departments, groups and categories that they need."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import CustomerKind, Department, User

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
    """Check a process file, also against the desk's departments and accounts, and return its definition. Raises
    `DefinitionError`."""
    definition = load(source)
    problems = [*_missing_departments(definition), *_people_who_never_could(definition)]
    if problems:
        index = LineIndex(source)
        raise DefinitionError(
            [Problem(index.line(path), str(path[0]), message) for path, message in problems]
        )
    return definition


def _missing_departments(definition: Definition) -> Iterator[tuple[Path, str]]:
    """Yield departments that neither exist nor are declared in the file, and answers that name none."""
    known = {department.key for department in definition.departments}
    known |= set(Department.objects.values_list("key", flat=True))
    for path, key in _named_departments(definition):
        if key not in known:
            yield path, _("no hay un departamento «%s»: créalo o decláralo en [[departments]]") % key
    for path, who in _named_people(definition):
        field = definition.field(who.name) if who.kind == "department_of" else None
        if field is not None and not {option.key for option in field.options} & known:
            yield path, _("ninguna opción de «%s» es la clave de un departamento") % field.key


def _people_who_never_could(definition: Definition) -> Iterator[tuple[Path, str]]:
    """Yield the people named by address who have an account that may do nothing on the desk."""
    named = [(path, who.name.lower()) for path, who in _named_people(definition) if who.kind == "user"]
    accounts = {user.email: user for user in User.objects.filter(email__in={email for _path, email in named})}
    for path, email in named:
        user = accounts.get(email)
        if user is not None and not (user.is_active and user.is_desk_staff):
            yield path, _("«%s» no es del equipo, o su cuenta está desactivada: no vería el ticket") % email


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
    for position, item in enumerate(definition.closing.checklist):
        for who in item.by:
            yield ("closing", "checklist", position, "by"), who


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
