"""Read typed values from parsed TOML and collect every problem instead of stopping at the first."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from enum import Enum
from math import isfinite
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from content.errors import InvalidData

from ..calendars import CalendarRules, Target
from .definition import NO_TEXT, Call, Text, When, Who
from .lines import LineIndex
from .problems import Problem

E = TypeVar("E", bound=Enum)

KEY = re.compile(r"^[a-z0-9][a-z0-9_\-]{0,39}$")
CALENDAR_KEYS = frozenset({"zone", "always", "week", "days", "closures"})
WHO_ALONE = frozenset({"requester", "assignee", "owner", "staff", "department", "managers", "nobody"})
WHO_NAMED = frozenset({"role", "department", "department_of", "group", "user", "actor_of"})


SPANISH = {
    "acciones": "actions", "archivos": "files", "campos": "fields", "categorias": "categories", "cierre": "closing",
    "clave": "key", "departamentos": "departments", "departamento": "department", "desde": "from", "descripcion":
    "description", "efectos": "effects", "etapas": "stages", "etiqueta": "label", "grupos": "groups", "nombre": "name",
    "plazos": "targets", "preguntas": "fields", "respuestas": "responses", "tipo": "type",
    "tipos_de_cliente": "customer_kinds", "titulo": "label",
}  # fmt: skip
"""Words that authors write for a key of the format, and the key."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the word of `known` that the author probably meant, or "" if none is near."""
    known = sorted(known)
    plain = SPANISH.get(word.lower().translate(str.maketrans("áéíóúñ", "aeioun")), word)
    if plain in known:
        return plain
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.7)), "")


