"""Errors whose message can be shown to the person who acted."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DeskError(Exception):
    """The request is refused. `message` is a sentence that says why, in the active language."""

    default: str | Promise = _("No pudimos hacer eso.")

    def __init__(self, message: str | Promise | None = None) -> None:
        self.message = message if message is not None else self.default
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)


class InvalidData(DeskError):
    """Values are missing or wrong. `errors` maps the key of each wrong field to its messages."""

    default = _("Revisa los campos marcados.")

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors = {key: [str(message) for message in messages] for key, messages in errors.items()}
        super().__init__()
