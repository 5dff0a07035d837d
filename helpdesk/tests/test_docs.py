"""Documents agree with the code: their tables say the same, their links lead to a file, their commands exist."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from tickets.definitions.loading import library

DOCS = settings.BASE_DIR / "docs"
DOCUMENTS = [
    path for folder in (DOCS, settings.BASE_DIR / ".github") for path in sorted(folder.rglob("*.md"))
] + sorted(settings.BASE_DIR.glob("*.md"))
TARGETS = {
    "first_response": "primera respuesta",
    "next_reply": "próxima respuesta",
    "progress": "avance",
    "resolution": "resolución",
}
COLUMNS = (("critical", "high", "medium", "low"), ("problem", "procedure"))


def rows(name: str, heading: str) -> list[list[str]]:
    """Return the cells of every table row under `heading` of the file, without header rows."""
    section = (DOCS / name).read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    tables = re.findall(r"(?m)^\|.*\n\|[-|]+\n((?:\|.*\n)+)", section)
    return [
        [cell.strip() for cell in row.strip("|").split("|")] for table in tables for row in table.splitlines()
    ]


def test_front_end_table_lists_every_behaviour():
    """A file and its behaviours may differ: `poll.js` defines two, and `inline-edit.js` binds itself to the page."""
    js = settings.BASE_DIR / "static" / "js"
    bound = re.search(r"const behaviours = \{(.+?)\};", (js / "main.js").read_text("utf-8"), re.DOTALL)[1]
    names = {entry.split(":")[0].strip(' \n"') for entry in bound.split(",") if entry.strip()}
    files = {path.stem for path in (js / "behaviours").iterdir()}
    cells = [re.findall(r"`([a-z-]+)`", row[0]) for row in rows("front-end.md", "Behaviours")]

    assert sorted(name for cell in cells for name in cell) == sorted(names | files)


def test_supervisors_table_lists_the_library_targets():
    promised = []
    for source in library().values():
        process = tomllib.loads(source)
        for kind, values in process.get("targets", {}).items():
            [columns] = [columns for columns in COLUMNS if set(columns) == set(values)]
            spans = [re.sub(r"(\d+)", r"\1 ", values[column]) for column in columns]
            promised.append([process["name"]["es"], TARGETS[kind], *spans])

    assert sorted(rows("supervisors.md", "Plazos")) == sorted(promised)


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(settings.BASE_DIR).as_posix()
)
def test_links_to_our_files_lead_somewhere(document: Path):
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", document.read_text("utf-8"))

    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", *sorted(p.name for p in DOCS.glob("*.md"))]
)
def test_commands_take_what_is_written_behind_them(document: str):
    """A mention of a command alone, without arguments, need not be complete."""
    [path] = [path for path in DOCUMENTS if path.name == document and path.parent.name != ".github"]
    for line in re.findall(r"manage\.py ([a-z][^`»\n#&>|]*)", path.read_text("utf-8")):
        name, *arguments = shlex.split(line)
        command = load_command_class(get_commands()[name], name)
        if arguments:
            command.create_parser("manage.py", name).parse_args(arguments)
