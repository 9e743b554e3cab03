"""Lines about events on their way to whoever watches an installation, through Valkey or Redis.

Nothing is written while nobody watches. A stream holds the last few hundred lines and ends by itself; what is in it is
what a page shows, and nothing else is kept of it. When the server is away, nobody waits for it.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from telemetry.core.errors import Unavailable

__all__ = ["START", "LivePart", "LiveStream", "connect", "live_stream"]

logger = logging.getLogger(__name__)

# Lines of one installation; older ones are gone. More than a person reads before pausing.
MOST_LINES: Final = 500
# Seconds after which a stream that nobody adds to is gone.
STREAM_SECONDS: Final = 120
# Seconds for which one look keeps an installation watched; the page looks each second.
WATCH_SECONDS: Final = 15
# Seconds for which a process believes what it knows about being watched: the cost of a question, spread over batches.
BELIEF_SECONDS: Final = 1.0
# Seconds for which a process leaves the server alone after it failed.
REST_SECONDS: Final = 5.0
# Seconds that a batch, which is stored already, waits for the server at most.
PATIENCE_SECONDS: Final = 0.2
# Installations whose state a process remembers.
MOST_BELIEFS: Final = 10_000

# Where a reader begins who has seen nothing.
START: Final = ""
_CURSOR: Final = re.compile(r"[0-9]{1,20}-[0-9]{1,20}").fullmatch


class LivePart(NamedTuple):
    """Lines, the oldest first, and where to read on."""

    lines: list[bytes]
    cursor: str


class LiveStream:
    """The lines of all installations; ``clock`` is monotonic, in seconds."""

    def __init__(self, client: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._rests_until = 0.0
        self._beliefs: dict[UUID, tuple[float, bool]] = {}

    def is_watched(self, installation: UUID) -> bool:
        """Whether somebody has looked within the last seconds; at most one call per second. Never raises."""
        now = self._clock()
        if now < self._rests_until:
            return False
        asked_at, watched = self._beliefs.get(installation, (None, False))
        if asked_at is not None and now - asked_at < BELIEF_SECONDS:
            return watched
        try:
            watched = bool(self._client.exists(_watch_key(installation)))
        except (RedisError, OSError) as error:
            self._rest(error)
            return False
        if len(self._beliefs) >= MOST_BELIEFS:
            self._beliefs.clear()
        self._beliefs[installation] = (now, watched)
        return watched

    def publish(self, installation: UUID, lines: Iterable[bytes]) -> None:
        """The lines are in the stream, if the server is there; one call. Never raises."""
        key = _stream_key(installation)
        try:
            with self._client.pipeline(transaction=False) as calls:
                for line in lines:
                    calls.xadd(key, {"line": line}, maxlen=MOST_LINES, approximate=True)
                calls.expire(key, STREAM_SECONDS)
                calls.execute()
        except (RedisError, OSError) as error:
            self._rest(error)

    def read(self, installation: UUID, after: str, *, limit: int = MOST_LINES) -> LivePart:
        """What came after the cursor, or from ``START`` the newest lines; the installation is watched from here on.

        A cursor that is none counts as ``START``. Raises ``Unavailable`` when the server does not answer.
        """
        key = _stream_key(installation)
        try:
            with self._client.pipeline(transaction=False) as calls:
                calls.set(_watch_key(installation), 1, ex=WATCH_SECONDS)
                if _CURSOR(after):
                    calls.xrange(key, min=f"({after}", count=limit)
                else:
                    calls.xrevrange(key, count=limit)
                _, found = calls.execute()
        except (RedisError, OSError):
            raise Unavailable("the live stream does not answer") from None
        if not _CURSOR(after):
            found.reverse()
        cursor = found[-1][0].decode() if found else after if _CURSOR(after) else "0-0"
        return LivePart([fields[b"line"] for _, fields in found], cursor)

    def find(self, installation: UUID, is_wanted: Callable[[bytes], bool], *, removes: bool) -> int:
        """How many of the lines are wanted; with ``removes`` they are gone. Raises ``Unavailable``."""
        key = _stream_key(installation)
        try:
            with self._client.pipeline(transaction=False) as calls:
                calls.xrange(key)
                (lines,) = calls.execute()
                found = [number for number, fields in lines if is_wanted(fields[b"line"])]
                if found and removes:
                    calls.xdel(key, *found)
                    calls.execute()
        except (RedisError, OSError):
            raise Unavailable("the live stream does not answer") from None
        return len(found)

    def _rest(self, error: Exception) -> None:
        self._rests_until = self._clock() + REST_SECONDS
        # Without the error's message, which may quote what was sent.
        logger.warning("live.unavailable", extra={"error": type(error).__qualname__})


@lru_cache(maxsize=1)
def live_stream() -> LiveStream:
    """The stream of this process; it connects when it is first used."""
    return LiveStream(connect(settings.REDIS_URL))


def connect(url: str) -> Redis:
    """A client that does not wait and does not try again: who sends events must not notice."""
    return Redis.from_url(url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS, retry=None)


def _stream_key(installation: UUID) -> str:
    return f"studio:live:{installation.hex}"


def _watch_key(installation: UUID) -> str:
    return f"studio:live:watched:{installation.hex}"
