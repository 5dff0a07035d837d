"""The mutants of `make mutants`: a process file with one value changed, or one registered function replaced."""

import inspect
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path as FilePath
from typing import Any

from tickets.definitions.lines import LineIndex, Path

ROOT = FilePath(__file__).resolve().parent.parent
LIBRARY = "tickets/definitions/library"
RULES = ("guards", "effects", "when", "by", "asks", "targets", "to", "notify")
"""Kinds named after the key that holds the rule."""
SECTIONS = {
    "actions": "moments",
    "categories": "categories",
    "closing": "closing",
    "fields": "fields",
    "files": "files",
    "responses": "responses",
    "stages": "stages",
}
"""Kinds named after the part of the file that holds the value. All other values are `settings`."""
KINDS = (*RULES, *SECTIONS.values(), "settings", "functions")
Site = tuple[str, str, str]
"""A value that a test may read: the class that holds it, the key of the object, the attribute. For a registered
function: guard, effect or condition, its key, and ""."""


@dataclass(frozen=True)
class Mutant:
    kind: str
    file: str
    line: int
    change: str
    sites: frozenset[Site]
    """Only a test that reads one of these can notice the change."""
    apply: Callable[[dict[str, str]], None]
    """Changes this Python process for good: one text of the dict it is given, or one registered function."""
    process: str = ""
    path: Path = ()
    text: str = ""
    """The whole process file after the change."""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


class Spans(LineIndex):
    """A `LineIndex` that also knows where each value begins and ends."""

    def __init__(self, source: str) -> None:
        self.spans: dict[Path, slice] = {}
        super().__init__(source)

    def _value(self, path: Path) -> None:
        start = self._at
        super()._value(path)
        self.spans[path] = slice(start, self._at)


def of_files(library: Mapping[str, str]) -> Iterator[Mutant]:
    for process, text in library.items():
        index, data = Spans(text), tomllib.loads(text)
        for path, new, site in _edits(process, data):
            span, kind = index.spans[path], _kind(path)
            old, rest = text[span], text[span.stop :]
            if new is None:
                rest = re.sub(r"\A\s*,", "", rest)  # a comma before the last member may stay
            elif kind == "asks" and old.startswith("{"):
                new = old.replace("{", "{ required = false,", 1)
            section = str(path[0])
            owner = data[section][path[1]]["key"] if isinstance(data[section], list) else section
            changed = text[: span.start] + (new or "") + rest
            sites = {site}
            if "post_response" in old:  # what an action posts, the composer leaves out
                sites.add(("Definition", process, "posted_responses"))
            yield Mutant(
                kind=kind,
                file=f"{LIBRARY}/{process}.toml",
                line=index.line(path),
                change=f"{owner}, {kind}: {old:.60} {'removed' if new is None else f'→ {new:.60}'}",
                sites=frozenset(sites),
                apply=partial(_rewrite, process, changed),
                process=process,
                path=path,
                text=changed,
            )


def _rewrite(process: str, text: str, library: dict[str, str]) -> None:
    library[process] = text


def _kind(path: Path) -> str:
    is_of_person = path[0] in ("actions", "intake", "targets") or "when" in path
    found = (name for name in RULES if name in path and is_of_person)
    return next(found, SECTIONS.get(str(path[0]), "settings"))


def _edits(process: str, data: dict[str, Any]) -> Iterator[tuple[Path, str | None, Site]]:
    """Yield the path of a value, the TOML to put there (None removes it from its list), and its `Site`."""
    for number, action in enumerate(data["actions"]):
        path, key = ("actions", number), action["key"]
        for kind in ("guards", "effects", "by", "asks", "notify"):
            for position, value in enumerate(action.get(kind, ())):
                for new in _replacements(kind, value):
                    yield (*path, kind, position), new, ("Action", key, kind)
        yield from _conditions(path, action, ("Action", key, "when"))
        if "to" in action:
            yield (*path, "to"), '""', ("Action", key, "to")
    for number, response in enumerate(data.get("responses", ())):
        yield from _conditions(("responses", number), response, ("Response", response["key"], "when"))
    for position, _entry in enumerate(data["intake"].get("notify", ())):
        yield ("intake", "notify", position), None, ("Definition", process, "on_filed")
    for name, promises in data["targets"].items():
        for key, value in promises.items():
            doubled = f'"{2 * int(value[:-1])}{value[-1]}"'
            yield ("targets", name, key), doubled, ("Definition", process, "targets")
    for where, value in _values(data):
        for place, new in _others(data, where, value):
            yield place, new, _site(process, data, where)


