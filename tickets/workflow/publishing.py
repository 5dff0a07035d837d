"""Publishing of process files: their versions, and the departments, groups and categories that they need."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import CustomerKind, Department, User

from ..definitions.definition import Definition, Who
from ..definitions.diagram import draw
from ..definitions.lines import LineIndex, Path
from ..definitions.problems import DefinitionError, Problem
from ..models import Calendar, Process, ProcessVersion
from ..promises import targets_of
from .checking import load
from .offering import gone_stages, update_categories, update_needs


@dataclass(frozen=True)
class Publication:
    """The version that is now in use, whether it is new, and a sentence for each change that people notice."""

    version: ProcessVersion
    is_new: bool = True
    changes: tuple[str, ...] = ()


def publish(source: str, *, position: int | None = None) -> ProcessVersion:
    """Publish as `put_in_use` does, and return the version alone."""
    return put_in_use(source, position=position).version


@transaction.atomic
def put_in_use(source: str, *, position: int | None = None) -> Publication:
    """Check a process file and make it the current version of its process.

    Tickets filed before keep their version. The same text as the current version publishes nothing new. The desk's
    categories, departments, groups and customer kinds follow the file, except where the desk has edited them:
    see `offering`. Raises `DefinitionError`.
    """
    definition = check_for_desk(source)
    process, _created = Process.objects.get_or_create(
        key=definition.key, defaults={"position": Process.objects.count() if position is None else position}
    )
    process = Process.objects.select_for_update(of=("self",)).select_related("current").get(pk=process.pk)
    if process.current and process.current.source == source:
        return Publication(process.current, is_new=False)
    before = _definition_before(process)
    latest = process.versions.order_by("-number").first()
    version = ProcessVersion.objects.create(
        process=process,
        number=latest.number + 1 if latest else 1,
        source=source,
        diagram=draw(definition),
    )
    process.current = version
    process.save(update_fields=["current"])
    changes = [
        *update_needs(before, definition),
        *update_categories(process, before, definition),
        *gone_stages(process, before, definition),
        *_other_targets(process, definition),
        *_home_changes(before, definition),
    ]
    return Publication(version, changes=tuple(changes))


def _other_targets(process: Process, definition: Definition) -> Iterator[str]:
    """Say that the desk's own targets stay in force, if the file's are others."""
    if process.policy_id is not None and targets_of(process) != definition.targets:
        yield _("«%(name)s» conserva los plazos de la mesa; los del archivo son otros.") % {
            "name": definition.name
        }


def _home_changes(before: Definition | None, definition: Definition) -> Iterator[str]:
    """Say what becomes of the form on the home page, if this version changes something about it."""
    names = {"name": definition.name}
    if not definition.on_home:
        if before is not None and before.on_home:
            yield _("La portada ya no lleva el formulario de «%(name)s».") % names
        return
    shown, *hidden = _processes_on_home()
    if shown.key != definition.key:
        yield _(
            "La portada lleva el formulario de «%(first)s», que va antes en el orden de los procesos; el de «%(name)s»"
            " no se ve en ella."
        ) % {**names, "first": shown}
    elif before is None or not before.on_home:
        yield _("La portada lleva ahora el formulario de «%(name)s».") % names
        if hidden:
            yield _("El formulario de «%(name)s» deja de verse en la portada.") % {"name": hidden[0]}


def _processes_on_home() -> list[Process]:
    """Return the processes in use whose form may be on the home page, in the desk's order: the first is shown."""
    in_use = Process.objects.filter(is_active=True, current__isnull=False)
    return [process for process in in_use if process.definition.on_home]


def _definition_before(process: Process) -> Definition | None:
    """Return the current definition. None if there is none, or if this program can no longer read it."""
    try:
        return process.current.definition if process.current else None
    except DefinitionError:
        return None


def check_for_desk(source: str) -> Definition:
    """Check a process file, also against the desk's departments and accounts, and return its definition. Raises
    `DefinitionError`."""
    definition = load(source)
    problems = [
        *_missing_departments(definition),
        *_missing_for_targets(definition),
        *_people_who_never_could(definition),
    ]
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


def _missing_for_targets(definition: Definition) -> Iterator[tuple[Path, str]]:
    """Yield the calendar and the customer kinds that the targets name, if they neither exist nor are declared."""
    targets = definition.targets
    declared = {calendar.key for calendar in definition.calendars}
    declared |= set(Calendar.objects.filter(key=targets.calendar).values_list("key", flat=True))
    if targets.calendar and targets.calendar not in declared:
        message = _("no hay un calendario «%s»: créalo o decláralo en [[calendars]]")
        yield ("targets", "calendar"), message % targets.calendar
    kinds = {special.customer_kind for special in targets.special if special.customer_kind}
    kinds -= {kind.key for kind in definition.customer_kinds}
    kinds -= set(CustomerKind.objects.filter(key__in=kinds).values_list("key", flat=True))
    for kind in sorted(kinds):
        yield ("targets", "special"), _("no hay un tipo de cliente «%s»") % kind


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