def _plain(value: Any) -> Any:
    """Return a value of TOML as JSON has it: dates and times become text."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


class Reader:
    """One table of the file. Each getter reads the value of `key` and returns it with its type checked.

    A getter that finds a wrong value adds a `Problem` and still returns a usable value, mostly the default, so that
    reading can go on. `finish` reports the keys that no getter has read.
    """

    def __init__(
        self, data: dict[str, Any], path: tuple[str | int, ...], index: LineIndex, problems: list[Problem]
    ) -> None:
        self.data, self.path, self.index, self.problems = data, path, index, problems
        self._seen: set[str] = set()

    def problem(self, message: str, key: str = "") -> None:
        """Add a `Problem` with the line and path of `key`, or of the whole table without one."""
        path = (*self.path, key) if key else self.path
        name = ".".join(str(part + 1 if isinstance(part, int) else part) for part in path) or "—"
        self.problems.append(Problem(self.index.line(path), name, message))

    def finish(self) -> None:
        """Report the keys that no getter has read: most are misspelt."""
        for key in self.data.keys() - self._seen:
            if near := suggestion(key, self._seen):
                self.problem(_("no conocemos «%(key)s» aquí: ¿%(near)s?") % {"key": key, "near": near}, key)
            else:
                self.problem(_("no conocemos «%(key)s» aquí") % {"key": key}, key)

    def _get(self, key: str, kind: type, default: Any) -> Any:
        self._seen.add(key)
        value = self.data.get(key, default)
        wrong = key in self.data and (
            not isinstance(value, kind) or (kind is int and isinstance(value, bool))
        )
        if wrong:
            names = {
                str: _("un texto"),
                int: _("un número entero"),
                bool: "true / false",
                list: _("una lista"),
            }
            self.problem(_("se esperaba %(kind)s") % {"kind": names.get(kind, _("una tabla"))}, key)
            return default
        return value

    def string(self, key: str, default: str = "", *, among: tuple[str, ...] | None = None) -> str:
        value: str = self._get(key, str, default)
        if among is not None and value not in among:
            self.problem(
                _("«%(value)s» no es uno de: %(names)s")
                % {"value": value, "names": ", ".join(filter(None, among))},
                key,
            )
            return default
        return value

    def key(self, key: str = "key", *, upper: bool = False) -> str:
        value = self.string(key)
        if not KEY.match(value.lower() if upper else value):
            self.problem(_("falta una clave en minúsculas, sin espacios ni tildes"), key)
        return value

    def integer(self, key: str, default: int = 0, *, low: int = 0, high: int = 10_000) -> int:
        value: int = self._get(key, int, default)
        if not low <= value <= high:
            self.problem(_("debe estar entre %(low)d y %(high)d") % {"low": low, "high": high}, key)
            return default
        return value

    def number(self, key: str) -> float | None:
        self._seen.add(key)
        value = self.data.get(key)
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        usable = is_integer or (isinstance(value, float) and isfinite(value))
        if value is not None and not usable:
            self.problem(_("se esperaba un número"), key)
            return None
        return value

    def boolean(self, key: str, default: bool = False) -> bool:
        return bool(self._get(key, bool, default))

    def choice(self, key: str, kind: type[E], default: E) -> E:
        value = self.string(key, default.value, among=tuple(member.value for member in kind))
        return kind(value)

    def text(self, key: str, *, required: bool = False) -> Text:
        """Return the text of a table `{ es = "…", en = "…" }` or of a bare string, which is Spanish."""
        self._seen.add(key)
        value = self.data.get(key)
        if value is None:
            if required:
                self.problem(_("falta el texto en español"), key)
            return NO_TEXT
        if isinstance(value, str):
            return Text(value.strip())
        languages = value if isinstance(value, dict) else {}
        if not isinstance(languages.get("es"), str) or not all(
            isinstance(v, str) for v in languages.values()
        ):
            self.problem(_("se esperaba un texto o { es = …, en = … }"), key)
            return NO_TEXT
        for language in languages.keys() - {"es", "en"}:
            self.problem(_("no hablamos «%(language)s»") % {"language": language}, key)
        return Text(languages["es"].strip(), languages.get("en", "").strip())

    def strings(self, key: str, *, among: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self._get(key, list, [])
        result = []
        for item in value:
            if not isinstance(item, str):
                self.problem(_("se esperaba una lista de textos"), key)
            elif among is not None and item not in among:
                self.problem(
                    _("«%(value)s» no es uno de: %(names)s") % {"value": item, "names": ", ".join(among)}, key
                )
            else:
                result.append(item)
        return tuple(result)

    def tables(self, key: str) -> "Iterator[Reader]":
        for position, item in enumerate(self._get(key, list, [])):
            if isinstance(item, dict):
                yield Reader(item, (*self.path, key, position), self.index, self.problems)
            else:
                self.problem(_("se esperaba una tabla"), key)

    def items(self, key: str, shorthand: str) -> "Iterator[Reader]":
        """Yield a `Reader` for each member of a list of tables. A member that is a string `x` is short for the table
        `{ shorthand = x }`."""
        for position, item in enumerate(self._get(key, list, [])):
            data = {shorthand: item} if isinstance(item, str) else item
            if isinstance(data, dict):
                yield Reader(data, (*self.path, key, position), self.index, self.problems)
            else:
                self.problem(_("se esperaba un texto o una tabla"), key)

    def table(self, key: str) -> "Reader":
        value = self._get(key, dict, {})
        return Reader(value, (*self.path, key), self.index, self.problems)

    def target(self, key: str) -> Target | None:
        """Return a promised time such as `30m`, `8 working hours` or `5d`; None if there is none."""
        value = self.string(key)
        target = Target.parse(value)
        if value and target is None:
            self.problem(
                _(
                    "se esperaba un plazo como 30m, 4h, 5d, 8 working hours, 5 working days o 30 calendar days"
                ),
                key,
            )
        return target

    def targets(self, key: str, names: tuple[str, ...]) -> dict[str, Target]:
        """Return a table of promised times, whose keys must be among `names`."""
        table = self.table(key)
        result = {}
        for name in table.data:
            if name not in names:
                table.problem(_("se esperaba uno de: %(names)s") % {"names": ", ".join(names)}, name)
            elif target := table.target(name):
                result[name] = target
            elif not table.data[name]:
                table.problem(_("falta el plazo"), name)
        return result

    def calendar_rules(self) -> CalendarRules | None:
        """Return what this table says of a calendar: its zone, hours, own days and closures. None if it cannot be
        used."""
        self._seen.update(CALENDAR_KEYS)
        given = {key: _plain(value) for key, value in self.data.items() if key in CALENDAR_KEYS}
        try:
            return CalendarRules.read(given)
        except InvalidData as error:
            for path, messages in error.errors.items():
                key, *rest = path.split(".")
                for message in messages:
                    self.problem(": ".join([*rest[-1:], message]) if rest else message, key)
            return None

    def lists(self, key: str) -> dict[str, tuple[str, ...]]:
        """Return a table whose values are strings or lists of strings; each value becomes a tuple. `true`, `false` and
        numbers become strings, because they are what answers look like."""
        table = self.table(key)
        return {name: tuple(table.answers(name)) for name in table.data}

    def answers(self, key: str) -> "Iterator[str]":
        value = self.data[key]
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, bool):
                yield "yes" if item else "no"
            elif isinstance(item, str | int | float):
                yield str(item)
            else:
                self.problem(_("se esperaba una respuesta o una lista de respuestas"), key)

    def who(self, key: str, default: str = "") -> Who:
        return self._who(self.string(key, default), key)

    def whos(self, key: str) -> tuple[Who, ...]:
        return tuple(self._who(value, key) for value in self.strings(key))

    def _who(self, value: str, key: str) -> Who:
        kind, _colon, name = value.partition(":")
        known = kind in WHO_NAMED and name if _colon else kind in WHO_ALONE
        if not known:
            self.problem(_("«%(value)s» no nombra a nadie que conozcamos") % {"value": value}, key)
        return Who(kind, name)

    def calls(self, key: str) -> tuple[Call, ...]:
        return tuple(Call(*value.split(":", 1)) for value in self.strings(key))

    def conditions(self, key: str = "when") -> tuple[When, ...]:
        """Return the conditions that a string or a list of strings names: `contribution_open`, `not assigned`,
        `field.tipo=error`. All of them must be true."""
        values = (self.string(key),) if isinstance(self.data.get(key), str) else self.strings(key)
        result = []
        for value in values:
            negated = value.startswith("not ")
            name, _equals, expected = value.removeprefix("not ").strip().partition("=")
            if name.startswith("field.") != bool(_equals):
                self.problem(_("se esperaba una condición o field.clave=valor"), key)
            result.append(When(name.strip(), expected.strip(), negated))
        return tuple(result)
