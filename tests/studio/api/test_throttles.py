"""How often clients may ask."""

import time
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisConnectionError

from studio.api import throttles
from studio.api.throttles import REST_SECONDS, Rest, count_hit
from telemetry.core.enums import Environment
from tenants.keys import mint
from tests.studio.api.calls import Caller, code_of, queries_of, signed_in
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key, make_user

pytestmark = pytest.mark.django_db

CONFIG = "/api/v1/config"


@pytest.fixture(autouse=True)
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty seconds into a minute, and no test runs into the next."""
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000 // 60 * 60 + 20.5)


def unknown_key() -> str:
    return mint(Environment.PRODUCTION, "app").text


class AwayCache:
    """A cache server that nobody answers from; counts how often it was tried."""

    def __init__(self) -> None:
        self.tried = 0

    def incr(self, key: str, delta: int = 1) -> int:
        self.tried += 1
        raise RedisConnectionError("nobody there")

    def add(self, key: str, value: Any, timeout: float) -> bool:
        return self.incr(key) > 0


# Requests of one client


def test_a_key_that_asks_too_often_is_told_when_to_come_back(settings: Settings) -> None:
    settings.STUDIO_REQUESTS_PER_MINUTE = 3
    make_published()
    app = Caller(key=make_key(make_installation()).text)

    statuses = [app.get(CONFIG).status_code for _ in range(3)]
    answer = app.get(CONFIG)

    assert statuses == [200, 200, 200]
    assert answer.status_code == 429
    assert code_of(answer) == "too_many_requests"
    assert answer["Retry-After"] == "40"


def test_each_key_and_each_person_is_counted_alone(settings: Settings) -> None:
    settings.STUDIO_REQUESTS_PER_MINUTE = 1
    make_published()
    installation = make_installation()
    first, second = (Caller(key=make_key(installation).text) for _ in range(2))
    person = signed_in(make_user(is_superuser=True))

    assert first.get(CONFIG).status_code == second.get(CONFIG).status_code == 200
    assert person.get("/api/v1/specs").status_code == 200
    assert first.get(CONFIG).status_code == person.get("/api/v1/specs").status_code == 429


def test_the_next_minute_is_a_new_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STUDIO_REQUESTS_PER_MINUTE = 1
    make_published()
    app = Caller(key=make_key(make_installation()).text)
    assert [app.get(CONFIG).status_code for _ in range(2)] == [200, 429]

    later = time.time() + 40
    monkeypatch.setattr(time, "time", lambda: later)

    assert app.get(CONFIG).status_code == 200


# Bad keys


@pytest.mark.parametrize(
    "key", ["garbage", "tgs_prd_app_" + "a" * 8 + "_" + "b" * 49, "tgs_", "x" * 10_000, "\xff", ""]
)
def test_what_is_no_key_is_refused_without_asking_the_database(key: str) -> None:
    answer = None

    def ask() -> None:
        nonlocal answer
        answer = Caller().get(CONFIG, Authorization=f"Bearer {key}")

    statements = queries_of(ask)

    assert answer is not None
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="telemetry-studio", error="invalid_token"'
    assert statements == []


def test_all_bad_keys_get_one_answer() -> None:
    make_published()
    good = make_key(make_installation()).text
    wrong = good[:-7] + ("a" if good[-7] != "a" else "b") + good[-6:]

    answers = [Caller(key=key).get(CONFIG) for key in (unknown_key(), wrong, "garbage")]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert len({answer.content for answer in answers}) == 1


def test_many_bad_keys_from_one_network_are_held_back(settings: Settings) -> None:
    settings.STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE = 2

    statuses = [Caller(key=unknown_key()).get(CONFIG).status_code for _ in range(2)]
    answer = Caller(key=unknown_key()).get(CONFIG)

    assert statuses == [401, 401]
    assert (answer.status_code, answer["Retry-After"]) == (429, "40")


def test_good_keys_of_that_network_and_bad_keys_of_others_are_not(settings: Settings) -> None:
    settings.STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE = 1
    make_published()
    good = Caller(key=make_key(make_installation()).text)
    bad = Caller(key=unknown_key())
    assert [bad.get(CONFIG).status_code for _ in range(2)] == [401, 429]

    elsewhere = bad.client.get(CONFIG, headers=bad.headers, REMOTE_ADDR="198.51.100.7")

    assert good.get(CONFIG).status_code == 200
    assert elsewhere.status_code == 401


def test_a_forged_address_does_not_help(settings: Settings) -> None:
    settings.STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE = 1

    statuses = [
        Caller(key=unknown_key())
        .get(CONFIG, X_Forwarded_For=f"198.51.100.{number}", X_Real_IP="198.51.100.9")
        .status_code
        for number in range(2)
    ]

    assert statuses == [401, 429]


def test_asking_without_a_key_is_no_attempt(settings: Settings) -> None:
    settings.STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE = 1

    assert [Caller().get(CONFIG).status_code for _ in range(3)] == [401, 401, 401]


# Without the cache


def test_without_the_cache_everybody_may_ask(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STUDIO_REQUESTS_PER_MINUTE = settings.STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE = 1
    away = AwayCache()
    monkeypatch.setattr(throttles, "cache", away)
    make_published()
    app = Caller(key=make_key(make_installation()).text)

    assert [app.get(CONFIG).status_code for _ in range(3)] == [200, 200, 200]
    assert [Caller(key=unknown_key()).get(CONFIG).status_code for _ in range(2)] == [401, 401]
    # Tried once, then left alone: a server that hangs must not hold up each request.
    assert away.tried == 1


def test_the_cache_is_tried_again_after_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    away = AwayCache()
    monkeypatch.setattr(throttles, "rest", Rest(clock=lambda: now))
    monkeypatch.setattr(throttles, "cache", away)
    assert count_hit("requests", "a") is None

    now += REST_SECONDS - 0.1
    assert count_hit("requests", "a") is None
    assert away.tried == 1
    now += 0.1
    assert count_hit("requests", "a") is None
    assert away.tried == 2


def test_hits_of_one_minute_are_counted_with_the_seconds_that_are_left() -> None:
    counts = [count_hit("requests", "a") for _ in range(3)]

    assert [count and (count.hits, count.seconds_left) for count in counts] == [(1, 40), (2, 40), (3, 40)]


def test_counts_do_not_stay_for_ever() -> None:
    count_hit("requests", "a")

    assert cache.get(f"throttle:requests:a:{int(time.time() // 60)}") == 1
    assert not hasattr(cache, "_expire_info") or None not in cache._expire_info.values()
