"""Redis cache backend that keeps pages working while Redis is unreachable.

The cache holds rate limits and values that can be computed again, never the only copy of a fact. When Redis does not
answer, reads miss and writes are dropped. For `PAUSE_SECONDS` nothing is tried again, so that an unreachable server
does not cost every request a timeout.
"""

import logging
from time import monotonic
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5


class TolerantRedisCache(RedisCache):
    _away_until = 0.0  # shared by all threads of the process; a lost update only means one more attempt

    def _try(self, name: str, fallback: Any, *args: Any, **kwargs: Any) -> Any:
        if monotonic() < TolerantRedisCache._away_until:
            return fallback
        try:
            return getattr(super(), name)(*args, **kwargs)
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
