"""Letting the desk believe that it is another time, for as long as the past is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from unittest.mock import patch


@contextmanager
def time_is(moment: datetime) -> Iterator[None]:
    """Inside, `django.utils.timezone.now()` is `moment`, wherever somebody took a reference to it: model defaults
    too. For one process with one thread, such as a command; nothing that answers requests may use it."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment.astimezone(tz) if tz else moment.replace(tzinfo=None)

    with patch("django.utils.timezone.datetime", Then):
        yield
