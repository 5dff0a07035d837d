"""Perform the steps of all stories in the order of their times."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.conf import settings

from demo.replay.clock import time_is
from demo.replay.letters import Letter
from demo.replay.mail import MailReplay
from demo.replay.pictures import decoded_ahead
from demo.replay.scene import Scene, World
from demo.replay.story import Step, Story, span
from tickets.workflow import sweeps

LATEST = timedelta(minutes=1)  # before now, so that nothing happens in the future
READER, READABLE = "cliente", timedelta(days=10)
MAIL_TAKES = timedelta(seconds=4)


def replay(stories: Iterable[Story], world: World, *, letters: Iterable[Letter] = ()) -> None:
    """File every story's ticket, perform all steps and receive all letters, each at its time. Before each of them, run
    the sweeps for overdue clocks and for silence, as the scheduler would have done."""
    world.scenes = [Scene(story, world, at=_filed_at(story.filed, world.now)) for story in stories]
    steps = [(at, scene, step) for scene in world.scenes for at, step in _timeline(scene)]
    moments: list[tuple[datetime, Callable[[], object], bool]] = [
        (at, partial(scene.carry_out, step, at=at), scene.story.by == READER) for at, scene, step in steps
    ]
    moments += [(letter.at(world.now), letter.receive, False) for letter in letters]
    post = MailReplay(world.users[READER].email, since=world.now - READABLE)
    with (
        patch.object(settings, "DESK_NUDGE_WORKERS", new=False),  # past events must wake no worker
        decoded_ahead(
            name
            for _at, scene, step in sorted(steps, key=itemgetter(0))
            for name in (step or scene.story).files
        ),
    ):
        for at, happen, is_readers in sorted(moments, key=itemgetter(0)):
            with time_is(at):
                sweeps.breach_overdue()
                sweeps.give_notice()
                sweeps.act_on_silence()
                happen()
            if is_readers:
                with time_is(at + MAIL_TAKES):
                    post.deliver()
        post.settle_others()


def _timeline(scene: Scene) -> Iterable[tuple[datetime, Step | None]]:
    at = scene.at
    yield at, None
    for step in scene.story.steps:
        at = min(at + span(step.after), scene.now - LATEST)
        yield at, step


def _filed_at(words: str, now: datetime) -> datetime:
    day, _space, hour = words.partition(" ")
    if ":" not in hour:
        return now - span(words)
    zone = ZoneInfo(settings.DESK_TIME_ZONE)
    hours, minutes = hour.split(":")
    local = (
        (now - span(day))
        .astimezone(zone)
        .replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0)
    )
    return min(local.astimezone(UTC), now - LATEST)
