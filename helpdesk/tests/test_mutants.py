"""`make mutants` breaks each rule of the library and each registered function, and nothing else, one at a time."""

import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tickets.definitions.conditions import CONDITIONS
from tickets.definitions.loading import library
from tickets.workflow.effects import EFFECTS
from tickets.workflow.guards import GUARDS
from tools import mutations
from tools.mutants import Trial, report
from tools.mutations import ROOT

pytestmark = pytest.mark.slow

FILES = library()
MUTANTS = list(mutations.of_files(FILES))


def differences(old: Any, new: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any, Any]]:
    """Yield path, old and new value of each innermost difference. Lists of unequal length count as one value."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for key in old:
            yield from differences(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, value in enumerate(old):
            yield from differences(value, new[position], (*path, position))
    elif old != new:
        yield path, old, new


def without(values: list, position: int) -> list:
    return values[:position] + values[position + 1 :]


def listed(condition: str | list[str]) -> list[str]:
    return [condition] if isinstance(condition, str) else condition


def rules(data: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield each kind of rule in each part of the file, with the number of mutants that it must have there."""
    for action in data["actions"]:
        by, asks = action.get("by", []), action.get("asks", [])
        yield "guards", len(action.get("guards", []))
        yield "effects", len(action.get("effects", []))
        yield "notify", len(action.get("notify", []))
        yield "to", "to" in action
        yield "by", 2 * len(by) - by.count("staff")
        yield "asks", len(asks) + sum(isinstance(ask, str) or ask.get("required", True) for ask in asks)
    for part in (*data["actions"], *data.get("responses", [])):
        yield "when", 2 * len(listed(part.get("when", [])))
    yield "notify", len(data["intake"]["notify"])
    for promises in data["targets"].values():
        yield "targets", len(promises)


