from collections.abc import Callable, Iterator

import pytest

from tickets.facts.filling import fill
from tickets.tests.playing import Play, forget_stays, stays_of, told_stays_of


@pytest.fixture
def play(db: None) -> Iterator[Callable[..., Play]]:
    """Return a function that begins plays. After the test, each play restores the real time. The stays of its ticket
    must be those that its events tell, and filling must write the same again."""
    begun: list[Play] = []

    def begin(process: str, **options: object) -> Play:
        begun.append(Play(process, **options))
        return begun[-1]

    begin.begun = begun  # type: ignore[attr-defined]  # for tests that look at every play begun
    yield begin
    for each in reversed(begun):
        each.stop()
    for each in begun:
        if each.is_whole:
            written = stays_of(each.ticket)
            assert written == told_stays_of(each.ticket)
            forget_stays(each.ticket)
            list(fill())
            assert stays_of(each.ticket) == written
