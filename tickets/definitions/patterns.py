"""Match the `pattern` of a field in linear time.

Python's `re` backtracks: the pattern `(a+)+$` needs minutes for forty letters that do not fit, and whoever files a
ticket chooses the letters. This module reads patterns with the parser of `re`, so that they mean the same, but runs
them as a set of states: each character of the text is looked at once.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from django.utils.translation import gettext as _

MAX_STATES = 500
"""The largest pattern that is accepted. A repeat such as `{3,8}` counts its content eight times."""
REMEMBERED = 5_000
"""How many steps a pattern remembers. Each was a set of states and a character."""

Test = Callable[[str], bool]
States = frozenset[int]


class PatternError(ValueError):
    """The pattern cannot be used. The message tells the author why."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> "Pattern":
    """Return the pattern, ready to match. Raises `PatternError`."""
    return Pattern(pattern)


class Pattern:
    """A pattern as an automaton without captures.

    State `n` either reads one character that `_tests[n]` accepts and goes on to `n + 1`, or goes on to each state of
    `_jumps[n]` if the position in the text allows it. The last state accepts.
    """

    def __init__(self, pattern: str) -> None:
        try:
            tree = parser.parse(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise PatternError(_("la expresión no es válida: %s") % error) from error
        if tree.state.flags & ~(re.IGNORECASE | re.UNICODE | re.VERBOSE):
            raise PatternError(_("la expresión solo puede llevar las marcas i y x"))
        self._ignores_case = bool(tree.state.flags & re.IGNORECASE)
        self._tests: dict[int, Test] = {}
        self._jumps: dict[int, list[int]] = {}
        self._places: dict[int, Any] = {}
        """The states that may be passed only at some places of the text, such as the beginning."""
        self._size = 0
        self._sequence(tree)
        self._last = self._new()
        self._jumps[self._last] = []
        self._steps: dict[tuple[States, str], States] = {}

    def fits(self, text: str) -> bool:
        """Whether the whole of `text` fits. Costs time in proportion to its length."""
        states = self._reached({0}, text, 0)
        for position, character in enumerate(text, start=1):
            if self._places:
                states = self._reached(self._read(states, character), text, position)
            else:
                states = self._remembered(states, character)
            if not states:
                return False
        return self._last in states

    def _remembered(self, states: States, character: str) -> States:
        step = (states, character)
        if step not in self._steps:
            if len(self._steps) >= REMEMBERED:
                self._steps.clear()
            self._steps[step] = self._reached(self._read(states, character), "", 0)
        return self._steps[step]

    def _read(self, states: States, character: str) -> set[int]:
        return {state + 1 for state in states if (test := self._tests.get(state)) and test(character)}

    def _reached(self, states: set[int], text: str, position: int) -> States:
        """Return `states` and all states to which they jump without reading."""
        reached, frontier = set(states), list(states)
        while frontier:
            state = frontier.pop()
            if state in self._places and not _is_at(self._places[state], text, position):
                continue
            for target in self._jumps.get(state, ()):
                if target not in reached:
                    reached.add(target)
                    frontier.append(target)
        return frozenset(reached)

    # --- Building -------------------------------------------------------------------------------------------

    def _new(self) -> int:
        if self._size >= MAX_STATES:
            raise PatternError(_("la expresión es demasiado grande: sus repeticiones suman demasiado"))
        self._size += 1
        return self._size - 1

    def _jump(self) -> list[int]:
        """Add a state that only jumps, and return the list of its targets."""
        return self._jumps.setdefault(self._new(), [])

    def _sequence(self, items: Any) -> None:
        for code, value in items:
            self._item(code, value)

    def _item(self, code: Any, value: Any) -> None:
        if code in (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN):
            self._tests[self._new()] = self._test(code, value)
        elif code is codes.AT:
            state = self._new()
            self._places[state], self._jumps[state] = value, [self._size]
        elif code is codes.BRANCH:
            self._branch(value[1])
        elif code is codes.SUBPATTERN and not value[1] and not value[2]:
            self._sequence(value[3])
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            self._repeat(*value)
        else:
            raise PatternError(
                _(
                    "la expresión no puede mirar adelante ni atrás, repetir lo que ya encontró ni cambiar de marcas"
                )
            )

    def _branch(self, branches: Any) -> None:
        starts, ends = self._jump(), []
        for branch in branches:
            starts.append(self._size)
            self._sequence(branch)
            ends.append(self._jump())
        for end in ends:
            end.append(self._size)

    def _repeat(self, least: int, most: int, items: Any) -> None:
        for _time in range(least):
            before = self._size
            self._sequence(items)
            if self._size == before:  # nothing to read, however often it is repeated
                return
        if most == codes.MAXREPEAT:
            again = self._size
            skip = self._jump()
            skip.append(self._size)
            self._sequence(items)
            self._jump().append(again)
            skip.append(self._size)
            return
        skips = []
        for _time in range(most - least):
            skip = self._jump()
            skip.append(self._size)
            skips.append(skip)
            self._sequence(items)
        for skip in skips:
            skip.append(self._size)

    def _test(self, code: Any, value: Any) -> Test:
        test = _TESTS[code](value)
        if self._ignores_case:
            return lambda character: any(test(case) for case in _cases(character))
        return test


def _cases(character: str) -> Iterator[str]:
    yield character
    yield from (case for case in (character.lower(), character.upper()) if len(case) == 1)


_CATEGORIES: dict[Any, Test] = {
    codes.CATEGORY_DIGIT: str.isdecimal,
    codes.CATEGORY_NOT_DIGIT: lambda character: not character.isdecimal(),
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_NOT_SPACE: lambda character: not character.isspace(),
    codes.CATEGORY_WORD: lambda character: character.isalnum() or character == "_",
    codes.CATEGORY_NOT_WORD: lambda character: not (character.isalnum() or character == "_"),
}


def _one_of(members: Any) -> Test:
    """Return the test for a set in brackets."""
    negated = members[0][0] is codes.NEGATE
    tests = [_TESTS[code](value) for code, value in (members[1:] if negated else members)]
    return lambda character: any(test(character) for test in tests) != negated


_TESTS: dict[Any, Callable[[Any], Test]] = {
    codes.LITERAL: lambda value: lambda character: ord(character) == value,
    codes.NOT_LITERAL: lambda value: lambda character: ord(character) != value,
    codes.ANY: lambda value: lambda character: character != "\n",
    codes.RANGE: lambda value: lambda character: value[0] <= ord(character) <= value[1],
    codes.CATEGORY: lambda value: _CATEGORIES[value],
    codes.IN: _one_of,
}


def _is_at(place: Any, text: str, position: int) -> bool:
    """Whether the position is the beginning, the end or the edge of a word, as `place` asks."""
    if place in (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING):
        return position == 0
    if place in (codes.AT_END, codes.AT_END_STRING):
        return position == len(text)
    is_word = _CATEGORIES[codes.CATEGORY_WORD]
    before = position > 0 and is_word(text[position - 1])
    after = position < len(text) and is_word(text[position])
    return (before != after) == (place is codes.AT_BOUNDARY)
