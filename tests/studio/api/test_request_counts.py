"""Requests are counted in portions, and the limit holds all the same."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisConnectionError

from studio.api import request_counts, throttles
from studio.api.request_counts import RequestCounts
from studio.api.throttles import count_hit

CALLER = "key:7"
NOON = 1_700_000_040.0  # a full minute


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, which stands still until a test moves it."""
    now = [NOON]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


@pytest.fixture(params=[3, 1000])
def limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(settings, "STUDIO_REQUESTS_PER_MINUTE", request.param)
    return int(request.param)


class AwayCache:
    """A cache whose server is gone."""

    def incr(self, key: str, delta: int = 1) -> int:
        raise RedisConnectionError("nobody there")


def allowed(counts: RequestCounts, times: int) -> int:
    return sum(counts.allow(CALLER) for _ in range(times))


def test_as_many_as_the_limit_are_allowed_in_a_minute(limit: int, clock: list[float]) -> None:
    counts = RequestCounts()

    assert allowed(counts, limit + 5) == limit
    clock[0] += 60
    assert allowed(counts, limit + 5) == limit


def test_callers_are_counted_apart(limit: int) -> None:
    counts = RequestCounts()
    allowed(counts, limit)

    assert counts.allow("key:8")


def test_what_other_processes_counted_is_known_after_a_hundredth_of_the_limit(limit: int) -> None:
    counts = RequestCounts()
    allowed(counts, 1)
    count_hit("requests", CALLER, hits=limit)

    assert allowed(counts, limit) <= limit // 100


def test_what_is_counted_here_is_known_elsewhere_but_for_a_hundredth(limit: int) -> None:
    counts = RequestCounts()

    allowed(counts, limit - 1)

    told = cache.get(f"throttle:requests:{CALLER}:{int(NOON // 60)}", 0)
    assert 0 <= limit - 1 - told <= limit // 100


def test_the_whole_count_is_told_before_somebody_is_refused(limit: int) -> None:
    counts = RequestCounts()

    allowed(counts, limit + 1)

    count = count_hit("requests", CALLER)
    assert count is not None
    assert count.hits == limit + 1


def test_the_cache_is_asked_a_hundred_times_a_minute_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STUDIO_REQUESTS_PER_MINUTE", 6000)
    told: list[int] = []

    def count(what: str, who: str, *, hits: int) -> Any:
        told.append(hits)
        return count_hit(what, who, hits=hits)

    monkeypatch.setattr(request_counts, "count_hit", count)

    allowed(RequestCounts(), 6000)

    assert len(told) == 100
    assert sum(told) == 6000


def test_without_the_cache_everybody_may(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttles, "cache", AwayCache())

    assert allowed(RequestCounts(), 3 * limit) == 3 * limit


def test_a_memory_that_is_full_begins_anew_from_what_was_told(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_counts, "MOST_CALLERS", 2)
    counts = RequestCounts()
    allowed(counts, limit)
    counts.allow("key:8")
    counts.allow("key:9")

    assert allowed(counts, limit) <= limit // 100 + 1


def test_threads_lose_no_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STUDIO_REQUESTS_PER_MINUTE", 1000)
    counts = RequestCounts()

    with ThreadPoolExecutor(4) as threads:
        passed = sum(threads.map(lambda _: allowed(counts, 500), range(4)))

    # Threads that look at the same moment may both see the last free place.
    assert 1000 <= passed <= 1004
