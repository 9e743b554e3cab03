"""Which values became much more, or much less, of all events: what one looks at first when a metric has moved."""

import math
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

__all__ = ["ChangedShare", "Shares", "changed_shares"]

# Changes that nobody would act on, and values of so few events that they may point at somebody.
_LEAST_CHANGE: Final = 0.05
_FEWEST_EVENTS: Final = 5
# Standard errors; so far apart are two shares by chance alone less than three times in a thousand.
_LEAST_DISTANCE: Final = 3.0
_MOST: Final = 8


class ChangedShare(NamedTuple):
    """A value of a property, ``None`` for events without it, with its share (0-1) of the events before and since."""

    name: str
    value: str | None
    before: float
    since: float

    @property
    def change(self) -> float:
        """By how much the share grew; negative when it shrank."""
        return self.since - self.before


class Shares:
    """How often each value of some properties came, each event with the weight of those that it stands for."""

    def __init__(self) -> None:
        self._weights: dict[tuple[str, str | None], float] = {}
        self._events: dict[tuple[str, str | None], int] = {}
        self._totals: dict[str, tuple[float, float]] = {}

    def add(self, name: str, value: str | None, *, weight: float = 1.0, events: int = 1) -> None:
        """So many more events, each of this weight, have this value of the property."""
        key = (name, value)
        self._weights[key] = self._weights.get(key, 0.0) + weight * events
        self._events[key] = self._events.get(key, 0) + events
        total, squares = self._totals.get(name, (0.0, 0.0))
        self._totals[name] = total + weight * events, squares + weight * weight * events

    @property
    def values(self) -> Iterable[tuple[str, str | None]]:
        """Every property with each of its values."""
        return self._weights.keys()

    def events(self, key: tuple[str, str | None]) -> int:
        """How many events had the value."""
        return self._events.get(key, 0)

    def share(self, key: tuple[str, str | None]) -> float:
        """The value's part of all events, 0-1."""
        total, _ = self._totals.get(key[0], (0.0, 0.0))
        return self._weights.get(key, 0.0) / total if total else 0.0

    def size(self, name: str) -> float:
        """How many equally weighted events would tell as much.

        Source: effective sample size, Kish, Survey Sampling, 1965, section 11.7.
        """
        total, squares = self._totals.get(name, (0.0, 0.0))
        return total * total / squares if squares else 0.0


def changed_shares(before: Shares, since: Shares) -> list[ChangedShare]:
    """The values whose share changed most, at most eight, the greatest change first; none that chance may have moved.

    A value that fewer than five events had, then and now, is never among them.
    """
    found = sorted(_changed(before, since), key=lambda each: (-abs(each.change), each.name, each.value or ""))
    return found[:_MOST]


def _changed(before: Shares, since: Shares) -> Iterator[ChangedShare]:
    for key in {*before.values, *since.values}:
        if max(before.events(key), since.events(key)) < _FEWEST_EVENTS:
            continue
        changed = ChangedShare(*key, before.share(key), since.share(key))
        distance = _distance(changed, before.size(key[0]), since.size(key[0]))
        if abs(changed.change) >= _LEAST_CHANGE and distance >= _LEAST_DISTANCE:
            yield changed


def _distance(changed: ChangedShare, before: float, since: float) -> float:
    """How many standard errors two shares are apart; 0 where one of them rests on nothing.

    Source: test of two proportions with the pooled share.
    """
    if not before or not since:
        return 0.0
    pooled = (changed.before * before + changed.since * since) / (before + since)
    error = math.sqrt(pooled * (1 - pooled) * (1 / before + 1 / since))
    return abs(changed.change) / error if error else 0.0
