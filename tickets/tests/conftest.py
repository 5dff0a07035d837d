from collections.abc import Callable, Iterator

import pytest

from tickets.tests.playing import Play


@pytest.fixture
def play(db: None) -> Iterator[Callable[..., Play]]:
    """Return a function that begins plays. After the test, each play restores the real time."""
    begun: list[Play] = []

    def begin(process: str, **options: object) -> Play:
        begun.append(Play(process, **options))
        return begun[-1]

    begin.begun = begun  # type: ignore[attr-defined]  # for tests that look at every play begun
    yield begin
    for each in reversed(begun):
        each.stop()
