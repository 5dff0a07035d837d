"""The product's own modules, for tests that read code."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PACKAGES: tuple[str, ...] = tuple(
    tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["root_packages"]
)
"""All packages of the product; a new one must be named in pyproject.toml, or import-linter does not check it."""


def modules_of(*packages: str) -> Iterator[Path]:
    """Yield the Python files of these packages without their tests."""
    for package in packages:
        yield from (path for path in sorted((ROOT / package).rglob("*.py")) if "tests" not in path.parts)
