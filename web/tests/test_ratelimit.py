from threading import Thread

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import translation

from accounts.models import User
from content.tests.hostile_text import assert_grows_linearly
from web.ratelimit import allow, by_user, limited, mailbox, parse_rate

NOON = "2026-11-20 12:00:00+00:00"


def attempts(view, request, count: int) -> list[int]:
    return [view(request).status_code for _attempt in range(count)]


@limited("intentos", rate="2/m")
def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hecho")


def test_allow_counts_each_key_separately():
    with time_machine.travel(NOON, tick=False):
        assert [allow("a", limit=2, window=60) for _use in range(4)] == [True, True, False, False]
        assert allow("b", limit=2, window=60)
        assert not allow("c", limit=0, window=60)


def test_allow_starts_again_in_the_next_window():
    with time_machine.travel(NOON, tick=False) as clock:
        assert [allow("a", limit=1, window=3600) for _use in range(2)] == [True, False]
        clock.shift(3599)
        assert not allow("a", limit=1, window=3600)
        clock.shift(1)
        assert allow("a", limit=1, window=3600)


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "filebased.FileBasedCache"])
def test_allow_counts_outlive_the_default_cache_timeout(settings, tmp_path, backend):
    settings.CACHES = {
        "default": {
            "BACKEND": f"django.core.cache.backends.{backend}",
            "LOCATION": str(tmp_path),
            "TIMEOUT": 300,
        }
    }
    with time_machine.travel(NOON, tick=False) as clock:
        assert allow("a", limit=2, window=3600)
        assert allow("a", limit=2, window=3600)
        clock.shift(1800)
        assert not allow("a", limit=2, window=3600)


def test_allow_counts_parallel_threads_exactly():
    results: list[bool] = []
    with time_machine.travel(NOON, tick=False):
        threads = [Thread(target=lambda: results.append(allow("a", limit=5, window=60))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert (results.count(True), results.count(False)) == (5, 15)


def test_allow_takes_any_key():
    for key in ("ñ 🙂\n\x00", "x" * 10_000, "\ud800"):
        assert allow(key, limit=1, window=60)


def test_limited_answers_429_with_retry_after(rf: RequestFactory):
    request = rf.post("/", REMOTE_ADDR="198.51.100.7")
    with time_machine.travel("2026-11-20 12:00:45+00:00", tick=False):
        assert attempts(view, request, 2) == [200, 200]
        response = view(request)

    assert response.status_code == 429
    assert response["Retry-After"] == "15"
    assert "Demasiados intentos" in response.content.decode()
    assert "Espera 1 minuto" in response.content.decode()


def test_limited_uses_the_active_language(rf: RequestFactory):
    request = rf.post("/", REMOTE_ADDR="198.51.100.7")
    with time_machine.travel(NOON, tick=False), translation.override("en"):
        attempts(view, request, 2)
        assert '<html lang="en"' in view(request).content.decode()


def test_limited_allows_get_and_other_addresses(rf: RequestFactory):
    with time_machine.travel(NOON, tick=False):
        assert attempts(view, rf.post("/", REMOTE_ADDR="198.51.100.7"), 3) == [200, 200, 429]
        assert attempts(view, rf.get("/", REMOTE_ADDR="198.51.100.7"), 3) == [200, 200, 200]
        assert attempts(view, rf.post("/", REMOTE_ADDR="198.51.100.8"), 1) == [200]
        cache.clear()
        assert attempts(view, rf.post("/", REMOTE_ADDR="2001:db8::1"), 2) == [200, 200]
        assert attempts(view, rf.post("/", REMOTE_ADDR="2001:db8::2"), 1) == [
            429
        ]  # same /64 network, so the same customer


def test_limited_by_user_separates_users_at_one_address(rf: RequestFactory):
    @limited("persona", rate="1/m", by=by_user)
    def mine(request: HttpRequest) -> HttpResponse:
        return HttpResponse("hecho")

    request = rf.post("/")
    with time_machine.travel(NOON, tick=False):
        for user in (User(pk=1), User(pk=2), AnonymousUser()):
            request.user = user
            assert attempts(mine, request, 2) == [200, 429]


def test_views_with_same_limit_name_share_one_count(rf: RequestFactory):
    @limited("intentos", rate="2/m")
    def other(request: HttpRequest) -> HttpResponse:
        return HttpResponse("hecho")

    request = rf.post("/")
    with time_machine.travel(NOON, tick=False):
        assert attempts(view, request, 2) == [200, 200]
        assert attempts(other, request, 1) == [429]


@pytest.mark.parametrize(
    ("rate", "parsed"),
    [("10/m", (10, 60)), ("3/30s", (3, 30)), ("100/h", (100, 3600)), ("1/2d", (1, 172_800))],
)
def test_parse_rate(rate, parsed):
    assert parse_rate(rate) == parsed


@pytest.mark.parametrize("rate", ["", "10", "10/", "10/x", "x/m"])
def test_invalid_rate_raises_when_decorating(rate):
    with pytest.raises((ValueError, KeyError, IndexError)):
        limited("intentos", rate=rate)


@pytest.mark.parametrize(
    ("typed", "counted"),
    [
        (" Ana+1@Example.com", "ana@example.com"),
        ("ana@España.es", "ana@xn--espaa-rta.es"),
        ("+x@example.com", "+x@example.com"),
    ],
)
def test_spellings_of_one_mailbox_are_counted_together(typed, counted):
    assert mailbox(typed) == counted


def test_long_address_is_counted_at_once():
    assert_grows_linearly(lambda size: mailbox("ana@" + "ñ" * size), short=20_000, floor=0.001)
