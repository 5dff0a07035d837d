"""Check or update docs/coverage.md, which says how far each demand is met and which tests prove it.

    python tools/demands.py            print what is out of date
    python tools/demands.py --write    update the tests and the figures of the table

Tests name the demands that they prove with `@pytest.mark.demand("S2.8", …)`, on a function, a class or a module's
`pytestmark`. The column «met» is written by hand, because a test may prove a part of a demand only:

- `whole`: a person does all of it in the product, and a test shows it;
- `in part: …`: tests show a part; the text says what is missing;
- `pending: …`: no test names it; the text says which later work brings it.
"""

import ast
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "coverage.md"
ROW = re.compile(r"^\| (S\d\.\d+) \| (.+?) \| ?(.*?) ?\| ?(.*?) ?\|$")
PLACES = (
    "content",
    "accounts",
    "tickets",
    "knowledge",
    "web",
    "portal",
    "agents",
    "notifications",
    "demo",
    "helpdesk",
    "e2e",
)
SHOWN = 3
WHOLE, PART, PENDING = "whole", "in part", "pending"
MET = re.compile(rf"{WHOLE}|({PART}|{PENDING}): \S.*")


def markers() -> dict[str, list[str]]:
    """Return the tests that name each demand, as `file::test`."""
    found: dict[str, list[str]] = defaultdict(list)
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("test_*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            for node in tree.body:
                _collect(node, str(path.relative_to(ROOT)), [], found)
    return found


def _collect(node: ast.stmt, file: str, around: list[str], found: dict[str, list[str]]) -> None:
    if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "pytestmark" for t in node.targets):
        for demand in _demands(node.value):
            found[demand].append(file)
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    name = [*around, node.name]
    for decorator in node.decorator_list:
        for demand in _demands(decorator):
            found[demand].append("::".join([file, *name]))
    if isinstance(node, ast.ClassDef):
        for child in node.body:
            _collect(child, file, name, found)


def _demands(node: ast.expr) -> list[str]:
    return [
        argument.value
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "demand"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    demand: str
    what: str
    met: str
    tests: str

    @property
    def state(self) -> str:
        """`whole`, `in part` or `pending`; the reason is left out."""
        return self.met.partition(":")[0]

    def __str__(self) -> str:
        return f"| {self.demand} | {self.what} | {self.met} | {self.tests} |"


def rows(text: str) -> dict[str, Row]:
    """Return the table's rows by demand."""
    return {match[1]: Row(*match.groups()) for match in map(ROW.match, text.splitlines()) if match}


def shown(tests: list[str]) -> str:
    """Return the evidence cell: the first `SHOWN` tests and how many more there are."""
    more = len(tests) - SHOWN
    return "<br>".join(f"`{test}`" for test in tests[:SHOWN]) + (f"<br>and {more} more" if more > 0 else "")


def updated(text: str, found: dict[str, list[str]]) -> str:
    """Return the file's text with its tests and summary brought up to date."""
    table = rows(text)
    lines = []
    for line in text.splitlines():
        match = ROW.match(line)
        if match:
            line = str(replace(table[match[1]], tests=shown(found.get(match[1], []))))
        elif line.startswith("**"):
            line = summary(table)
        lines.append(line)
    return "\n".join(lines) + "\n"


def summary(table: dict[str, Row]) -> str:
    count = Counter(row.state for row in table.values())
    return (
        f"**Of {len(table)} demands {count[WHOLE]} are met whole, {count[PART]} in part; "
        f"{count[PENDING]} are pending.**"
    )


def problems(text: str, found: dict[str, list[str]]) -> list[str]:
    """Return one line for each unknown demand, each row whose «met» says something else than its tests, and a table
    that is out of date."""
    table = rows(text)
    strangers = found.keys() - table.keys()
    result = [f"{demand}: named by {found[demand][0]}, unknown to the table" for demand in strangers]
    for row in table.values():
        if not MET.fullmatch(row.met):
            result.append(f"{row.demand}: «{row.met}» is not «whole», «in part: …» or «pending: …»")
        elif row.state == PENDING and row.demand in found:
            result.append(f"{row.demand}: pending, but {found[row.demand][0]} names it")
        elif row.state != PENDING and row.demand not in found:
            result.append(f"{row.demand}: {row.state}, but no test names it")
    if updated(text, found) != text:
        result.append("docs/coverage.md is out of date: python tools/demands.py --write")
    return sorted(result)


def main() -> int:
    text, found = TABLE.read_text("utf-8"), markers()
    if "--write" in sys.argv:
        text = updated(text, found)
        TABLE.write_text(text, "utf-8")
    for problem in problems(text, found):
        print(problem)
    return bool(problems(text, found))


if __name__ == "__main__":
    sys.exit(main())
