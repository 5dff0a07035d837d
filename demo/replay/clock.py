"""Change the current time for the product while past events are performed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from unittest.mock import patch


@contextmanager
def time_is(moment: datetime) -> Iterator[None]:
    """Make `django.utils.timezone.now()` return `moment` inside the block, also where a reference to it was taken
    before, such as in model defaults. Only for a process with one thread, such as a command: it changes the time for
    all threads, so no process that answers requests may use it."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment.astimezone(tz) if tz else moment.replace(tzinfo=None)

    with patch("django.utils.timezone.datetime", Then):
        yield
