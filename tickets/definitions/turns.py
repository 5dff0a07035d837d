"""Whose turn it is in a ticket's stage: the people that its process names there."""

from collections.abc import Iterable, Iterator

from .conditions import may_hold
from .definition import Action, Call, Definition, Stage, Who
from .subject import Subject

CHECKLIST_GUARDS = frozenset({"checklist_complete", "checklist_by_another"})
"""Guards, and conditions of the same names, that read the closing checklist."""
Party = tuple[Who, ...]
"""People of whom one is enough: the owner of a stage, those who may click an action, those who may tick an item."""


def named_now(ticket: Subject) -> set[Who]:
    """Return everybody whom the process names in the ticket's stage: the stage's owner, those who may click an action
    that exists now, and those who may tick the closing checklist while an action that needs it exists.

    Conditions that change without an event of the ticket count as true, because nobody is asked again when they change.
    """
    return {who for party in parties_now(ticket) for who in party}


def parties_now(ticket: Subject) -> Iterator[Party]:
    """Return the people of `named_now`, party by party."""
    stage = ticket.definition.stage(ticket.stage)
    existing = (a for a in ticket.definition.actions_from(stage.key) if may_hold(a.when, ticket))
    return _parties(stage, existing, ticket.definition)


def parties_in(stage: Stage, process: Definition) -> Iterator[tuple[Party, bool]]:
    """Return every party that could be named in `stage`, each with whether it depends on conditions (`when`)."""
    actions = list(process.actions_from(stage.key))
    yield from ((party, False) for party in _parties(stage, [a for a in actions if not a.when], process))
    yield from ((party, True) for party in _parties(stage, [a for a in actions if a.when], process))


def _parties(stage: Stage, actions: Iterable[Action], process: Definition) -> Iterator[Party]:
    yield (stage.owner,)
    for action in actions:
        yield _with_owner(action.by, stage)
        if any(guard.name in CHECKLIST_GUARDS for guard in action.guards):
            yield from (_with_owner(item.by, stage) for item in process.closing.checklist)


def _with_owner(people: Party, stage: Stage) -> Party:
    return tuple(stage.owner if who.kind == "owner" else who for who in people)


def reviews_answers(guards: tuple[Call, ...]) -> bool:
    """Whether these guards demand that somebody other than the assignee fills the checklist (S2.44)."""
    return any(guard.name == "checklist_by_another" for guard in guards)
