import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import redis
from django.core.cache.backends.base import BaseCache

from content.tests import disks
from helpdesk.cache import TolerantFileCache, TolerantRedisCache
from tools.servers import Redis


@pytest.fixture
def away(monkeypatch) -> TolerantRedisCache:
    """A cache on a port where no server listens."""
    monkeypatch.setattr(TolerantRedisCache, "_away_until", 0.0)
    return TolerantRedisCache("redis://127.0.0.1:1/0", {"OPTIONS": {"socket_connect_timeout": 0.2}})


def test_unreachable_cache_never_fails(away: TolerantRedisCache):
    away.set("name", "value")

    assert away.get("name", "nothing") == "nothing"
    assert away.get_or_set("name", "made") == "made"
    assert away.add("limit", 1) is True
    assert away.incr("limit") == 1
    assert away.get_many(["name"]) == {}
    assert away.has_key("name") is False
    assert away.delete("name") is False


def test_unreachable_cache_is_tried_once_per_pause(away: TolerantRedisCache, caplog):
    caplog.set_level(logging.WARNING, "helpdesk.cache")

    for _ in range(5):
        away.get("name")

    assert len(caplog.records) == 1


@pytest.mark.parametrize("kind", disks.BROKEN)
def test_cache_on_a_useless_disk_never_fails(tmp_path: Path, kind: str):
    """Rate limits are counted on the same disk as the files that people upload: they must not keep a text from being
    saved."""
    with disks.BROKEN[kind](tmp_path / "cache"):
        cache = TolerantFileCache(str(tmp_path / "cache"), {})
        cache.set("name", "value" * 10_000)

        assert cache.get("name", "nothing") == "nothing"
        assert cache.add("limit", 1) is True
        with suppress(ValueError):  # web.ratelimit takes it for an expired key
            assert cache.incr("limit") == 1
        assert cache.touch("limit") is False
        assert cache.has_key("name") is False
        assert cache.delete("name") is False


class Figures(NamedTuple):
    """A value of the release that is being replaced."""

    count: int


def test_value_of_another_release_is_a_miss(tmp_path: Path, monkeypatch):
    cache = TolerantFileCache(str(tmp_path), {})
    check_value_of_another_release(cache, monkeypatch)


@pytest.mark.topology
def test_value_of_another_release_is_a_miss_in_redis(monkeypatch):
    with Redis() as server:
        cache = TolerantRedisCache(server.url, {})
        check_value_of_another_release(cache, monkeypatch)
        cache.close()


def check_value_of_another_release(cache: BaseCache, monkeypatch) -> None:
    cache.set("figures", Figures(3))
    assert cache.get("figures") == Figures(3)

    def grown(cls: type, count: int, more: int) -> None: ...

    with monkeypatch.context() as patch:
        patch.setattr(Figures, "__new__", grown)
        assert cache.get("figures", "nothing") == "nothing"
        assert cache.get_many(["figures"]) == {}
    monkeypatch.delattr(sys.modules[__name__], "Figures")
    assert cache.get("figures") is None


@pytest.mark.topology
def test_clear_keeps_the_queue():
    with Redis() as server:
        cache = TolerantRedisCache(server.url, {"KEY_PREFIX": "desk-cache"})
        queue = redis.Redis.from_url(server.url)
        queue.lpush("desk:desk", "a task")
        cache.set("limit", 3)

        cache.clear()

        assert cache.get("limit") is None
        assert sorted(queue.keys()) == [b"desk:desk"]
        queue.close()
        cache.close()
