"""The names of events, mails and triggers, which other apps can extend without editing `tickets`.

An app adds its names in its `AppConfig.ready`. There it also registers the functions for its guards, effects,
conditions and history sentences, with the decorators in `guards`, `effects`, `conditions` and `history`.
"""

from collections.abc import Iterator

from django.db import models

from .enums import EventKind, Template, Trigger


class Vocabulary:
    """A set of names with labels, joined from the `TextChoices` of several apps. `what` names it in error messages."""

    def __init__(self, what: str, first: type[models.TextChoices]) -> None:
        self.what = what
        self._labels: dict[str, models.TextChoices] = {}
        self.extend(first)

    def extend(self, names: type[models.TextChoices]) -> None:
        """Add every member of `names`. Raises `ValueError` for a name that another app has added."""
        for member in names:
            known = self._labels.setdefault(str(member.value), member)
            if known is not member:
                raise ValueError(f"the {self.what} «{member.value}» is {type(known).__name__}'s already")

    def __contains__(self, name: object) -> bool:
        return name in self._labels

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def choices(self) -> list[tuple[str, str]]:
        """Return each name with its label, for the `choices` of a model field."""
        return [(name, str(member.label)) for name, member in self._labels.items()]


EVENT_KINDS = Vocabulary("event kind", EventKind)
TEMPLATES = Vocabulary("mail", Template)
TRIGGERS = Vocabulary("trigger", Trigger)


def event_kinds() -> list[tuple[str, str]]:
    """Return the choices of `TicketEvent.kind`. A function, so that a new kind needs no migration."""
    return EVENT_KINDS.choices()


def templates() -> list[tuple[str, str]]:
    """Return the choices of `Delivery.template`. A function, so that a new mail needs no migration."""
    return TEMPLATES.choices()
