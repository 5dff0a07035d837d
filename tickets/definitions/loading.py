"""Process files as `Definition`: the ones that ship with the desk, and stored versions, parsed once."""

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
    """Parse the text of a published version. The cache is safe because a version's text never changes.

    Raises `DefinitionError` where the text cannot be read.
    """
    definition, _index, problems = parse(source)
    if problems:
        raise DefinitionError(problems)
    return definition
