"""Check or update docs/coverage.md, which lists the tests that prove each demand.

    python tools/demands.py            print what is out of date
    python tools/demands.py --write    update the table

Tests name the demands that they prove with `@pytest.mark.demand("S2.8", …)`, on a function, a class or a module's
`pytestmark`. The row of a demand that no test names keeps its text «pending» with the reason.
"""

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "coverage.md"
ROW = re.compile(r"^\| (S\d\.\d+) \| (.+?) \| (.*) \|$")
PLACES = (
    "content",
    "accounts",
    "tickets",
    "web",
    "portal",
    "agents",
    "notifications",
    "demo",
    "helpdesk",
    "e2e",
)
SHOWN = 3
UNEXPLAINED = "pending: no test names it"


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


def rows(text: str) -> dict[str, tuple[str, str]]:
    """Return the table's rows by demand: its text and its evidence."""
    return {m[1]: (m[2], m[3]) for m in map(ROW.match, text.splitlines()) if m}


def shown(tests: list[str]) -> str:
    """Return the evidence cell: the first `SHOWN` tests and how many more there are."""
    more = len(tests) - SHOWN
    return "<br>".join(f"`{test}`" for test in tests[:SHOWN]) + (f"<br>and {more} more" if more > 0 else "")


def updated(text: str, found: dict[str, list[str]]) -> str:
    """Return the file's text with evidence and summary brought up to date."""
    lines = []
    for line in text.splitlines():
        match = ROW.match(line)
        if match:
            number, what, evidence = match.groups()
            if number in found:
                evidence = shown(found[number])
            elif not evidence.startswith("pending"):
                evidence = UNEXPLAINED
            line = f"| {number} | {what} | {evidence} |"
        elif line.startswith("**"):
            line = summary(found, rows(text))
        lines.append(line)
    return "\n".join(lines) + "\n"


def summary(found: dict[str, list[str]], table: dict[str, tuple[str, str]]) -> str:
    met = len(found.keys() & table.keys())
    return f"**{met} of {len(table)} demands are shown by a test; {len(table) - met} are pending.**"


def problems(text: str, found: dict[str, list[str]]) -> list[str]:
    """Return one line for each unknown demand, each pending demand without a reason, and a table that is out of
    date."""
    table = rows(text)
    strangers = found.keys() - table.keys()
    result = [f"{demand}: named by {found[demand][0]}, unknown to the table" for demand in strangers]
    result += [
        f"{number}: pending without a reason"
        for number, (_what, proof) in table.items()
        if proof == UNEXPLAINED
    ]
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
