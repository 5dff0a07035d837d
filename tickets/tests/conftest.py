from collections.abc import Callable, Iterator

import pytest

from tickets.tests.playing import Play


@pytest.fixture
def play(db: None) -> Iterator[Callable[..., Play]]:
    """Begins plays, and gives the time back after the test."""
    begun: list[Play] = []

    def begin(process: str, **options: object) -> Play:
        begun.append(Play(process, **options))
        return begun[-1]

    begin.begun = begun  # type: ignore[attr-defined]  # for what looks at all the plays of a file
    yield begin
    for each in reversed(begun):
        each.stop()
