"""Counting requests without asking the shared cache at each of them."""

import time
from itertools import count
from threading import Lock
from typing import Final

from django.conf import settings

from studio.api.throttles import WINDOW_SECONDS, count_hit

__all__ = ["RequestCounts"]

# What a process keeps to itself before it tells the others: a hundredth of the limit. So many processes together let
# pass at most that many hundredths more than the limit, and a limit below 200 is counted hit by hit.
PARTS: Final = 100
# Callers whose counts are kept; a count that made room is begun anew, from what the shared cache knows.
MOST_CALLERS: Final = 20_000


class MinuteCount:
    """One caller's requests in one minute, in this process; ``told`` of them are in the shared cache already.

    ``others`` are all that the shared cache knew of besides, when it was told last.
    """

    __slots__ = ("hits", "minute", "others", "seen", "told")

    def __init__(self, minute: int) -> None:
        self.minute = minute
        # Counts in one step, so that no two threads count as one.
        self.hits = count(1)
        self.seen = self.told = self.others = 0


class RequestCounts:
    """How often each caller asked in this minute, here and, as far as the shared cache knows, elsewhere."""

    def __init__(self) -> None:
        self._counts: dict[str, MinuteCount] = {}
        self._telling = Lock()

    def allow(self, caller: str) -> bool:
        """Whether one more request of ``caller`` is within the limit. Who is refused counts on elsewhere.

        The shared cache is told of every hundredth part of the limit. When it is away, everybody may.
        """
        minute = int(time.time()) // WINDOW_SECONDS
        counted = self._counts.get(caller)
        if counted is None or counted.minute != minute:
            counted = self._begin(caller, minute)
        limit: int = settings.STUDIO_REQUESTS_PER_MINUTE
        if counted.others + counted.seen >= limit:
            self._tell(counted, caller)
            if counted.others + counted.seen >= limit:
                return False
        counted.seen = next(counted.hits)
        if counted.seen - counted.told >= max(1, limit // PARTS):
            self._tell(counted, caller)
        return counted.others + counted.seen <= limit

    def _begin(self, caller: str, minute: int) -> MinuteCount:
        if len(self._counts) >= MOST_CALLERS:
            self._counts.clear()
        counted = self._counts[caller] = MinuteCount(minute)
        return counted

    def _tell(self, counted: MinuteCount, caller: str) -> None:
        with self._telling:
            untold = max(0, counted.seen - counted.told)
            counted.told += untold
            total = count_hit("requests", caller, hits=untold)
            # Without the cache nobody is held back, and what was counted meanwhile is forgotten, as it is elsewhere.
            counted.others = -counted.seen if total is None else total.hits - counted.told
