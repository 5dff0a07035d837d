"""What is wrong with a definition, said so that its author can mend it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from content.errors import DeskError


@dataclass(frozen=True, order=True)
class Problem:
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
    """A definition that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
