"""Join ES modules into one file, so that a first visit asks for one script instead of twenty.

The modules keep to a plain dialect, checked here: `import { name } from "./file.js";` on a line of its own, no
renaming, named exports only, and no two modules that declare the same top-level name. Then joining is: dependencies
first, import lines out, the word `export` out. The result is a module too, so nothing leaks to the page.
"""

from __future__ import annotations

import re
from pathlib import Path

IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "(\.{1,2}/[\w./-]+)";$', re.MULTILINE)
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)


def ordered(entry: Path) -> list[Path]:
    """The entry's modules, each after those it imports."""
    done: list[Path] = []

    def visit(path: Path, trail: tuple[Path, ...]) -> None:
        if path in trail:
            raise SystemExit(f"circular import: {' > '.join(p.name for p in (*trail, path))}")
        source = path.read_text(encoding="utf-8")
        if re.search(r"^import (?!\{)|^export (?:default|\{|\*)", source, re.MULTILINE):
            raise SystemExit(f"{path.name}: only named imports and exports")
        for names, target in IMPORT.findall(source):
            dependency = (path.parent / target).resolve()
            missing = set(re.findall(r"\w+", names)) - set(
                EXPORTED.findall(dependency.read_text(encoding="utf-8"))
            )
            if missing:
                raise SystemExit(
                    f"{path.name}: {dependency.name} does not export {', '.join(sorted(missing))}"
                )
            if dependency not in done:
                visit(dependency, (*trail, path))
        if path not in done:
            done.append(path)

    visit(entry.resolve(), ())
    return done


def build(entry: Path) -> str:
    owner: dict[str, str] = {}
    parts = []
    for path in ordered(entry):
        source = path.read_text(encoding="utf-8")
        for name in DECLARED.findall(source):
            if name in owner:
                raise SystemExit(f"{name} is declared in {owner[name]} and in {path.name}")
            owner[name] = path.name
        source = re.sub(r"^export ", "", IMPORT.sub("", source), flags=re.MULTILINE)
        parts.append(re.sub(r"\n{2,}", "\n", COMMENT.sub("", source)).strip())
    return "\n".join(parts) + "\n"
