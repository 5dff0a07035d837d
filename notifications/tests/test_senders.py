"""The share of a worker's processes that may send mail."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from notifications import tasks
from notifications.outgoing import delivery
from notifications.senders import Share, slots_of


@contextmanager
def other_process(share: Share, act: Callable[[int], None]) -> Iterator[int]:
    """Fork a process that takes a slot and then calls `act` with the pipe on which it said so. Yields its id."""
    reads, writes = os.pipe()
    if (child := os.fork()) == 0:
        with share.slot() as taken:
            os.write(writes, b"1" if taken else b"0")
            act(writes)
        os._exit(0)
    assert os.read(reads, 1) == b"1"
    os.close(reads)
    os.close(writes)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.fixture
def share() -> Iterator[Share]:
    """A share of one slot."""
    share = Share()
    share.limit(1)
    yield share
    share.close()


def wait_for_ever(_pipe: int) -> None:
    signal.pause()


@pytest.mark.parametrize(
    ("processes", "queues", "slots"),
    [
        (4, {"desk", "mail"}, 2),
        (2, {"desk", "mail"}, 1),
        (1, {"desk", "mail"}, 1),
        (2, {"mail"}, 2),
        (4, {"desk"}, 2),
    ],
)
def test_mail_takes_half_of_a_worker_or_all_of_its_own(processes, queues, slots):
    assert slots_of(processes, queues) == slots


def test_slot_is_taken_by_one_process_and_freed_by_its_death(share: Share):
    with other_process(share, wait_for_ever), share.slot() as taken:
        assert not taken

    with share.slot() as taken:
        assert taken


def test_share_allows_as_many_processes_as_slots(share: Share):
    share.slots = 2

    with other_process(share, wait_for_ever), share.slot() as second:
        assert second


def test_process_outside_a_worker_always_has_a_slot():
    with Share().slot() as taken:
        assert taken


def test_drain_leaves_the_mail_to_the_processes_that_send(share: Share, monkeypatch):
    drained = []
    monkeypatch.setattr(tasks, "share", share)
    monkeypatch.setattr(delivery, "drain", lambda: drained.append(True))

    with other_process(share, wait_for_ever):
        tasks.drain_outbox()
    assert drained == []

    tasks.drain_outbox()
    assert drained == [True]
