"""Report what is wrong with a process file, so that its author can correct it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from content.errors import DeskError


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a process file: its line (from 1), the path of the value, and a sentence for the author."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return _("línea %(line)d, %(path)s: %(message)s") % {
            "line": self.line,
            "path": self.path,
            "message": self.message,
        }


class DefinitionError(DeskError):
    """The process file cannot be used. `problems` holds every mistake found, sorted by line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
