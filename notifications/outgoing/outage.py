"""Circuit breaker of the mail server, shared by all workers through the cache.

When the server is unreachable or does not answer, nobody sends for a while: 20 seconds, then twice as long each time,
up to five minutes. After the pause one worker tries one mail, and all go on once the server has taken it. Without a
cache each drain finds out for itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache

FIRST_PAUSE, LONGEST_PAUSE = 20, 300  # seconds
REMEMBERED = 3600
"""How long after the last failure the server counts as not yet proven, in seconds."""
TRIAL_SECONDS = 60  # longer than one drain may take, in case its worker dies

AWAY_KEY = "notifications.mail-server-away"
FAILURES_KEY = "notifications.mail-server-failures"
TRIAL_KEY = "notifications.mail-server-trial"


def is_open() -> bool:
    """Whether nobody may send now."""
    return bool(cache.get(AWAY_KEY))


def is_on_trial() -> bool:
    """Whether the server has failed and has taken no mail since."""
    return bool(cache.get(FAILURES_KEY))


def trip() -> int:
    """Stop all sending for a while, because the server is unreachable or mute. Returns for how many seconds."""
    failures = int(cache.get(FAILURES_KEY) or 0) + 1
    pause = min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE)
    cache.set(FAILURES_KEY, failures, REMEMBERED)
    cache.set(AWAY_KEY, True, pause)
    return pause


def is_over() -> None:
    """The server has taken a mail: all may send again."""
    cache.delete_many([FAILURES_KEY, AWAY_KEY])


@contextmanager
def trial() -> Iterator[bool]:
    """Yield whether this worker is the one that tries the server."""
    is_ours = cache.add(TRIAL_KEY, True, TRIAL_SECONDS)
    try:
        yield is_ours
    finally:
        if is_ours:
            cache.delete(TRIAL_KEY)