def values(data: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield each kind of value outside of the rules, with the number of mutants that it must have."""

    def given(table: dict[str, Any], *keys: str) -> int:
        return len(table.keys() & set(keys))

    for action in data["actions"]:
        sources = len(action["from"])
        yield "moments", given(action, "within_days", "after_days") + (sources if sources > 1 else 0)
    for each in data["categories"]:
        yield "categories", given(each, "label", "notice", "department", "case_kind", "severity", "login")
    for each in data.get("fields", []):
        members = len(each.get("options", [])) + len(each.get("categories", []))
        yield (
            "fields",
            members + given(each, "label", "required", "shown_when", "pattern", "sets", "filled_by"),
        )
        yield "fields", each.get("type") in ("long_text", "date", "yes_no")
    for each in data["stages"]:
        yield "stages", given(each, "label", "public_label", "notice", "clock", "kind", "owner")
    for each in data.get("responses", []):
        yield "responses", given(each, "label", "kind", "asks") + len(each.get("stages", []))
    yield "files", len(data["files"]["kinds"]) + given(data["files"], "max_files", "max_mb")
    yield "closing", given(data["closing"], "approver", "survey", "late_reply")
    for each in data["closing"].get("checklist", []):
        yield "closing", given(each, "label", "needs") + len(each["by"])
    yield "settings", given(data, "login", "queue", "severity_label") + (len(data["departments"]) > 1)
    labels = ("submit_label", "title_label", "description_label", "description_help")
    yield "settings", given(data["intake"], "phone", *labels)
    answers = data.get("answers", {})
    yield "settings", given(answers, "check_standing") + len(answers.get("solution_from", []))
    for each in (*data["departments"], *data.get("groups", []), *data.get("customer_kinds", [])):
        yield "settings", given(each, "label", "while_empty")


@pytest.mark.parametrize("process", FILES)
def test_each_rule_of_the_library_has_mutants(process):
    wanted: Counter[str] = Counter()
    data = tomllib.loads(FILES[process])
    for kind, count in (*rules(data), *values(data)):
        wanted[kind] += count
    made = [mutant for mutant in MUTANTS if mutant.process == process]

    assert Counter(mutant.kind for mutant in made) == +wanted
    assert len({mutant.text for mutant in made}) == len(made)


@pytest.mark.parametrize("process", FILES)
def test_mutant_differs_from_its_file_in_one_value(process):
    data = tomllib.loads(FILES[process])
    for mutant in MUTANTS:
        if mutant.process == process:
            ((path, old, new),) = differences(data, tomllib.loads(mutant.text))
            removed = isinstance(old, list) and new == without(old, mutant.path[-1])
            assert mutant.path == ((*path, mutant.path[-1]) if removed else path)
            if mutant.kind in mutations.RULES:
                assert removed or new in expected(mutant.kind, old), mutant.change
            else:
                assert removed or type(new) is type(old), mutant.change


def expected(kind: str, old: Any) -> list[Any]:
    """Return the values that may replace `old` in a mutant of this kind."""
    match kind:
        case "when":
            return [[], f"not {old}".removeprefix("not not ")]
        case "by":
            return ["staff"]
        case "asks":
            return [
                {"field": old} | {"required": False} if isinstance(old, str) else old | {"required": False}
            ]
        case "targets":
            return [f"{2 * int(old[:-1])}{old[-1]}"]
        case "to":
            return [""]
    return []


@pytest.mark.parametrize("process", FILES)
def test_mutant_names_the_line_of_its_value(process):
    lines = FILES[process].splitlines()
    for mutant in MUTANTS:
        if mutant.process == process:
            old = mutant.change.partition(f", {mutant.kind}: ")[2].partition(" removed")[0].partition(" →")[0]
            assert old in lines[mutant.line - 1]


def test_applied_mutant_changes_only_its_text():
    texts, mutant = dict(FILES), MUTANTS[-1]

    mutant.apply(texts)

    assert texts == FILES | {mutant.process: mutant.text}


def test_each_registered_function_is_replaced(monkeypatch):
    for registry in (GUARDS, EFFECTS, CONDITIONS):
        for name in registry:
            monkeypatch.setitem(registry, name, registry[name])  # restores it after the test
    originals = [*GUARDS.values(), *EFFECTS.values(), *CONDITIONS.values()]
    mutants = list(mutations.of_functions())

    assert len(mutants) == len(GUARDS) + len(EFFECTS) + 2 * len(CONDITIONS)
    for mutant in mutants:
        code = (ROOT / mutant.file).read_text("utf-8").splitlines()[mutant.line - 1]
        assert code.startswith(f"def {mutant.change.split()[1]}(")
        mutant.apply({})
    assert not {*GUARDS.values(), *EFFECTS.values(), *CONDITIONS.values()}.intersection(originals)


def test_report_counts_and_lists_survivors():
    noticed, survived, unfinished = (Trial(mutant, is_refused=False) for mutant in MUTANTS[:3])
    noticed.noticed_by, noticed.left = "tickets/tests/test_library.py::test_x", []
    survived.left, survived.ran = [], 7

    text = report([noticed, survived, unfinished])

    assert text.splitlines()[-1].split()[:3] == ["python", "-m", "tools.mutants"]
    assert next(line for line in text.splitlines() if line.startswith("all ")).split()[1:] == [
        "3", "1", "0", "1", "1",
    ]  # fmt: skip
    assert f"{survived.mutant.place}  {survived.mutant.change}  (7 of 7)" in text
    assert f"{unfinished.mutant.place}  {unfinished.mutant.change}  (0 of ?)" in text
    assert noticed.mutant.change not in text


def test_run_tells_what_a_test_notices(tmp_path):
    """The test asserts the two resolution targets, but none of the four first-response targets."""
    test = "tickets/tests/test_library.py::test_support_cases_are_due_by_case_kind"
    command = ["-m", "tools.mutants", "--only", "S2", "--kind", "targets", test]

    subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | {"DESK_VAR_DIR": str(tmp_path)}, check=True
    )

    text = (tmp_path / "mutants.txt").read_text("utf-8")
    assert text.splitlines()[1].split() == ["soporte-con-aprobacion", "targets", "6", "2", "0", "4", "0"]
    assert library() == FILES
