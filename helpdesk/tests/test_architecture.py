"""Rules of the architecture that import-linter cannot check."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from content.text import MAX_TEXT

from .code import PACKAGES, ROOT, modules_of

FORBIDDEN_IN_THE_DOMAIN = (
    "django.http",
    "django.core.mail",
    "django.shortcuts",
    "django.views",
    "django.urls",
)
DOMAIN = ("content", "accounts", "tickets", "knowledge")
FACES = ("portal", "agents")  # notifications is none: its mails link to the pages of both


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{name.name}" for name in node.names)


ADMINISTRATION = {"admin.py"}  # Django finds these by name, beside the models; they may use requests


def test_domain_imports_no_requests_and_no_mail():
    found = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in modules_of(*DOMAIN)
        if path.name not in ADMINISTRATION
        for module in imported_modules(path)
        if module.startswith(FORBIDDEN_IN_THE_DOMAIN)
    ]

    assert found == []


def test_max_text_value_is_in_one_module():
    found = [
        str(path.relative_to(ROOT))
        for path in modules_of(*(package for package in PACKAGES if package != "helpdesk"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value == MAX_TEXT
    ]

    assert found == ["content/text.py"]


def test_no_migration_is_missing(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_are_named_by_hand():
    automatic = [
        str(path.relative_to(ROOT))
        for app in PACKAGES
        for path in (ROOT / app / "migrations").glob("*_auto_*.py")
    ]

    assert automatic == []


REFUSALS = {"DeskError", "InvalidData", "StaleTicket", "NotAllowed", "GuardFailed", "ActionUnavailable"}


def files_of(face: str) -> Iterator[Path]:
    """Yield the face's modules and templates, and the base template of its pages."""
    yield from modules_of(face)
    yield from (ROOT / "templates" / face).rglob("*.html")
    base = ROOT / "templates" / f"base_{face}.html"
    if base.exists():
        yield base


def urls_of_other_faces(face: str, source: str) -> list[str]:
    """Return the namespaces of other faces that URL names in `source` begin with, also in f-strings and templates."""
    namespaces = re.findall(r"""["'](\w+):(?:\w+["' ]|\{)""", source)
    return [name for name in namespaces if name in FACES and name != face]


def test_faces_name_no_url_of_another_face():
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for face in FACES
        for path in files_of(face)
        for name in urls_of_other_faces(face, path.read_text("utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize(
    "source",
    ['reverse("agents:ticket")', 'reverse(f"agents:{name}")', "{% url 'agents:ticket' folio %}"],
)
def test_url_of_another_face_is_found_in_any_notation(source):
    assert urls_of_other_faces("portal", source) == ["agents"]
    assert urls_of_other_faces("agents", source) == []


def caught_errors(source: str) -> Iterator[str]:
    """Yield the names of the classes that `source` catches, with `except` or with `suppress`."""
    for node in ast.walk(ast.parse(source)):
        caught: list[ast.expr] = []
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            caught = [node.type]
        elif isinstance(node, ast.Call) and "suppress" in ast.unparse(node.func):
            caught = node.args
        for part in (each for expression in caught for each in ast.walk(expression)):
            if isinstance(part, ast.Name):
                yield part.id
            elif isinstance(part, ast.Attribute):
                yield part.attr


def test_views_catch_verb_errors_only_through_refusal():
    """Views must not catch these errors themselves, or each would show them differently."""
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for face in FACES
        for path in modules_of(face)
        if {"views", "views.py"} & set(path.parts)
        for name in caught_errors(path.read_text("utf-8"))
        if name in REFUSALS
    ]

    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "try: act()\nexcept DeskError: pass",
        "try: act()\nexcept (OSError, errors.DeskError): pass",
        "with suppress(DeskError): act()",
        "with contextlib.suppress(errors.DeskError): act()",
    ],
)
def test_caught_error_is_found_in_any_notation(source):
    assert "DeskError" in set(caught_errors(source))
