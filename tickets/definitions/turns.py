"""Whose turn it is in a ticket's stage: the people that its process names there."""

from collections.abc import Iterator

from .conditions import may_hold
from .definition import Call, Who
from .subject import Subject

CHECKLIST_GUARDS = frozenset({"checklist_complete", "checklist_by_another"})
"""Guards, and conditions of the same names, that read the closing checklist."""


def named_now(ticket: Subject) -> set[Who]:
    """Return everybody whom the process names in the ticket's stage: the stage's owner, those who may click an action
    that exists now, and those who may tick the closing checklist while an action that needs it exists.

    Conditions that change without an event of the ticket count as true, because nobody is asked again when they change.
    """
    return set(_named_now(ticket))


def _named_now(ticket: Subject) -> Iterator[Who]:
    definition = ticket.definition
    owner = definition.stage(ticket.stage).owner
    yield owner
    for action in definition.actions_from(ticket.stage):
        if may_hold(action.when, ticket):
            yield from (who for who in action.by if who.kind != "owner")
            if any(guard.name in CHECKLIST_GUARDS for guard in action.guards):
                for item in definition.closing.checklist:
                    yield from (who for who in item.by if who.kind != "owner")


def reviews_answers(guards: tuple[Call, ...]) -> bool:
    """Whether these guards demand that somebody other than the assignee fills the checklist (S2.44)."""
    return any(guard.name == "checklist_by_another" for guard in guards)
