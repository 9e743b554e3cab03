"""Watching metrics inside one process: thresholds on single values, and the rules of whole windows.

Rules are judged by the very detectors of the studio, over what this process has seen of the event. The shared, durable
judgement over many processes is the studio's; this one gives an app its answer at once.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from telemetry.core.anomaly.anomaly import Anomaly, Observed
from telemetry.core.anomaly.rule_watch import RuleWatch
from telemetry.core.anomaly.window_tally import Seen
from telemetry.core.defaults import DEFAULT_CHECK_INTERVAL_MS, DEFAULT_MINIMUM_SAMPLE
from telemetry.core.enums import AnomalyAction
from telemetry.core.occurrence import occurrence
from telemetry.core.spec import MAXIMUM_EVENTS, AnomalyDetection, Threshold

__all__ = ["AnomalyMonitor"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DEFAULT_WINDOW: Final = timedelta(milliseconds=DEFAULT_CHECK_INTERVAL_MS)
# The current window and the one before it: events of the last minutes may still be on their way.
_KEPT_WINDOWS: Final = 2
_NOTHING_ELSE: Final = Seen()
# So many late events in a row mean that the newest window came from a clock that ran ahead: it is forgotten.
_CLOCK_RAN_AHEAD: Final = 20


class AnomalyMonitor:
    """Tells callbacks of each breach: of a threshold, once enough values were seen in the window that the value belongs
    to; of a rule, when its window has closed.

    ``on_anomaly`` hears of every anomaly; ``handlers`` of those whose rules name their action. What they raise is
    counted in ``callback_errors`` and goes no further. Windows are ``window`` wide and aligned to 1970-01-01 UTC. A
    value of the window before the newest is judged in its own window; values of older ones are counted in ``ignored``.
    Safe to share between threads; callbacks run in the thread that observes or checks, and may observe in turn.

    A window of a rule closes a few seconds after its end, with the next event of its kind or with ``check``, which an
    app calls from time to time so that silence is noticed. What rules compare with is what this process saw: at most
    1,008 windows of each, and nothing of the time before it started. At most 256 events are watched by rules at once.
    """

    def __init__(
        self,
        on_anomaly: Callable[[Anomaly], object] | None = None,
        *,
        handlers: Mapping[AnomalyAction, Callable[[Anomaly], object]] | None = None,
        window: timedelta = _DEFAULT_WINDOW,
    ) -> None:
        """``ValueError`` when the window is shorter than a millisecond."""
        self._on_anomaly = on_anomaly
        self._handlers = dict(handlers or {})
        self._window = _checked_window(window)
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """Nothing has been seen yet: for a forked child, where the lock may be held by a thread that is gone."""
        self._lock = threading.Lock()
        self._events: OrderedDict[tuple[str, int, timedelta], _EventWindows] = OrderedDict()
        self._rules = RuleWatch()
        self._ignored = 0
        self.callback_errors = 0

    @property
    def ignored(self) -> int:
        """Values and events that came when their window was over."""
        return self._ignored + self._rules.ignored

    def observe(
        self,
        event: Observed,
        metrics: Mapping[str, float],
        occurred_at: datetime,
        *,
        window: timedelta | None = None,
        seen: Seen = _NOTHING_ELSE,
        now: datetime | None = None,
    ) -> tuple[Anomaly, ...]:
        """The anomalies that this event shows, after the callbacks have heard of them.

        ``metrics`` are the event's values before sampling and redaction; those without a threshold or rule and those
        that are not finite do not count. ``window`` is the width that the config asks for (``check_interval_ms``), if
        it is not the monitor's own. ``seen`` is what rules count besides. ``now`` is the present by a trusted clock, by
        which windows close; else they close by the events' own. ``ValueError`` when ``occurred_at`` carries no zone.
        """
        detection = event.anomaly_detection
        if detection is None or not detection.enabled or not detection.rules:
            self._forget_rules(event)
        if detection is None or not detection.enabled or not (detection.thresholds or detection.rules):
            return ()
        if occurred_at.utcoffset() is None:
            raise ValueError("the instant of an event must carry a zone")
        width = self._window if window is None else _checked_window(window)
        anomalies = self._judge_values(event, detection, metrics, occurred_at, width)
        if detection.rules:
            finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
            present = occurred_at if now is None else now
            moment = occurrence(occurred_at, sent_at=None, received_at=present)
            with self._lock:
                anomalies += tuple(self._rules.observe(event, detection, finite, moment, present, width, seen))
        for anomaly in anomalies:
            self._tell(anomaly)
        return anomalies

    def check(self, now: datetime) -> tuple[Anomaly, ...]:
        """The anomalies of all windows that have closed by ``now``, after the callbacks have heard of them.

        Windows in which nothing came are judged too. ``ValueError`` when ``now`` carries no zone.
        """
        if now.utcoffset() is None:
            raise ValueError("the instant must carry a zone")
        with self._lock:
            anomalies = tuple(self._rules.close(now))
        for anomaly in anomalies:
            self._tell(anomaly)
        return anomalies

    def _forget_rules(self, event: Observed) -> None:
        if self._rules.knows_any:
            with self._lock:
                self._rules.forget(event)

    def _judge_values(
        self,
        event: Observed,
        detection: AnomalyDetection,
        metrics: Mapping[str, float],
        occurred_at: datetime,
        width: timedelta,
    ) -> tuple[Anomaly, ...]:
        bounded = {threshold.metric for threshold in detection.thresholds}
        values = {name: value for name, value in metrics.items() if name in bounded and math.isfinite(value)}
        if not values:
            return ()
        index = (occurred_at - _EPOCH) // width
        with self._lock:
            samples = self._count((event.name, event.version, width), index, values)
        return tuple(_breaches(event, detection, values, samples, index, width))

    def _count(self, key: tuple[str, int, timedelta], index: int, values: Mapping[str, float]) -> dict[str, int]:
        """How many values of each metric the window has, with these; nothing for a window that is gone."""
        windows = self._events.setdefault(key, _EventWindows())
        self._events.move_to_end(key)
        if len(self._events) > MAXIMUM_EVENTS:
            self._events.popitem(last=False)
        counts = windows.counts_of(index)
        if counts is None:
            self._ignored += 1
            return {}
        for name in values:
            counts[name] = counts.get(name, 0) + 1
        return {name: counts[name] for name in values}

    def _tell(self, anomaly: Anomaly) -> None:
        handlers = (self._handlers.get(action) for action in anomaly.actions)
        for callback in (self._on_anomaly, *handlers):
            if callback is None:
                continue
            try:
                callback(anomaly)
            except Exception:  # noqa: BLE001 - the app's mistake in a callback must not lose the event
                with self._lock:
                    self.callback_errors += 1


class _EventWindows:
    """Counts of values per metric, for the newest windows of one event."""

    __slots__ = ("_late_in_row", "_windows")

    def __init__(self) -> None:
        self._windows: dict[int, dict[str, int]] = {}
        self._late_in_row = 0

    def counts_of(self, index: int) -> dict[str, int] | None:
        """The counts of this window, to be changed in place; ``None`` when it is older than those that are kept."""
        newest = max(self._windows, default=index)
        if index <= newest - _KEPT_WINDOWS:
            self._late_in_row += 1
            if self._late_in_row < _CLOCK_RAN_AHEAD:
                return None
            self._windows.clear()
        self._late_in_row = 0
        for old in [kept for kept in self._windows if kept <= index - _KEPT_WINDOWS]:
            del self._windows[old]
        return self._windows.setdefault(index, {})


def _checked_window(window: timedelta) -> timedelta:
    if window < timedelta(milliseconds=1):
        raise ValueError("a window is at least a millisecond wide")
    return window


def _breaches(
    event: Observed,
    rules: AnomalyDetection,
    values: Mapping[str, float],
    samples: Mapping[str, int],
    index: int,
    width: timedelta,
) -> Iterator[Anomaly]:
    """An anomaly for each limit that a value with enough company is beyond."""
    minimum = max(1, DEFAULT_MINIMUM_SAMPLE if rules.minimum_sample is None else rules.minimum_sample)
    for threshold in rules.thresholds:
        sample = samples.get(threshold.metric, 0)
        if sample < minimum:
            continue
        value = values[threshold.metric]
        for bound, limit in _broken(threshold, value):
            yield Anomaly(
                event_name=event.name,
                event_version=event.version,
                metric=threshold.metric,
                value=value,
                bound=bound,
                limit=limit,
                sample=sample,
                window_start=_edge(index, width),
                window_end=_edge(index + 1, width),
                actions=rules.actions,
            )


def _edge(index: int, width: timedelta) -> datetime:
    """Where a window starts; the end of the calendar when it would start beyond."""
    try:
        return _EPOCH + index * width
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if index < 0 else datetime.max.replace(tzinfo=UTC)


def _broken(threshold: Threshold, value: float) -> Iterator[tuple[Literal["min", "max"], float]]:
    if threshold.min is not None and value < threshold.min:
        yield "min", threshold.min
    if threshold.max is not None and value > threshold.max:
        yield "max", threshold.max
