"""Counts of what a tracker did, exact under threads."""

import threading
from collections import Counter
from collections.abc import Mapping
from itertools import count

import msgspec

from telemetry.sdk.provider import DeliveryStats

__all__ = ["OUTCOMES", "OutcomeCounts", "TrackerStats"]

# Each event that a tracker was given is in exactly one of these.
OUTCOMES = ("accepted", "sampled_out", "disabled", "rejected", "held", "hold_dropped")

# What can become of an event as a rule, in a tracker and at a provider.
_OFTEN = ("accepted", "sampled_out", "disabled", "sent")


class TrackerStats(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events given to one tracker in this process.

    ``received`` = ``accepted`` + ``sampled_out`` + ``disabled`` + ``rejected`` + ``held`` + ``hold_dropped``. Held
    events wait in memory for the first config; hold-dropped ones found that queue full or the tracker closed.
    ``callback_errors`` counts exceptions of the app's own callbacks. ``providers`` maps provider ids to what became
    of the accepted events there.
    """

    received: int
    accepted: int
    sampled_out: int
    disabled: int
    rejected: int
    held: int
    hold_dropped: int
    callback_errors: int
    providers: Mapping[str, DeliveryStats]


class _Ticks:
    """Counts one at a time without a lock, which every event would otherwise pay for."""

    __slots__ = ("_reads", "tick")

    def __init__(self) -> None:
        # One step of this iterator is atomic.
        self.tick = count().__next__
        self._reads = 0

    def read(self) -> int:
        """The number of ticks; reading takes a step too, which is not counted. Only one thread may read at a time."""
        steps = self.tick() - self._reads
        self._reads += 1
        return steps


class OutcomeCounts:
    """Named counters; none loses a count under threads."""

    def __init__(self) -> None:
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """Start at zero with a fresh lock: the parent reports what happened before the fork."""
        # Reentrant, because a finaliser may track an event while this thread counts another one.
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter()
        self._ticks = {name: _Ticks() for name in _OFTEN}
        # Each adds one to its counter.
        self.count_accepted = self._ticks["accepted"].tick
        self.count_sampled_out = self._ticks["sampled_out"].tick
        self.count_disabled = self._ticks["disabled"].tick
        self.count_sent = self._ticks["sent"].tick

    def add(self, name: str, amount: int = 1) -> None:
        """Add ``amount`` to one counter."""
        with self._lock:
            self._counts[name] += amount

    def move(self, source: str, target: str) -> None:
        """Take one off ``source`` and add it to ``target``, so that the sum never wavers."""
        with self._lock:
            self._counts[source] -= 1
            self._counts[target] += 1

    def read(self) -> Counter[str]:
        """Return all counters."""
        with self._lock:
            total = self._counts.copy()
            for name, ticks in self._ticks.items():
                total[name] += ticks.read()
            return total
