"""Stored versions, read once per process: their text never changes."""

from functools import lru_cache

from .definition import Definition
from .parser import parse
from .problems import DefinitionError


@lru_cache(maxsize=256)
def definition_of(source: str) -> Definition:
    definition, _index, problems = parse(source)
    if problems:
        raise DefinitionError(problems)
    return definition
