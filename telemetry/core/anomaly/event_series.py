"""The windows of one event in one process: counted while they are open, judged once by each rule when they close."""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from telemetry.core.anomaly.history import IndexedHistory
from telemetry.core.anomaly.rules import detector_of, measure
from telemetry.core.anomaly.series import Point, Verdict
from telemetry.core.anomaly.window_tally import Seen, WindowTally, wanted_by
from telemetry.core.enums import AnomalyMethod
from telemetry.core.spec import AnomalyRule

__all__ = ["MOST_POINTS", "Breach", "EventSeries"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Windows that are remembered of each rule: six weeks of hours, three and a half days of five minutes.
MOST_POINTS: Final = 1_008
# How long after its end a window is open for events that are on their way through the process.
_LAG: Final = timedelta(seconds=5)
# So many late events in a row mean that the newest window came from a clock that ran ahead.
_CLOCK_RAN_AHEAD: Final = 20


class Breach(NamedTuple):
    """A closed window in which a rule is broken."""

    rule: AnomalyRule
    point: Point
    verdict: Verdict


class EventSeries:
    """One event's windows of one width, with the rules on them. Not safe to share between threads."""

    def __init__(self, rules: tuple[AnomalyRule, ...], width: timedelta, minimum_sample: int | None) -> None:
        self._width = width
        self._history: dict[AnomalyRule, deque[Point]] = {}
        self._open: dict[int, WindowTally] = {}
        # The window that closes next; ``None`` until the first event comes.
        self._next: int | None = None
        self._is_first = True
        self._late_in_row = 0
        self.adopt(rules, minimum_sample)

    def adopt(self, rules: tuple[AnomalyRule, ...], minimum_sample: int | None) -> None:
        """From here on these are the rules; those that are as before keep what they have learnt."""
        known = self._history
        self._wanted = wanted_by(rules)
        self._detectors = {rule.name: detector_of(rule, minimum_sample, width=self._width) for rule in rules}
        self._history = {rule: known.get(rule) or deque(maxlen=MOST_POINTS) for rule in rules}

    def count(self, metrics: Mapping[str, float], seen: Seen, occurred_at: datetime) -> bool:
        """The event is counted in its window; false if that window is closed already."""
        index = (occurred_at - _EPOCH) // self._width
        if self._next is None:
            # The window in which the process began to look is not whole.
            self._next = index + 1
        if index < self._next:
            is_before_the_first = self._is_first and index == self._next - 1
            # What came a little too late says nothing about clocks.
            self._late_in_row += index < self._next - 1
            if self._late_in_row >= _CLOCK_RAN_AHEAD:
                self._forget()
            return is_before_the_first
        self._late_in_row = 0
        self._open.setdefault(index, WindowTally(self._wanted)).add(metrics, seen)
        return True

    def close(self, now: datetime) -> Iterator[Breach]:
        """Judge each window that ended ``_LAG`` before ``now`` or earlier, once, also those in which nothing came."""
        last = (now - _LAG - _EPOCH) // self._width
        if self._next is None or last <= self._next:
            return
        if last - self._next > MOST_POINTS:
            # A pause as long as all that is remembered, or a clock that jumped: nothing to compare with.
            self._forget()
            return
        for index in range(self._next, last):
            yield from self._judge(index, self._open.pop(index) if index in self._open else WindowTally(self._wanted))
        self._next, self._is_first = last, False

    def _judge(self, index: int, tally: WindowTally) -> Iterator[Breach]:
        start = _EPOCH + index * self._width
        for rule, points in self._history.items():
            measured = measure(rule, tally, self._width / timedelta(minutes=1))
            if measured is None:
                continue
            point = Point(start, measured.value, measured.sample)
            history = IndexedHistory(points).before(rule.method, start) if _reads_history(rule, point) else []
            verdict = self._detectors[rule.name].judge(history, point)
            points.append(point)
            if verdict.breach is not None:
                yield Breach(rule, point, verdict)

    def _forget(self) -> None:
        self._open.clear()
        self._next = None
        self._is_first = True
        self._late_in_row = 0
        for points in self._history.values():
            points.clear()


def _reads_history(rule: AnomalyRule, point: Point) -> bool:
    """Whether the verdict depends on it: limits do not learn, and an event that arrives is not silent."""
    if rule.method is AnomalyMethod.SILENCE:
        return not point.value
    return rule.method is not AnomalyMethod.LIMITS
