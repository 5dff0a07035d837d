"""Perform the steps of all stories in the order of their times."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.conf import settings

from demo.replay.clock import time_is
from demo.replay.mail import MailReplay
from demo.replay.pictures import decoded_ahead
from demo.replay.scene import Scene, World
from demo.replay.story import Step, Story, span
from tickets.workflow import sweeps

LATEST = timedelta(minutes=1)  # before now, so that nothing happens in the future
READER, READABLE = "cliente", timedelta(days=10)
MAIL_TAKES = timedelta(seconds=4)


def replay(stories: Iterable[Story], world: World) -> None:
    """File every story's ticket and perform all steps, each at its time. Before each step, run the sweeps for overdue
    clocks and for silence, as the scheduler would have done."""
    world.scenes = [Scene(story, world, at=_filed_at(story.filed, world.now)) for story in stories]
    moments = sorted(
        (
            (at, order, scene, step)
            for order, scene in enumerate(world.scenes)
            for at, step in _timeline(scene)
        ),
        key=lambda entry: entry[:2],
    )
    post = MailReplay(world.users[READER].email, since=world.now - READABLE)
    files = (name for _at, _order, scene, step in moments for name in (step or scene.story).files)
    with (
        patch.object(settings, "DESK_NUDGE_WORKERS", new=False),  # past events must wake no worker
        decoded_ahead(files),
    ):
        for at, _order, scene, step in moments:
            with time_is(at):
                sweeps.breach_overdue()
                sweeps.give_notice()
                sweeps.act_on_silence()
                scene.carry_out(step, at=at)
            if scene.story.by == READER:
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
