"""The paths of a process: which stages come after which, and what can have happened before a stage is reached."""

from collections.abc import Iterable, Iterator

from ..definitions.definition import Action, Definition


class Paths:
    """The stages of a process as a graph whose edges are its actions."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self._next: dict[str, set[str]] = {stage.key: set() for stage in definition.stages}
        for action in definition.actions:
            for source in action.sources:
                self._next[source].add(action.to or source)
        self._after: dict[str, set[str]] = {}

    def after(self, stage: str) -> set[str]:
        """Return `stage` and every stage that can come after it."""
        if stage not in self._after:
            reached, frontier = {stage}, [stage]
            while frontier:
                new = self._next[frontier.pop()] - reached
                reached |= new
                frontier.extend(new)
            self._after[stage] = reached
        return self._after[stage]

    @property
    def reached(self) -> set[str]:
        """The stages that a ticket can reach."""
        return self.after(self.definition.first_stage.key)

    def can_end(self, stage: str) -> bool:
        """Whether an end can be reached from `stage`."""
        return any(self.definition.stage(key).is_end for key in self.after(stage))

    def can_come_before(self, action: Action, stage: str) -> bool:
        """Whether a ticket in `stage` may have had `action` done to it."""
        sources = set(action.sources) & self.reached
        return any(stage in self.after(action.to or source) for source in sources)

    def before(self, stages: Iterable[str]) -> Iterator[Action]:
        """Yield the actions that a ticket in one of `stages` may have had done to it."""
        stages = list(stages)
        for action in self.definition.actions:
            if any(self.can_come_before(action, stage) for stage in stages):
                yield action
