"""When to ask the studio again, and which of its answers to believe."""

import random
from collections.abc import Callable

__all__ = ["PollPace", "RevisionGuard"]

# Clients spread over a fifth of the interval to either side, so that a fleet started at once does not poll at once.
_JITTER = 0.2
# Without a config each second counts; with one, an outage may cost the studio no more than one question in 5 minutes.
_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 300.0
_LONGEST_RETRY_AFTER_SECONDS = 3600.0
# Doubling stops here; 2**16 seconds is far above the longest pause already.
_MOST_DOUBLINGS = 16
# An older config comes from a cache that lags behind, or from a studio restored from a backup. Caches are over their
# lag in seconds; so when every answer is older for this long, it is a restore, and refusing for ever would cut the app
# off from all later changes, those that protect people included.
_RESTORED_AFTER_SECONDS = 900.0
_RESTORED_AFTER_ANSWERS = 3


class PollPace:
    """The pause before the next question, in seconds, jittered; it grows while questions fail."""

    def __init__(self, interval: float, *, uniform: Callable[[float, float], float] = random.uniform) -> None:
        if not interval > 0:
            raise ValueError("poll_interval must be more than 0 seconds")
        self._interval = interval
        self._uniform = uniform
        self._failures = 0

    def after_success(self) -> float:
        """The poll interval, up to a fifth more or less."""
        self._failures = 0
        return self._interval * self._uniform(1 - _JITTER, 1 + _JITTER)

    def after_failure(self, *, has_config: bool, retry_after: float | None) -> float:
        """Twice the last pause, at most five minutes or one interval, less up to half; ``Retry-After`` is the least.

        The first pause is a second while no config is known, because events wait, and one interval otherwise.
        """
        first = self._interval if has_config else min(_FIRST_RETRY_SECONDS, self._interval)
        growing = first * 2.0 ** min(self._failures, _MOST_DOUBLINGS)
        self._failures += 1
        pause = min(growing, max(_LONGEST_RETRY_SECONDS, self._interval)) * self._uniform(0.5, 1.0)
        return max(pause, min(retry_after or 0.0, _LONGEST_RETRY_AFTER_SECONDS))


class RevisionGuard:
    """Admits a config that is as new as the one in use; an older one only when the studio must have been restored."""

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._older_since: float | None = None
        self._older_answers = 0

    def confirm(self) -> None:
        """The studio knows the config in use: older answers seen before came from a cache."""
        self._older_since = None

    def admits(self, revision: int, *, known: int | None) -> bool:
        """True unless ``revision`` is older than ``known``.

        Older ones are admitted once at least three answers in a row, over a quarter of an hour or more, were older.
        """
        if known is None or revision >= known:
            self._older_since = None
            return True
        now = self._monotonic()
        if self._older_since is None:
            self._older_since, self._older_answers = now, 0
        self._older_answers += 1
        is_restored = (
            self._older_answers >= _RESTORED_AFTER_ANSWERS and now - self._older_since >= _RESTORED_AFTER_SECONDS
        )
        if is_restored:
            self._older_since = None
        return is_restored
