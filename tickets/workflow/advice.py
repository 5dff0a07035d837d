"""Warn about what a process file permits and its author probably did not mean. Advice does not stop publishing."""

import tomllib
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Department, User

from ..definitions.definition import Definition, Who
from ..definitions.lines import LineIndex, Path
from ..definitions.problems import Problem
from .paths import Paths

TEXT_KEYS = frozenset({
    "name", "label", "public_label", "description", "notice", "help", "placeholder", "pattern_help", "confirm", "done",
    "event", "body", "severity_label", "submit_label", "title_label", "title_help", "description_label",
    "description_help",
})  # fmt: skip


def advice_on(source: str, definition: Definition) -> list[Problem]:
    """Return the advice on a checked process file, sorted by line. Reads the desk's people."""
    index = LineIndex(source)
    found = [*_about_the_file(source, definition), *_about_people(definition)]
    return sorted(Problem(index.line(path), _name(path), message) for path, message in found)


def _name(path: Path) -> str:
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in path) or "—"


def _about_the_file(source: str, definition: Definition) -> Iterator[tuple[Path, str]]:
    spanish_only = list(_without_english(tomllib.loads(source)))
    if spanish_only:
        yield (
            spanish_only[0],
            ngettext(
                "%(n)d texto no tiene inglés: se leerá en español",
                "%(n)d textos no tienen inglés: se leerán en español. Este es el primero",
                len(spanish_only),
            )
            % {"n": len(spanish_only)},
        )
    if not definition.targets.first_response and not definition.targets.resolution:
        yield ("targets",), _("no hay plazos para ninguna severidad: ningún ticket vencerá")
    yield from _optional_but_required(definition)


def _without_english(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each text that is only in Spanish."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        here = (*path, key)
        if key in TEXT_KEYS and isinstance(item, str):
            yield here
        elif isinstance(item, dict) and "es" in item:
            if not item.get("en"):
                yield here
        else:
            yield from _without_english(item, here)


def _optional_but_required(definition: Definition) -> Iterator[tuple[Path, str]]:
    """Yield guards on a question that the requester may leave blank and that nobody is asked again: in the form of an
    action of the team they are asked, in one of the requester they are not."""
    paths = Paths(definition)
    for position, action in enumerate(definition.actions):
        if any(who.kind != "requester" for who in action.by):
            continue
        asked = {ask.field for each in [*paths.before(action.sources), action] for ask in each.asks}
        for number, guard in enumerate(action.guards):
            field = definition.field(guard.argument) if guard.name == "field_filled" else None
            optional = field is not None and (not field.required or field.categories or field.shown_when)
            if field and optional and field.filled_by == "requester" and field.key not in asked:
                yield (
                    ("actions", position, "guards", number),
                    _("el solicitante puede dejar «%s» sin responder, y después nadie la pregunta")
                    % field.key,
                )


def _about_people(definition: Definition) -> Iterator[tuple[Path, str]]:
    said: set[Who] = set()
    for path, who in _doers(definition):
        if who not in said and (message := _nobody_yet(who, definition)):
            said.add(who)
            yield path, message


def _doers(definition: Definition) -> Iterator[tuple[Path, Who]]:
    for position, stage in enumerate(definition.stages):
        yield ("stages", position, "owner"), stage.owner
    for position, action in enumerate(definition.actions):
        for number, who in enumerate(action.by):
            yield ("actions", position, "by", number), who
    for position, item in enumerate(definition.closing.checklist):
        for number, who in enumerate(item.by):
            yield ("closing", "checklist", position, "by", number), who


def _nobody_yet(who: Who, definition: Definition) -> str:
    """Return what the desk lacks for `who` to include somebody today; "" if nothing."""
    staff = User.objects.staff()
    match who.kind:
        case "user" if not staff.filter(email=who.name.lower()).exists():
            return _("hoy nadie del equipo tiene el correo «%s»") % who.name
        case "department" if who.name and not staff.filter(departments__key=who.name).exists():
            return _("hoy nadie pertenece al departamento «%s»") % who.name
        case "department" if who.name and Department.objects.filter(key=who.name, is_active=False).exists():
            return _("el departamento «%s» está desactivado") % who.name
        case "group":
            group = definition.group(who.name)
            held = Group.objects.filter(name__iexact=who.name, user__in=staff).exists()
            if not held and group is not None and not group.while_empty:
                return _("hoy nadie pertenece al grupo «%s»") % who.name
    return ""
