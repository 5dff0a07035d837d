"""Load process files: the texts that ship with the product, and the `Definition` of a stored version."""

from functools import lru_cache
from importlib import resources

from .definition import Definition
from .parser import parse
from .problems import DefinitionError


def library() -> dict[str, str]:
    """Return the text of each shipped process file by its key (the file name without `.toml`), sorted by key."""
    folder = resources.files("tickets.definitions") / "library"
    return {
        item.name.removesuffix(".toml"): item.read_text("utf-8")
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith(".toml")
    }


@lru_cache(maxsize=256)
def definition_of(source: str) -> Definition:
    """Return the `Definition` parsed from the text of a published version. Raises `DefinitionError` if it has problems.

    Results are cached by text, which is safe because definitions are frozen.
    """
    definition, _index, problems = parse(source)
    if problems:
        raise DefinitionError(problems)
    return definition