OTHERS: dict[str, dict[Any, str]] = {
    "approver": dict.fromkeys(("requester", "validator"), '"staff"') | {"staff": '"validator"'},
    "asks": {True: "false"},
    "case_kind": {"problem": '"procedure"', "procedure": '"problem"'},
    "check_standing": {True: "false"},
    "clock": {"stops": '"runs"'},
    "filled_by": {"staff": '"requester"'},
    "kind": {
        "new": '"work"',
        "evaluation": '"work"',
        "work": '"new"',
        "waiting_customer": '"waiting_internal"',
        "waiting_internal": '"work"',
        "verification": '"work"',
        "closure_approval": '"verification"',
        "done": '"rejected"',
        "rejected": '"cancelled"',
        "cancelled": '"rejected"',
        "solution": '"follow_up"',
    },
    "late_reply": {"new_ticket": '"keep"'},
    "login": {"guest": '"required"', "required": '"guest"'},
    "needs": dict.fromkeys(("call", "whatsapp"), '""'),
    "phone": {"optional": '"hidden"', "required": '"optional"', "hidden": '"optional"'},
    "queue": {"arrival": '"due"', "due": '"arrival"'},
    "required": {True: "false"},
    "sets": {"severity": '""'},
    "severity": {"low": '"high"', "medium": '"low"', "high": '"low"', "critical": '"low"'},
    "survey": {True: "false"},
    "type": dict.fromkeys(("long_text", "date", "yes_no"), '"text"'),
    "while_empty": {"staff": '""'},
}
"""By key and value: the TOML of another value that is allowed there."""
WORDS = (
    "label", "public_label", "notice", "severity_label", "submit_label", "title_label", "description_label",
    "description_help",
)  # fmt: skip
MEMBERS = ("from", "kinds", "solution_from", "options", "categories", "stages", "by")


def _values(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the path and value of each key outside of the rules. Of an action only its stages and days."""
    if isinstance(value, dict):
        for key, each in value.items():
            if path[:1] != ("actions",) or key in ("from", "within_days", "after_days"):
                yield (*path, key), each
                yield from _values(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _values(each, (*path, number))


def _others(data: dict[str, Any], path: Path, value: Any) -> Iterator[tuple[Path, str | None]]:
    """Yield the path of each value to change here, and the TOML to put there (None removes it from its list)."""
    key = path[-1]
    if isinstance(value, (str, bool)) and value in OTHERS.get(str(key), {}):
        yield path, OTHERS[str(key)][value]
    elif key in WORDS and "options" not in path:
        yield (*path, "es"), '"Otro texto"'
    elif key in MEMBERS and path[0] != "targets" and isinstance(value, list):
        if len(path) > 1 and (key != "from" or len(value) > 1):
            yield from (((*path, number), None) for number in range(len(value)))
    elif key in ("within_days", "after_days", "max_files", "max_mb"):
        yield path, str(2 * value)
    elif key == "department":
        another = [each["key"] for each in data["departments"] if each["key"] != value]
        if another:
            yield path, f'"{another[0]}"'
    elif key == "owner":
        yield path, '"assignee"' if value == "staff" else '"staff"'
    elif key == "pattern":
        yield path, '""'
    elif key == "shown_when":
        yield path, "{}"


CLASSES = {
    "actions": "Action", "categories": "CategoryDefinition", "customer_kinds": "Need", "departments": "Need",
    "fields": "FieldDefinition", "groups": "Need", "responses": "Response", "stages": "Stage",
}  # fmt: skip


def _site(process: str, data: dict[str, Any], path: Path) -> Site:
    """Return the `Site` that holds the value at `path`."""
    section = str(path[0])
    if section in CLASSES and len(path) > 2:
        attribute = {"from": "sources"}.get(str(path[2]), str(path[2]))
        return CLASSES[section], data[section][path[1]]["key"], attribute
    attribute = str(path[-1]) if section in ("answers", "intake") else section
    return "Definition", process, attribute


def _replacements(kind: str, value: Any) -> Iterator[str | None]:
    yield None
    if kind == "by" and value != "staff":
        yield '"staff"'
    if kind == "asks" and (isinstance(value, str) or value.get("required", True)):
        yield f'{{ field = "{value}", required = false }}'  # of a table, `of_files` keeps the rest


def _conditions(path: Path, table: dict[str, Any], site: Site) -> Iterator[tuple[Path, str | None, Site]]:
    when = table.get("when", [])
    for position, condition in enumerate([when] if isinstance(when, str) else when):
        here = (*path, "when") if isinstance(when, str) else (*path, "when", position)
        yield here, "[]" if isinstance(when, str) else None, site
        yield here, f'"{condition[4:] if condition.startswith("not ") else f"not {condition}"}"', site


def _first_line(function: Callable) -> int:
    """Return the line of the function's `def`, below its decorators."""
    lines, number = inspect.getsourcelines(function)
    return number + next(n for n, line in enumerate(lines) if line.startswith("def "))


def of_functions() -> Iterator[Mutant]:
    """Yield mutants in which one guard lets everything pass, one effect does nothing, or one condition always or never
    holds."""
    from tickets.definitions.conditions import CONDITIONS
    from tickets.workflow.effects import EFFECTS
    from tickets.workflow.guards import GUARDS

    replacements: dict[str, tuple[dict[str, Any], dict[str, Callable]]] = {
        "guard": (GUARDS, {"lets everything pass": lambda step, argument: None}),
        "effect": (EFFECTS, {"does nothing": lambda step, argument: None}),
        "condition": (CONDITIONS, {"always holds": lambda ticket: True, "never holds": lambda ticket: False}),
    }
    for name, (registry, changes) in replacements.items():
        for key, function in registry.items():
            for change, replacement in changes.items():
                yield Mutant(
                    kind="functions",
                    file=str(FilePath(inspect.getfile(function)).relative_to(ROOT)),
                    line=_first_line(function),
                    change=f"{name} {key} {change}",
                    sites=frozenset({(name, key, "")}),
                    apply=partial(_replace, registry, key, replacement),
                )


def _replace(registry: dict[str, Any], key: str, function: Any, _library: dict[str, str]) -> None:
    registry[key] = function
