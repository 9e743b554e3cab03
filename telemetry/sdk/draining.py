"""How fast to send what piled up in an outage: a fleet that comes back at once would bring the studio down again."""

import math
import random
import time
from collections.abc import Callable

__all__ = ["DrainPace"]

# Events of the last minutes say what is normal; an outage is often longer, and events go on coming in it.
_MEMORY_SECONDS = 300.0
# Five times the normal rate clears an outage of an hour in a quarter of one.
_TIMES_NORMAL = 5.0
# A process that has only just begun does not know yet what is normal.
_LEAST_PER_SECOND = 100.0


class DrainPace:
    """Knows the rate at which events come, and the pause that keeps sending within five times that."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._monotonic = monotonic
        self._uniform = uniform
        self._began_at = self._at = monotonic()
        self._weight = 0.0

    def came(self, count: int) -> None:
        """So many events came in."""
        self._fade()
        self._weight += count

    def rate(self) -> float:
        """Events per second that may be sent while there is a backlog."""
        self._fade()
        age = self._at - self._began_at
        # What a steady rate of one per second would have added up to by now.
        full = _MEMORY_SECONDS * (1 - math.exp(-age / _MEMORY_SECONDS))
        return max(_LEAST_PER_SECOND, _TIMES_NORMAL * self._weight / max(full, 1.0))

    def pause_after(self, count: int) -> float:
        """Seconds to wait after sending so many events, a fifth more or less."""
        return count / self.rate() * self._uniform(0.8, 1.2)

    def _fade(self) -> None:
        now = self._monotonic()
        self._weight *= math.exp((self._at - now) / _MEMORY_SECONDS)
        self._at = now
