"""The stories of the demo's tickets, by theme. Their order does not matter: the replay sorts the steps by time."""

from demo.replay.story import Story
from demo.stories import (
    academic,
    administration,
    app,
    app_today,
    endings,
    flight,
    others,
    platform,
    repeated,
    solved,
)

THEMES = (platform, academic, administration, flight, endings, app, app_today, others, solved, repeated)
STORIES: tuple[Story, ...] = tuple(story for theme in THEMES for story in theme.STORIES)
