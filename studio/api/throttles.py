"""How often one client may ask, counted in the shared cache; when the cache is away, everybody may."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from studio.api.network import network_of

__all__ = [
    "WINDOW_SECONDS",
    "ClientThrottle",
    "Count",
    "count_client_request",
    "count_failed_authentication",
    "count_hit",
]

logger = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 60
# After the cache failed, it is left alone for this long: waiting for its time-out in each request would be an outage.
REST_SECONDS: Final = 5


@dataclass(frozen=True)
class Count:
    """How often something happened in the current minute, and how many seconds of the minute are left (1-60)."""

    hits: int
    seconds_left: int


class Rest:
    """Until when, on the monotonic clock, this process leaves the cache alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = 0.0

    def begin(self) -> None:
        """The rest lasts ``REST_SECONDS`` from here."""
        self._ends_at = self._clock() + REST_SECONDS

    def is_over(self) -> bool:
        """Whether the cache may be asked."""
        return self._clock() >= self._ends_at


rest = Rest()


def count_hit(what: str, who: str, *, hits: int = 1) -> Count | None:
    """``hits`` more of ``what`` by ``who`` in this minute; ``None`` when the cache is away: then nothing is counted.

    Two cache calls for the first hit of a minute, one for the others. Never raises.
    """
    if not rest.is_over():
        return None
    now = time.time()
    minute = int(now // WINDOW_SECONDS)
    key = f"throttle:{what}:{who}:{minute}"
    try:
        total = _increase(key, hits)
    except (RedisError, OSError) as error:
        rest.begin()
        logger.warning("throttle.unavailable", extra={"error": type(error).__qualname__})
        return None
    return Count(total, math.ceil((minute + 1) * WINDOW_SECONDS - now))


def _increase(key: str, hits: int) -> int:
    try:
        return cache.incr(key, hits)
    except ValueError:
        # The first of its minute. Of two that race here, one adds and the other counts on.
        return hits if cache.add(key, hits, timeout=2 * WINDOW_SECONDS) else cache.incr(key, hits)


def count_failed_authentication(request: HttpRequest) -> None:
    """One more failure is counted for the client's network; raises ``Throttled`` when it had too many this minute.

    Only failures are held back: a good key behind the same address translation goes on working, and guessing one is
    hopeless at any speed.
    """
    count = count_hit("authentication", network_of(request))
    if count is not None and count.hits > settings.STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE:
        raise Throttled(wait=count.seconds_left)


def count_client_request(who: str) -> None:
    """One more request of another's client is counted for its key; raises ``Throttled`` after too many this minute."""
    count = count_hit("client_requests", who)
    if count is not None and count.hits > settings.STUDIO_CLIENT_REQUESTS_PER_MINUTE:
        raise Throttled(wait=count.seconds_left)


class ClientThrottle(BaseThrottle):
    """Each key, or each person without one, has a number of requests per minute."""

    def __init__(self) -> None:
        self._count: Count | None = None

    def allow_request(self, request: Request, view: object) -> bool:  # noqa: ARG002 - REST framework's signature
        """Whether the request is within the limit; one cache call."""
        caller: Any = request.auth
        if caller is None:
            return True
        self._count = count_hit("requests", caller.name)
        return self._count is None or self._count.hits <= settings.STUDIO_REQUESTS_PER_MINUTE

    def wait(self) -> float | None:
        """Seconds until the next minute begins."""
        return None if self._count is None else self._count.seconds_left
