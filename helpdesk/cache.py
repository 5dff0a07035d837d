"""Cache backends that keep pages working while Redis is unreachable, or while the disk of a cache in files is full.

The cache holds rate limits and values that can be computed again, never the only copy of a fact. When it does not work,
reads miss and writes are dropped. What another release has stored, and this one cannot read, is a miss too: both run
while a desk is updated. For `PAUSE_SECONDS` an unreachable Redis is not tried again, so that it does not cost
every request a timeout.
"""

import logging
import zlib
from contextlib import suppress
from time import monotonic
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5
UNREADABLE = (AttributeError, EOFError, ImportError, IndexError, TypeError, ValueError)
"""The errors of unpickling a value whose class has another shape, has moved, or no longer exists."""


class TolerantRedisCache(RedisCache):
    _away_until = 0.0  # shared by all threads of the process; a lost update only means one more attempt

    def _try(self, name: str, fallback: Any, *args: Any, **kwargs: Any) -> Any:
        if monotonic() < TolerantRedisCache._away_until:
            return fallback
        try:
            return getattr(super(), name)(*args, **kwargs)
        except UNREADABLE:
            if name not in ("get", "get_many"):
                raise
            return fallback
        except (RedisError, OSError) as error:
            TolerantRedisCache._away_until = monotonic() + PAUSE_SECONDS
            logger.warning("The cache does not answer, going on without it: %s", error)
            return fallback

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._try("add", True, *args, **kwargs)

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._try("get", default, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._try("set", None, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._try("touch", False, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._try("delete", False, *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._try("get_many", {}, *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._try("set_many", [], *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._try("delete_many", None, *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._try("has_key", False, *args, **kwargs)

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        return self._try("incr", delta, key, delta, version)

    def clear(self) -> None:
        """Delete only the keys of this cache: the Celery queue may be in the same Redis database."""
        client = self._cache.get_client(None, write=True)
        for key in client.scan_iter(match=f"{self.key_prefix}:*", count=1000):
            client.unlink(key)


class TolerantFileCache(FileBasedCache):
    """A cache in files, for the embedded size. Its disk is also that of the database, which may still have room."""

    def _createdir(self) -> None:
        with suppress(OSError):
            super()._createdir()  # type: ignore[misc]  # the stubs leave it out

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        try:
            return super().get(key, default, version)
        except (OSError, zlib.error, *UNREADABLE):
            return default

    def add(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().add(*args, **kwargs))
        except OSError:
            return True

    def set(self, *args: Any, **kwargs: Any) -> None:
        with suppress(OSError):
            super().set(*args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().touch(*args, **kwargs))
        except OSError:
            return False

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().delete(*args, **kwargs))
        except OSError:
            return False

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().has_key(*args, **kwargs))
        except OSError:
            return False

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        try:
            return int(super().incr(key, delta, version))
        except OSError:
            return delta
