"""Rules of the architecture that import-linter cannot check."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from content.text import MAX_TEXT

FORBIDDEN_IN_THE_DOMAIN = (
    "django.http",
    "django.core.mail",
    "django.shortcuts",
    "django.views",
    "django.urls",
)
DOMAIN = ("content", "accounts", "tickets")
FACES = ("portal", "agents")
PACKAGES = (*DOMAIN, "web", *FACES, "notifications", "demo", "helpdesk")


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{name.name}" for name in node.names)


ADMINISTRATION = {"admin.py"}  # Django finds these by name, beside the models; they may use requests


def test_domain_imports_no_requests_and_no_mail():
    found = [
        f"{path.relative_to(settings.BASE_DIR)}: {module}"
        for app in DOMAIN
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if "tests" not in path.parts and path.name not in ADMINISTRATION
        for module in imported_modules(path)
        if module.startswith(FORBIDDEN_IN_THE_DOMAIN)
    ]

    assert found == []


def test_max_text_value_is_in_one_module():
    found = [
        str(path.relative_to(settings.BASE_DIR))
        for app in (*DOMAIN, "web", *FACES, "notifications")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if "tests" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value == MAX_TEXT
    ]

    assert found == ["content/text.py"]


def test_no_migration_is_missing(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_are_named_by_hand():
    automatic = [
        str(path.relative_to(settings.BASE_DIR))
        for app in PACKAGES
        for path in (settings.BASE_DIR / app / "migrations").glob("*_auto_*.py")
    ]

    assert automatic == []


REFUSALS = {"DeskError", "InvalidData", "StaleTicket", "NotAllowed", "GuardFailed", "ActionUnavailable"}


def files_of(face: str) -> Iterator[Path]:
    """Yield the face's modules and templates, and the base template of its pages."""
    root = Path(settings.BASE_DIR)
    yield from (path for path in (root / face).rglob("*.py") if "tests" not in path.parts)
    yield from (root / "templates" / face).rglob("*.html")
    yield root / "templates" / f"base_{face}.html"


def test_faces_name_no_url_of_another_face():
    found = [
        f"{path.relative_to(settings.BASE_DIR)}: {name}"
        for face in FACES
        for path in files_of(face)
        for name in re.findall(r"""["'](\w+):\w+["' ]""", path.read_text("utf-8"))
        if name in FACES and name != face
    ]

    assert found == []


def test_views_catch_verb_errors_only_through_refusal():
    """Views must not catch these errors themselves, or each would show them differently."""
    found = [
        f"{path.relative_to(settings.BASE_DIR)}:{node.lineno}"
        for face in FACES
        for path in files_of(face)
        if path.suffix == ".py" and "views" in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.type is not None
        if REFUSALS & {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
    ]

    assert found == []
